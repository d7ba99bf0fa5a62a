/** What the map says of a credential before it is rotated: who else was seen on it or could read it, and what that is worth. */
import { type Fading, isCurrent, isSeen, readIntervalMs, useWindowMs } from "../domain/graph/current.js";
import { keptOf } from "../domain/graph/kept.js";
import { bestKnown, strongest, weakest } from "../domain/graph/known.js";
import { Adjacency } from "../domain/graph/reach.js";
import type { Evidence, Graph } from "../domain/graph/types.js";
import { type User, usersOf } from "../domain/graph/use.js";
import type { MappedCopy, MappedReader, ReadRhythm } from "../domain/mapped.js";
import {
  evidenceMaxAgeMs,
  minuteOf,
  tieOf,
  type WatchingSource,
  type WatchRules,
} from "../domain/watched.js";
import { copiesMet } from "../inventory/copies.js";
import { listEntries } from "../inventory/estate.js";
import { loadUsers } from "../inventory/graph-load.js";
import { watchedBy } from "../inventory/watching.js";
import type { ActivityDeps, Systems } from "./deps.js";

/** Facts for the checks. */
export interface MappedFacts {
  readonly readers: readonly MappedReader[];
  readonly copies: readonly MappedCopy[];
  readonly rhythms: readonly ReadRhythm[];
  readonly sources: readonly WatchingSource[];
  readonly rules: Omit<WatchRules, "unmappedReaders">;
}

/** What the value is known by that is to be revoked: its version, and the keyed hashes of what is live, where that was read. */
export interface KnownValue {
  readonly version: string;
  readonly hmacs: readonly string[];
}

/** Reads them. */
export async function mappedFacts(
  deps: Pick<ActivityDeps, "db" | "now" | "shapes">,
  systems: Pick<Systems, "id" | "name" | "estate" | "consumers" | "policy">,
  value: KnownValue,
): Promise<MappedFacts> {
  const { policy } = systems;
  const rules = {
    evidenceMaxAgeMs: policy.evidenceMaxAgeMs ?? evidenceMaxAgeMs,
    useWindowMs: policy.useWindowMs ?? useWindowMs,
    blindSpots: policy.blindSpots ?? "warn",
  } as const;
  const [graph, declared, met] = await Promise.all([
    loadUsers(deps.db, systems.id),
    listEntries(deps.db, "sources"),
    copiesMet(deps.db, value.version, value.hmacs),
  ]);
  const adjacency = new Adjacency(graph);
  const users = usersOf(adjacency, systems.id);
  const evidence = users.flatMap(({ edge }) => edge.evidence);
  const shown = {
    it: new Set(evidence.map(({ source }) => source)),
    use: new Set(evidence.filter(isSeen).map(({ source }) => source)),
  };
  const sources = await watching(deps, systems, { declared, shown, rules });
  const names = new Map(declared.map((entry) => [entry.id, entry.name]));
  const fading = { windowMs: rules.useWindowMs, now: deps.now() };
  const { copies: mapped } = keptOf(adjacency, systems.id);
  const copies = met
    .filter(({ node }) => !mapped.has(node))
    .map(({ name, literal, past, readers, sentence, lastSeen }) => ({
      ...{ name, literal, past, readers, sentence: `${sentence} Last met ${minuteOf(lastSeen)}.` },
    }));
  return {
    readers: unexpected(graph, users, systems, { names, fading }),
    rhythms: rhythmsOf(users, systems),
    ...{ copies, sources, rules },
  };
}

