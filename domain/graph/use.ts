/**
 * Who is on a credential, which credentials are shared or nobody's, and which are dormant. "Nothing seen" counts only
 * for as long as somebody looked, and that time is part of each answer.
 */
import { count } from "../count.js";
import { span } from "../duration.js";
import { minuteOf } from "../watched.js";
import { type AnonymousUse, anonymousText, byTime } from "./anonymous.js";
import { ownersOf } from "./blast.js";
import { copiesOf } from "./copies.js";
import { lateness } from "./current.js";
import { estateSource } from "./declared.js";
import { keptIn, keptOf } from "./kept.js";
import { bestKnown, lastSeenUse } from "./known.js";
import { type Adjacency, isThere } from "./reach.js";
import type { EvidenceKind, GraphEdge, GraphNode } from "./types.js";

/** Somebody who uses a credential, or could. */
export interface User {
  readonly node: GraphNode;
  readonly edge: GraphEdge;
  readonly known: EvidenceKind;
  /** Where they could read it; null for whoever uses the credential itself. */
  readonly at: GraphNode | null;
  /** How it is known that the value stands there, where the credential is not kept there. */
  readonly copy: GraphEdge | null;
}

/**
 * Whoever uses a credential or a copy of it, consumers and whom nobody has explained yet, and who could read one; by name. Of
 * copies that sources met only where the map has them.
 */
export function usersOf(adjacency: Adjacency, credential: string): User[] {
  const { copies, containers } = keptOf(adjacency, credential);
  const known = new Set([credential, ...copies, ...containers]);
  const users = [...known].flatMap((place) => usersAt(adjacency, place, { own: credential, copy: null }));
  for (const copy of copiesOf(adjacency, [credential])) {
    const met = keptIn(adjacency, [copy.to]);
    for (const place of [...met.copies, ...met.containers]) {
      if (known.has(place)) continue;
      known.add(place);
      users.push(...usersAt(adjacency, place, { own: credential, copy }));
    }
  }
  return users.sort(byName);
}

/** Whoever reads what stands at a place or at a part of it, and who could read it there; by name. */
export function readersOf(adjacency: Adjacency, place: string): User[] {
  const { copies, containers } = keptIn(adjacency, [place]);
  return [...copies, ...containers]
    .flatMap((one) => usersAt(adjacency, one, { own: place, copy: null }))
    .sort(byName);
}

function usersAt(
  adjacency: Adjacency,
  place: string,
  { own, copy }: { readonly own: string; readonly copy: GraphEdge | null },
): User[] {
  return adjacency
    .at(place)
    .filter(
      (edge) => edge.to === place && isThere(edge) && (edge.type === "uses" || edge.type === "can-read"),
    )
    .flatMap((edge) => {
      const node = adjacency.graph.nodes.get(edge.from);
      const at = place === own ? null : (adjacency.graph.nodes.get(place) ?? null);
      return node === undefined ? [] : [{ node, edge, known: bestKnown(edge), at, copy }];
    });
}

function byName(a: User, b: User): number {
  return a.node.name < b.node.name ? -1 : 1;
}

/** The estate names it as a consumer of this very credential. Asks for ids of sources and not their names: one may be called `estate`. */
export function isDeclared({ node, edge, at }: User): boolean {
  const isByEstate = edge.evidence.some(({ source }) => source === estateSource);
  return at === null && node.type === "consumer" && edge.type === "uses" && isByEstate;
}

/** Credentials that more than one uses. */
export function shared(adjacency: Adjacency): { credential: GraphNode; users: readonly User[] }[] {
  return standing(adjacency, "credential")
    .map((credential) => ({ credential, users: usersOf(adjacency, credential.id).filter(isUse) }))
    .filter(({ users }) => users.length > 1);
}

function isUse({ edge }: User): boolean {
  return edge.type === "uses";
}

/** Credentials and consumers for which nobody answers, and identities that use something: whoever only could is left out. */
export function orphaned(adjacency: Adjacency): GraphNode[] {
  const uses = (id: string) =>
    adjacency.at(id).some((edge) => edge.type === "uses" && edge.from === id && isThere(edge));
  return (["credential", "consumer", "identity"] as const)
    .flatMap((type) => standing(adjacency, type))
    .filter(({ id, type }) => ownersOf(adjacency, id).length === 0 && (type !== "identity" || uses(id)));
}

