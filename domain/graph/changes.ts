/**
 * What became of a map between two moments: what came, what ended, and what is known since then. Each change has two
 * moments, when it was and when Rekey learnt of it: a log that is read today may tell of a month ago.
 */
import type { Graph, GraphEdge, GraphNode } from "./types.js";

/** Which moment of a change counts. `record`: as the record of a source has it. */
export const reckonings = ["learnt", "record"] as const;
/** One of them. */
export type Reckoning = (typeof reckonings)[number];

/** After the one moment and up to the other, in milliseconds since the epoch, and by which of the moments that a change has. */
export interface Period {
  readonly from: number;
  readonly until: number;
  readonly by: Reckoning;
}

/** Something with when it changed, in milliseconds since the epoch. */
export interface Change<T> {
  readonly thing: T;
  readonly at: Readonly<Record<Reckoning, number>>;
}

/** A map with what of it was there before and came back: each as it was then, with the end that it had. */
export interface GraphOverTime extends Graph {
  readonly past?: { readonly nodes: readonly GraphNode[]; readonly edges: readonly GraphEdge[] };
}

/** The changes after `from`, up to and with `until`. Whatever came and ended in between is in both lists. */
export interface GraphChanges {
  readonly came: {
    readonly nodes: readonly Change<GraphNode>[];
    readonly edges: readonly Change<GraphEdge>[];
  };
  readonly ended: {
    readonly nodes: readonly Change<GraphNode>[];
    readonly edges: readonly Change<GraphEdge>[];
  };
  /** Edges that were there before and are known in a way, or to a source, in which they were not. */
  readonly learnt: readonly Change<GraphEdge>[];
}

/** The changes in that time. */
export function changesBetween(
  { nodes, edges, past = { nodes: [], edges: [] } }: GraphOverTime,
  { from, until, by }: Period,
): GraphChanges {
  const isWithin = (at: Moments | null): at is Moments => at !== null && at[by] > from && at[by] <= until;
  const those = <T extends GraphNode | GraphEdge>(all: readonly T[], when: (one: T) => Moments | null) =>
    all.flatMap((thing): Change<T>[] => {
      const at = when(thing);
      return isWithin(at) ? [{ thing, at }] : [];
    });
  const all = [...nodes.values()];
  // What came back was learnt of each time; the first day of its record is one and the same.
  const again = by === "learnt" ? past : { nodes: [], edges: [] };
  return {
    came: { nodes: those([...all, ...again.nodes], begun), edges: those([...edges, ...again.edges], begun) },
    ended: { nodes: those([...all, ...past.nodes], ended), edges: those([...edges, ...past.edges], ended) },
    learnt: those(
      edges.filter((edge) => begun(edge)[by] <= from),
      ({ evidence }) =>
        evidence
          .map(begun)
          .filter(isWithin)
          .sort((a, b) => a[by] - b[by])[0] ?? null,
    ),
  };
}

type Moments = Change<unknown>["at"];

function begun({ firstSeen, learntAt }: Pick<GraphNode, "firstSeen" | "learntAt">): Moments {
  return { record: firstSeen, learnt: learntAt };
}

/** An end is known when it is written; of what was over when Rekey learnt of it, then. */
function ended({ endedAt, learntAt }: Pick<GraphNode, "endedAt" | "learntAt">): Moments | null {
  return endedAt === null ? null : { record: endedAt, learnt: Math.max(endedAt, learntAt) };
}
