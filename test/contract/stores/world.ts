/** What the contract suite of the stores needs of a store besides the port: another writer's hands, and eyes on everything that is kept. */
import { inspect } from "node:util";
import { expect } from "vitest";
import type { AdapterDeps, Call, FencedChange, SecretDocument, Store } from "../../../adapters/ports.js";
import type { FieldMap } from "../../../adapters/shared/own-fields.js";
import { RekeyError } from "../../../domain/errors.js";
import { type FenceTag, formatTag } from "../../../domain/fence.js";
import { Secret } from "../../../domain/secret.js";
import { noCodec } from "../../../worker/installation.js";
import { testMark } from "../../support/mark.js";

/** One place of one store, fresh for each test. */
export interface StoreWorld {
  /** What `storeVersion` of a view is: a number that grows, a name, or nothing. */
  readonly storeVersions: "counted" | "named" | "none";
  /** Another instance for the same place, as another process of the engine would have it. */
  open(options?: { fields?: FieldMap; installation?: string }): Store;
  /** The live document as its consumers read it, others' fields included; `null` when there is none. */
  raw(): Promise<Record<string, unknown> | null>;
  /** Somebody else writes fields into the live document (makes it when there is none), as their tools do. */
  foreignWrite(fields: Record<string, string>): Promise<void>;
  /** The same, once, between the next change's read and its write. */
  foreignWriteInBetween(fields: Record<string, string>): Promise<void>;
  /** Everything that the store keeps of this place anywhere, old revisions included, as text. */
  everything(): Promise<string>;
  /** Takes the store away as an outage does; resolves to what brings it back. */
  cutOff(): Promise<() => Promise<void>>;
  dispose(): Promise<void>;
}

/** A world whose calls go over a wire, which can be silent or lose an answer. */
export interface WiredStoreWorld extends StoreWorld {
  /** From now on the store accepts and never answers. */
  fallSilent(): void;
  /** The next change arrives and is made; its answer does not come back. */
  loseNextAnswer(): void;
}

/** A call that ends after `ms`. */
export function call(ms = 30_000): Call {
  return { signal: AbortSignal.timeout(ms) };
}

/** The contents of a version; each value can be told from all others and found again wherever it stands. */
export function contents(version: string): SecretDocument {
  return {
    username: new Secret(`orders_${version}`),
    password: new Secret(passwordOf(version)),
    rekey_attest_key: new Secret(`attest/${version}+canary`),
  };
}

/** The password of `contents(version)`: with characters that encodings change. */
export function passwordOf(version: string): string {
  return `canary-${version}-p&ss/w"rd+ü`;
}

/** The values as text, for comparing. */
export function plain(document: SecretDocument | null): Record<string, string> | null {
  if (document === null) return null;
  return Object.fromEntries(Object.entries(document).map(([field, value]) => [field, value.reveal()]));
}

/** `plain(contents(version))` as a store gives it back: with the version's id. */
export function kept(version: string): Record<string, string> {
  return { ...plain(contents(version)), rekey_version: version };
}

/** A tag of the test's installation; `change` makes it unique. */
export function tag(version: string, change: number, more: Partial<FenceTag> = {}): FenceTag {
  return { installation: "here", rotation: "r1", epoch: 1, version, state: "enabled", change, ...more };
}

/** A change from the tag that is expected (none for `null`) to another. */
export function change(expected: FenceTag | null, next: FenceTag): FencedChange {
  return { slot: "a", expect: expected === null ? "" : formatTag(expected), tag: next, identity: null };
}

/** What an adapter gets from the process: references to values, an installation, clock and randomness. */
export function depsOf(
  values: Readonly<Record<string, string>> = {},
  more: Partial<AdapterDeps> = {},
): AdapterDeps {
  return {
    resolve: async (reference) => {
      const value = values[reference];
      if (value === undefined) throw new RekeyError("missing-setup", `${reference} is not set.`);
      return new Secret(value);
    },
    installation: "here",
    signChallenge: async () => "",
    mark: testMark,
    codec: noCodec,
    now: () => Date.now(),
    random: (bytes) => crypto.getRandomValues(new Uint8Array(bytes)),
    ...more,
  };
}

/** The code of the `RekeyError` that the work ends with; fails when it succeeds, throws another error, or shows a canary. */
export async function codeOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(RekeyError);
  expectNoCanary(inspect(error, { depth: 12, showHidden: true }));
  expectNoCanary(JSON.stringify(error));
  expectNoCanary(String((error as Error).stack));
  return (error as RekeyError).code;
}

/** No test value in the text: raw, escaped, URL-encoded or in base64 (I6). */
export function expectNoCanary(text: string): void {
  for (const form of [
    "canary-",
    "canary%2D",
    Buffer.from("canary-").toString("base64").slice(0, 8),
    "+canary",
  ]) {
    expect(text).not.toContain(form);
  }
}
