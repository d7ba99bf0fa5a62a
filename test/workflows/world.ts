/**
 * The world that the workflow tests rotate in: an issuer, a store and consumers in memory, with switchable
 * faults, and an oracle that never asks the engine whether everybody still works (invariant I1).
 */

import { randomBytes } from "node:crypto";
import { MemoryConsumer } from "../../adapters/consumers/memory.js";
import { type MemoryIssuers, memoryIssuers } from "../../adapters/issuers/memory.js";
import type { AdapterDeps } from "../../adapters/ports.js";
import { type MemoryStores, memoryStores } from "../../adapters/stores/memory.js";
import type { IssuerTraits } from "../../domain/kinds.js";
import { noCodec } from "../../worker/installation.js";
import { testMark } from "../support/mark.js";

/** Logins of the pair; the first is in use at the start. */
export const logins = ["orders_a", "orders_b"] as const;
const path = "orders";

/** What a test may look at and turn. */
export interface World {
  readonly issuers: MemoryIssuers;
  readonly stores: MemoryStores;
  readonly consumers: ReadonlyMap<string, MemoryConsumer>;
  /** The version that is live at the start, and its value. */
  readonly first: { readonly version: string; readonly password: string };
  /** What stands in the store for everybody to read. */
  live(): Record<string, string>;
  /** Every value that was ever made; none of them may turn up anywhere. */
  values(): string[];
  /** Whether the issuer accepts the pair, by its own rules and without leaving a session. */
  accepts(login: string | undefined, password: string | undefined): boolean;
  /** Names of instances that hold nothing that logs in. */
  broken(): string[];
  /** The login that is enabled, in order. */
  enabled(): string[];
}

/** Path of the place that only this consumer reads. */
export function pathOf(consumer: string): string {
  return `${path}/${consumer}`;
}

/** A world in which the consumers work; they read one place, but for those that are pinned to their own. */
export function makeWorld(
  consumerNames: readonly string[],
  pinned: readonly string[] = [],
  traits: Partial<IssuerTraits> = {},
): World {
  const issuers = memoryIssuers(traits);
  const stores = memoryStores();
  const first = { version: `ver_${randomBytes(6).toString("hex")}`, password: secretText() };
  const server = issuers.server();
  server.logins.set(logins[0], { value: first.password, enabled: true, tag: "" });
  if (traits.overlap !== "none") server.logins.set(logins[1], { value: null, enabled: false, tag: "" });
  const places = [path, ...pinned.map(pathOf)].map((name) => stores.place(name));
  for (const place of places) {
    place.raw = {
      username: logins[0],
      password: first.password,
      rekey_version: first.version,
      note: "not ours to touch",
    };
    place.revision = 1;
  }
  const at = (name: string) => stores.place(name).raw as Record<string, string>;
  const live = () => at(path);
  const seen = new Set<string>([first.password]);
  const documents = new Map<string, Record<string, string>>([[first.version, { ...live() }]]);
  const remember = () => {
    for (const copy of places.flatMap(({ copies, raw }) => [
      ...copies.values(),
      raw as Record<string, string>,
    ])) {
      if (copy.password) seen.add(copy.password);
      if (copy.rekey_attest_key) seen.add(copy.rekey_attest_key);
      if (copy.rekey_version) documents.set(copy.rekey_version, { ...copy });
    }
  };
  const consumers = new Map(
    consumerNames.map((name) => {
      const source = () => {
        remember();
        return at(pinned.includes(name) ? pathOf(name) : path).rekey_version ?? null;
      };
      return [name, new MemoryConsumer({ version: first.version, source })];
    }),
  );
  const accepts: World["accepts"] = (login, password) => {
    const known = login === undefined ? undefined : server.logins.get(login);
    return known?.enabled === true && known.value !== null && known.value === password;
  };
  return {
    issuers,
    stores,
    consumers,
    first,
    live,
    accepts,
    values: () => {
      remember();
      return [...seen];
    },
    broken: () => {
      remember();
      return [...consumers].flatMap(([name, consumer]) =>
        [...consumer.instances]
          .filter(([, { version }]) => {
            const held = documents.get(version ?? "");
            return !accepts(held?.username, held?.password);
          })
          .map(([instance]) => `${name}/${instance}`),
      );
    },
    enabled: () => [...server.logins].filter(([, login]) => login.enabled).map(([name]) => name),
  };
}

/** The adapters of the world's only credential, and those of the places that one consumer alone reads. */
export function adaptersOf(world: World, installation: string, pinned: readonly string[] = []) {
  const deps: AdapterDeps = {
    installation,
    now: Date.now,
    random: (bytes) => randomBytes(bytes),
    signChallenge: async () => "",
    mark: testMark,
    codec: noCodec,
    resolve: async () => {
      throw new Error("nothing here has a reference");
    },
  };
  const storeAt = (name: string) =>
    world.stores.kind.create({}, world.stores.kind.place.parse({ path: name }), deps);
  return {
    issuer: world.issuers.kind.create(
      { server: "main" },
      { logins: [...world.issuers.server().logins.keys()] },
      deps,
    ),
    store: storeAt(path),
    own: new Map(pinned.map((name) => [name, storeAt(pathOf(name))])),
  };
}

/** Long and unlike anything else, so that finding it somewhere proves that it got out. */
function secretText(): string {
  return `canary-${randomBytes(24).toString("base64url")}`;
}
