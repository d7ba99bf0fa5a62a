/** What the map says of a credential before it is rotated: who else was seen on it or could read it, and what that is worth. */
import { asSeen } from "../domain/graph/anonymous.js";
import { readIntervalMs } from "../domain/graph/current.js";
import { keptOf } from "../domain/graph/kept.js";
import { Adjacency } from "../domain/graph/reach.js";
import type { Evidence } from "../domain/graph/types.js";
import { type User, usersOf } from "../domain/graph/use.js";
import { type LastReading, noReading, type Watcher } from "../domain/last-reading.js";
import { type MappedCopy, type MappedReader, type ReadRhythm, strayCopies } from "../domain/mapped.js";
import type { RotationPolicy } from "../domain/rotation/state.js";
import { strangersOn } from "../domain/strangers.js";
import { type UnexplainedUse, unexplainedUses } from "../domain/unexplained.js";
import {
  neverRead,
  type WatchingSource,
  type WatchRules,
  watchersAmong,
  watchRulesOf,
} from "../domain/watched.js";
import { type GoneWatcher, overseeing } from "../domain/watchers.js";
import { anonymousUsesOf } from "../inventory/anonymous-uses.js";
import { copiesMet } from "../inventory/copies.js";
import { listEntries } from "../inventory/estate.js";
import { loadUsers } from "../inventory/graph-load.js";
import { keepLive } from "../inventory/live-values.js";
import { settingsDigest } from "../inventory/source-settings.js";
import { askedOf, watchedBy } from "../inventory/watching.js";
import type { ActivityDeps, Systems } from "./deps.js";

/** Facts for the checks. */
export interface MappedFacts {
  readonly readers: readonly MappedReader[];
  readonly uses: readonly UnexplainedUse[];
  readonly copies: readonly MappedCopy[];
  readonly rhythms: readonly ReadRhythm[];
  readonly sources: readonly (WatchingSource & LastReading)[];
  /** Sources that watched when the rotation was agreed to, and do not any more. */
  readonly gone: readonly GoneWatcher[];
  readonly rules: Omit<WatchRules, "unmappedReaders">;
}

/** What the value is known by that is to be revoked: its version, and the keyed hashes of what is live, where that was read. */
export interface KnownValue {
  readonly version: string;
  /** The rotation that revokes it. */
  readonly rotation: string;
  readonly hmacs: readonly string[];
}

/** What is asked about: that value, by these rules, with the sources that were agreed to. */
export interface ValueAsked {
  readonly value: KnownValue;
  readonly policy: RotationPolicy;
  readonly agreed: readonly Watcher[];
}

/**
 * Reads them, and keeps the keyed hashes of the live value, a dry run as well as a rotation: they are an observation and change nothing
 * outside. Without them no later look at the records knows a copy of it for one, and whoever replaces it by hand leaves a value
 * behind that nobody has seen refused.
 */
export async function mappedAsSeen(
  deps: Pick<ActivityDeps, "db" | "now" | "shapes">,
  systems: Pick<Systems, "id" | "name" | "estate" | "consumers">,
  asked: ValueAsked,
): Promise<MappedFacts> {
  await keepLive(deps.db, { credential: systems.id, hmacs: asked.value.hmacs, at: deps.now() });
  return mappedFacts(deps, systems, asked);
}

/** Reads them. */
async function mappedFacts(
  deps: Pick<ActivityDeps, "db" | "now" | "shapes">,
  systems: Pick<Systems, "id" | "name" | "estate" | "consumers">,
  { value, policy, agreed }: ValueAsked,
): Promise<MappedFacts> {
  const rules = watchRulesOf(policy);
  const [graph, everDeclared, met, anonymous] = await Promise.all([
    loadUsers(deps.db, systems.id),
    listEntries(deps.db, "sources", { ended: true }),
    copiesMet(deps.db, { credential: systems.id, ...value }, deps.now()),
    anonymousUsesOf(deps.db, systems.id),
  ]);
  const declared = everDeclared.filter(({ endedAt }) => endedAt === null);
  const adjacency = new Adjacency(graph);
  const users = usersOf(adjacency, systems.id);
  const evidence = [...users.flatMap(({ edge }) => edge.evidence), ...asSeen(anonymous)];
  const { sources, gone } = await watching(deps, systems, { declared, evidence, rules, agreed });
  // What a source said that has left the estate is still told by its name.
  const names = new Map(everDeclared.map(({ id, name }) => [id, name]));
  const fading = { windowMs: rules.useWindowMs, now: deps.now() };
  const looking = { expected: new Set(systems.consumers.map((consumer) => consumer.id)), names, fading };
  return {
    readers: strangersOn(graph, users, looking),
    uses: unexplainedUses(graph, users, anonymous, looking),
    rhythms: rhythmsOf(users, systems),
    copies: strayCopies(met, keptOf(adjacency, systems.id).copies),
    ...{ sources, gone, rules },
  };
}

/** The sources that would show who uses the credential, or might, with what their readings are worth; and who of the agreed is gone. */
async function watching(
  { db, now, shapes }: Pick<ActivityDeps, "db" | "now" | "shapes">,
  { name, estate }: Pick<Systems, "name" | "estate">,
  {
    declared,
    evidence,
    rules,
    agreed,
  }: {
    readonly declared: Awaited<ReturnType<typeof listEntries>>;
    /** How the credential's users are known. */
    readonly evidence: readonly Pick<Evidence, "kind" | "source">[];
    readonly rules: Pick<WatchRules, "evidenceMaxAgeMs" | "useWindowMs">;
    readonly agreed: readonly Watcher[];
  },
): Promise<Pick<MappedFacts, "sources" | "gone">> {
  const among = watchersAmong(
    declared.map(({ id, name: called, body }) => {
      return { ...askedOf({ id, name: called, body }, shapes), settings: body };
    }),
    estate.credentials[name] ?? { store: "", issuer: "" },
    evidence,
  ).map((source) => ({ ...source, settingsDigest: settingsDigest(source.body) }));
  const { sources: about, gone } = overseeing(among, new Set(declared.map(({ id }) => id)), agreed);
  const watched = await watchedBy(db, about, {
    windowMs: rules.useWindowMs,
    lookBackMs: 2 * rules.useWindowMs,
    pauseMs: rules.evidenceMaxAgeMs,
    now: now(),
  });
  const byId = new Map(watched.map((one) => [one.source, one]));
  const sources = about.map((source) => {
    return { ...source, ...(byId.get(source.id) ?? { ...neverRead, ...noReading }) };
  });
  return { sources, gone };
}

/** How far apart the declared consumers were seen reading it, wherever they read it. */
function rhythmsOf(users: readonly User[], { consumers }: Pick<Systems, "consumers">): ReadRhythm[] {
  return consumers.flatMap(({ id, name }) => {
    const evidence = users.flatMap(({ node, edge }) => (node.id === id ? edge.evidence : []));
    const intervalMs = readIntervalMs(evidence);
    return intervalMs === null ? [] : [{ consumer: name, intervalMs }];
  });
}