function standing(adjacency: Adjacency, type: GraphNode["type"]): GraphNode[] {
  return [...adjacency.graph.nodes.values()].filter((node) => node.type === type && node.endedAt === null);
}

/** What "nobody was seen" rests on. Times are milliseconds since the epoch. */
export interface Watch {
  /** Since when somebody looked at the uses of the credential without a gap; null: nobody does. */
  readonly since: number | null;
  /**
   * The looks at who was connected, where nobody was watching otherwise: how many, how far apart (`apartMs`), and since when they
   * were close to each other, null where they are not; null where somebody sees what comes in between.
   */
  readonly looks: {
    readonly count: number;
    readonly apartMs: number;
    readonly closeSince: number | null;
  } | null;
  /** When it was seen in use last, by what is on the map no more. */
  readonly lastUsed: number | null;
  /** Uses by whom nobody says, each with the name of its source. */
  readonly anonymous: readonly (AnonymousUse & { readonly called: string })[];
  /** The shortest time without a use that counts. */
  readonly leastWindowMs: number;
  /** The longest normal gaps between two uses that its users are said to have for this credential. */
  readonly cadencesMs: readonly number[];
}

/** Whether a credential is in use, and what the answer rests on. */
export interface Dormancy {
  readonly credential: GraphNode;
  readonly is: "dormant" | "live" | "too-soon" | "unwatched";
  readonly lastUsed: number | null;
  readonly watchedSince: number | null;
  /** The time without a use after which it counts as dormant. */
  readonly windowMs: number;
  /** The same at every look as long as nothing has changed. */
  readonly sentence: string;
}

/** Whether a credential is dormant: nobody was seen on it for longer than the slowest of its users may be silent (C21). */
export function dormancyOf(
  adjacency: Adjacency,
  credential: GraphNode,
  { since: watchedSince, looks, lastUsed: seenBefore, anonymous, leastWindowMs, cadencesMs }: Watch,
  now: number,
): Dormancy {
  const users = usersOf(adjacency, credential.id).filter(isUse);
  const cadences = [credential.cadenceMs, ...cadencesMs, ...users.map(({ node }) => node.cadenceMs)];
  const windowMs = Math.max(leastWindowMs, ...cadences.map((ms) => Math.ceil((ms ?? 0) * lateness)));
  const unsaid = anonymous.toSorted(byTime).at(-1);
  const uses = [seenBefore, unsaid?.last ?? null, ...users.map(({ edge }) => lastSeenUse(edge))].filter(
    (at) => at !== null,
  );
  const lastUsed = uses.length === 0 ? null : Math.max(...uses);
  const said = { credential, lastUsed, watchedSince, windowMs };
  if (lastUsed !== null && now - lastUsed <= windowMs)
    return { ...said, is: "live", sentence: lastUseText(lastUsed, unsaid) };
  if (watchedSince === null)
    return { ...said, is: "unwatched", sentence: "No source would see its use, so nobody can say." };
  const began = `Nobody was seen since ${minuteOf(watchedSince)}, when somebody began to look`;
  const silence = `it may be silent for ${span(windowMs)}`;
  if (now - watchedSince < windowMs)
    return { ...said, is: "too-soon", sentence: `${began}, and ${silence}.` };
  if (looks !== null && (looks.closeSince === null || now - looks.closeSince < windowMs)) {
    const sentence = `It was not connected at ${count(looks.count, "look")} since ${minuteOf(watchedSince)}, up to ${span(looks.apartMs)} apart: whoever came in between was not seen, so nobody can say.`;
    return { ...said, is: "unwatched", sentence };
  }
  const last =
    lastUsed !== null && lastUsed >= watchedSince ? `Nobody was seen since ${minuteOf(lastUsed)}` : began;
  const at = looks === null ? "" : `, by looks up to ${span(looks.apartMs)} apart`;
  return { ...said, is: "dormant", sentence: `${last}${at}; ${silence}.` };
}

function lastUseText(lastUsed: number, unsaid: Watch["anonymous"][number] | undefined): string {
  const isUnsaid = unsaid?.last === lastUsed;
  return isUnsaid ? anonymousText(unsaid, unsaid.called) : `Last used on ${minuteOf(lastUsed)}.`;
}
