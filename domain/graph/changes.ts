/** What became of a map between two moments: what came, what ended, and what is known since then. */
import type { Graph, GraphEdge, GraphNode } from "./types.js";

/** The changes after `from`, up to and with `until`. Whatever came and ended in between is in both lists. */
export interface GraphChanges {
  readonly came: { readonly nodes: readonly GraphNode[]; readonly edges: readonly GraphEdge[] };
  readonly ended: { readonly nodes: readonly GraphNode[]; readonly edges: readonly GraphEdge[] };
  /** Edges that were there before and are known in a way, or to a source, in which they were not. */
  readonly learnt: readonly GraphEdge[];
}

/** The changes between two moments, in milliseconds since the epoch. */
export function changesBetween({ nodes, edges }: Graph, from: number, until: number): GraphChanges {
  const within = (at: number | null): boolean => at !== null && at > from && at <= until;
  const all = [...nodes.values()];
  return {
    came: {
      nodes: all.filter(({ firstSeen }) => within(firstSeen)),
      edges: edges.filter(({ firstSeen }) => within(firstSeen)),
    },
    ended: {
      nodes: all.filter(({ endedAt }) => within(endedAt)),
      edges: edges.filter(({ endedAt }) => within(endedAt)),
    },
    learnt: edges.filter(
      ({ firstSeen, evidence }) => firstSeen <= from && evidence.some((one) => within(one.firstSeen)),
    ),
  };
}
