/**
 * Who is on a credential, which credentials are shared or nobody's, and which are dormant. "Nothing seen" counts only
 * for as long as somebody looked, and that time is part of each answer.
 */
import { formatDuration } from "../duration.js";
import { ownersOf } from "./blast.js";
import { lateness } from "./current.js";
import { keptOf } from "./kept.js";
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
}

/** Whoever uses a credential or a copy of it, consumers and whom nobody has explained yet, and who could read one; by name. */
export function usersOf(adjacency: Adjacency, credential: string): User[] {
  const { copies, containers } = keptOf(adjacency, credential);
  return [credential, ...copies, ...containers]
    .flatMap((place) =>
      adjacency
        .at(place)
        .filter(
          (edge) => edge.to === place && isThere(edge) && (edge.type === "uses" || edge.type === "can-read"),
        )
        .flatMap((edge) => {
          const node = adjacency.graph.nodes.get(edge.from);
          const at = place === credential ? null : (adjacency.graph.nodes.get(place) ?? null);
          return node === undefined ? [] : [{ node, edge, known: bestKnown(edge), at }];
        }),
    )
    .sort((a, b) => (a.node.name < b.node.name ? -1 : 1));
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

/** Credentials and consumers for which nobody answers. */
export function orphaned(adjacency: Adjacency): GraphNode[] {
  return (["credential", "consumer"] as const)
    .flatMap((type) => standing(adjacency, type))
    .filter(({ id }) => ownersOf(adjacency, id).length === 0);
}

function standing(adjacency: Adjacency, type: GraphNode["type"]): GraphNode[] {
  return [...adjacency.graph.nodes.values()].filter((node) => node.type === type && node.endedAt === null);
}

/** Since when somebody looked at the uses of a credential without a gap, in milliseconds since the epoch; null: nobody does. */
export type WatchedSince = (credential: string) => number | null;

/** Whether a credential is in use, and what the answer rests on. */
export interface Dormancy {
  readonly credential: GraphNode;
  readonly is: "dormant" | "live" | "too-soon" | "unwatched";
  readonly lastUsed: number | null;
  /** The time without a use after which it counts as dormant. */
  readonly windowMs: number;
  readonly sentence: string;
}

/** Whether a credential is dormant: nobody was seen on it for longer than the slowest of its users may be silent (C21). */
export function dormancyOf(
  adjacency: Adjacency,
  credential: GraphNode,
  watchedSince: WatchedSince,
  leastWindowMs: number,
  now: number,
): Dormancy {
  const users = usersOf(adjacency, credential.id).filter(isUse);
  const gaps = users.map(({ node }) => Math.ceil((node.cadenceMs ?? 0) * lateness));
  const windowMs = Math.max(leastWindowMs, Math.ceil((credential.cadenceMs ?? 0) * lateness), ...gaps);
  const uses = users.flatMap(({ edge }) => lastSeenUse(edge) ?? []);
  const lastUsed = uses.length === 0 ? null : Math.max(...uses);
  const said = { credential, lastUsed, windowMs };
  if (lastUsed !== null && now - lastUsed <= windowMs)
    return { ...said, is: "live", sentence: `Used ${formatDuration(now - lastUsed)} ago.` };
  const since = watchedSince(credential.id);
  if (since === null)
    return { ...said, is: "unwatched", sentence: "No source would see its use, so nobody can say." };
  const watched = formatDuration(now - since);
  if (now - since < windowMs) {
    const sentence = `Nobody was seen in the ${watched} in which somebody looked, and it may be silent for ${formatDuration(windowMs)}.`;
    return { ...said, is: "too-soon", sentence };
  }
  const last = lastUsed === null ? `in ${watched}` : `for ${formatDuration(now - lastUsed)}`;
  const sentence = `Nobody was seen ${last}; it may be silent for ${formatDuration(windowMs)}.`;
  return { ...said, is: "dormant", sentence };
}
