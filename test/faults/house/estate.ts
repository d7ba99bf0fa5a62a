/** The estate of a lane: one credential, three consumers, and a policy that is patient where a direction needs it. */
import { join } from "node:path";
import type { NewKey } from "../../../client/documents.js";
import type { Service } from "../../../examples/demo/services.js";
import { projectRoot } from "../../../worker/dev/places.js";
import type { Known, World } from "../worlds/world.js";
import type { Direction } from "./directions.js";

/** Persons who sign: the owner, and a responder who reports leaks. */
export const signers = ["owner", "responder"] as const;

/** Patient with whoever is slow, and without a pause for whoever is not: a case is over in a second or two. */
const usual = {
  approval: { quorum: 0, deadline: "10m", reminder: "5m", validFor: "1h" },
  quietPeriod: "0s",
  adoptionSoak: "0s",
  disableSoak: "0s",
  adoptionTimeout: "60s",
  drainTimeout: "60s",
  observationMaxAge: "10s",
  stallTimeout: "60s",
  retryDelay: "200ms",
  containment: "after-adoption",
  containmentDeadline: "60s",
  signOffDeadline: "1h",
  overlapMax: "1h",
  cooldown: "0s",
  responders: ["responder"],
};

/** Long enough for somebody to come while it runs, on a machine that has much else to do. */
export const strangerQuietMs = 5_000;
const visited = { ...usual, quietPeriod: `${strangerQuietMs}ms` };

/** Long enough for somebody to come twice, on such a machine. */
export const pinnedQuietMs = 20_000;
// A source is asked again no sooner than after a minute, and each read that it shows takes one more reading.
const pinned = { ...usual, quietPeriod: `${pinnedQuietMs}ms`, drainTimeout: "5m" };

/** When an emergency no longer waits for consumers: late enough for all of them to have moved. */
export const containmentDeadlineMs = 8_000;

const policies: Readonly<Record<Direction, Readonly<Record<string, unknown>>>> = {
  forward: usual,
  signed: { ...usual, approval: { ...usual.approval, quorum: 1 } },
  // One consumer stays where it is, and is not waited for.
  back: { ...usual, adoptionTimeout: "2500ms" },
  // Somebody holds a session with the leaked value: it is cut when the deadline has passed.
  emergency: { ...usual, containmentDeadline: `${containmentDeadlineMs}ms` },
  leaked: { ...usual, containmentDeadline: `${containmentDeadlineMs}ms` },
  stranger: visited,
  latecomer: visited,
  pinned,
};

/** What the estate says besides the world. */
export interface Asked {
  readonly services: readonly Service[];
  readonly keys: Readonly<Record<string, NewKey>>;
  readonly pager: Readonly<Record<string, unknown>>;
  readonly direction: Direction;
  /** Readers whom the owner has taken upon themself, by name. */
  readonly accepted: Iterable<string>;
}

/** The estate's text for a direction. */
export function estateText(
  world: Pick<World, "issuer" | "store" | "account" | "place" | "checkers" | "known" | "sources" | "policy">,
  { services, keys, pager, direction, accepted }: Asked,
): string {
  const person = (name: string) => ({
    kind: "person",
    email: `${name}@shop.example`,
    keys: [keys[name]?.publicLine],
  });
  const checkers = Object.entries(world.checkers ?? {});
  const sources = Object.entries(world.sources ?? {}).map(([name, source]) => [
    name,
    { ...source, owner: "owner" },
  ]);
  return JSON.stringify({
    version: 1,
    installation: "faults",
    owners: Object.fromEntries(signers.map((name) => [name, person(name)])),
    issuers: { issuer: world.issuer },
    stores: { store: world.store },
    sources: Object.fromEntries(sources),
    notifiers: { pager },
    policies: { policy: { ...policies[direction], ...world.policy } },
    consumers: Object.fromEntries([
      ...services.map((service) => [service.name, consumerOf(service, world.known?.[service.name])]),
      ...checkers.map(([name, { section }]) => [name, { owner: "owner", ...section }]),
    ]),
    credentials: {
      "orders-db": {
        issuer: "issuer",
        account: world.account,
        store: "store",
        place: world.place,
        owner: "owner",
        policy: "policy",
        class: "service-account",
        purpose: "Lets the shop's services read and write orders.",
        consumers: [
          ...services.map((service) => service.name),
          ...checkers.map(([consumer, { role }]) => ({ consumer, role })),
        ],
        exceptions: [...accepted].map((about) => ({
          ...{ finding: "unmapped-reader", about, owner: "owner", until: exceptedUntil() },
          reason: "It fetched it once, and may fail.",
        })),
      },
    },
  });
}

/** As long as a policy lets an exception last, and no harness runs. */
const exceptedUntil = (): string => new Date(Date.now() + 30 * 86_400_000).toISOString();

function consumerOf(
  service: Service,
  { observe, address, names = [] }: Known = { observe: [], address: [] },
): Record<string, unknown> {
  const attest = {
    kind: "http-attest",
    instances: [{ instance: service.instance, url: new URL(service.attestUrl).origin }],
  };
  const signal = {
    kind: "command",
    command: [join(projectRoot(), "examples", "commands", "sighup.sh"), service.pidFile],
  };
  return {
    owner: "owner",
    observe: [attest, ...observe],
    ...(service.pidFile === null ? {} : { deliver: signal }),
    ...(service.name === "reports" ? { deliver: attest } : {}),
    // The oracle looks in as if it belonged to one of them.
    match: {
      applicationName: [service.name, ...(service.name === "checkout" ? ["auditor"] : []), ...names],
      address,
    },
    maxPoolLife: "0s",
    maxCacheLife: "0s",
    cadence: "0s",
  };
}