/** The sources that would show who uses the credential, or might, with what their readings are worth. */
async function watching(
  { db, now, shapes }: Pick<ActivityDeps, "db" | "now" | "shapes">,
  { name, estate }: Pick<Systems, "name" | "estate">,
  {
    declared,
    shown,
    rules,
  }: {
    readonly declared: Awaited<ReturnType<typeof listEntries>>;
    /** Sources that have shown the credential, and those that have shown a use of it. */
    readonly shown: { readonly it: ReadonlySet<string>; readonly use: ReadonlySet<string> };
    readonly rules: Pick<WatchRules, "evidenceMaxAgeMs" | "useWindowMs">;
  },
): Promise<WatchingSource[]> {
  const { store = "", issuer = "" } = estate.credentials[name] ?? {};
  const ties = new Map(
    declared.map(({ id, body }) => [id, shown.it.has(id) ? "tied" : tieOf(body, { store, issuer })]),
  );
  const about = declared
    .filter(({ id }) => ties.get(id) !== "elsewhere")
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const watched = await watchedBy(
    db,
    about.map(({ id }) => id),
    { windowMs: rules.useWindowMs, pauseMs: rules.evidenceMaxAgeMs, now: now() },
  );
  const byId = new Map(watched.map((one) => [one.source, one]));
  return about.map(({ id, name: called, body }) => {
    const { wholeAt = null, since = null, gaps = [], unreadable = 0 } = byId.get(id) ?? {};
    const seesUse = shapes.seesUse(String(body.kind)) || shown.use.has(id);
    return { name: called, tied: ties.get(id) === "tied", seesUse, wholeAt, since, gaps, unreadable };
  });
}

/** How far apart the declared consumers were seen reading it, wherever they read it. */
function rhythmsOf(users: readonly User[], { consumers }: Pick<Systems, "consumers">): ReadRhythm[] {
  return consumers.flatMap(({ id, name }) => {
    const evidence = users.flatMap(({ node, edge }) => (node.id === id ? edge.evidence : []));
    const intervalMs = readIntervalMs(evidence);
    return intervalMs === null ? [] : [{ consumer: name, intervalMs }];
  });
}

/** Users whom no declared consumer accounts for. */
function unexpected(
  graph: Graph,
  users: readonly User[],
  { consumers }: Pick<Systems, "consumers">,
  { names, fading }: { readonly names: ReadonlyMap<string, string>; readonly fading: Fading },
): MappedReader[] {
  const expected = new Set(consumers.map((consumer) => consumer.id));
  const cadenceOf = (id: string) => graph.nodes.get(id)?.cadenceMs ?? 0;
  // A consumer of the estate that uses it, and is not declared to, is as unexpected as somebody whom nobody knows.
  const strangers = users
    .filter(({ node }) => node.type === "identity" || (node.type === "consumer" && !expected.has(node.id)))
    .map((user) => {
      const cadenceMs = Math.max(cadenceOf(user.edge.from), cadenceOf(user.edge.to));
      const evidence = user.edge.evidence.filter((one) => isCurrent(one, fading, cadenceMs));
      const isPast = evidence.length === 0 && user.edge.evidence.length > 0;
      const edge = isPast ? user.edge : { ...user.edge, evidence };
      return { ...user, edge, isPast, known: isPast ? ("potential" as const) : bestKnown(edge) };
    });
  return surest(strangers).map(({ node, edge, known, isPast }) => {
    const best = strongest(edge.evidence);
    return {
      name: node.name,
      known: isPast ? "past" : known,
      sentence: best === undefined ? "It is on the map." : sentenceOf(best, names.get(best.source)),
    };
  });
}

/** Why, and when it was seen. An instant and no age: the same facts are told in the same words at every look. */
function sentenceOf({ sentence, lastSeen, source }: Evidence, called = source): string {
  return `${sentence} Last seen ${minuteOf(lastSeen)} by ${called}.`;
}

/** Each reader once, by the edge that is known best: who is seen at a copy may also have the right to read all of them. */
function surest<Known extends User & { readonly isPast: boolean }>(users: readonly Known[]): Known[] {
  const best = new Map<string, Known>();
  for (const user of users) {
    const before = best.get(user.node.id);
    const isSurer =
      before === undefined ||
      (before.isPast && !user.isPast) ||
      (before.isPast === user.isPast && weakest([before.edge, user.edge]) === before.known);
    if (isSurer) best.set(user.node.id, user);
  }
  return [...best.values()];
}
