/** Maps for the graph tests: made from short lines, or at random. */
import fc from "fast-check";
import type {
  Evidence,
  EvidenceKind,
  Graph,
  GraphEdge,
  GraphNode,
  NodeType,
} from "../../../domain/graph/types.js";
import { edgeTypes } from "../../../domain/graph/types.js";

/** Where its times begin. */
export const t0 = 1_700_000_000_000;

const types: Readonly<Record<string, NodeType>> = {
  c: "credential",
  s: "consumer",
  i: "identity",
  l: "location",
  y: "system",
  o: "owner",
};

/** A node; its id's first letter says what it is. */
export function nodeNamed(id: string, more: Partial<GraphNode> = {}): GraphNode {
  return {
    id,
    type: types[id[0] ?? ""] ?? "credential",
    name: id,
    firstSeen: t0,
    learntAt: t0,
    endedAt: null,
    ...more,
  };
}

/** How an edge is known. */
export function evidenceOf(kind: EvidenceKind, lastSeen = t0): Evidence {
  return { kind, source: "estate", firstSeen: t0, learntAt: t0, lastSeen, count: 1, sentence: "it says so" };
}

/** An edge from `s1 uses c1`, known by a declaration unless said. */
export function edgeOf(text: string, ...evidence: Evidence[]): GraphEdge {
  const [from = "", type = "", to = ""] = text.split(" ");
  const known = evidence.length > 0 ? evidence : [evidenceOf("declared")];
  return {
    from,
    to,
    type: type as GraphEdge["type"],
    firstSeen: t0,
    learntAt: t0,
    endedAt: null,
    evidence: known,
  };
}

/** A map of these edges and of whatever is at their ends. */
export function mapOf(...edges: readonly (string | GraphEdge)[]): Graph {
  const made = edges.map((edge) => (typeof edge === "string" ? edgeOf(edge) : edge));
  const ids = new Set(made.flatMap(({ from, to }) => [from, to]));
  return { nodes: new Map([...ids].map((id) => [id, nodeNamed(id)])), edges: made };
}

/** Small maps with every type of edge, between anything. */
export const anyMap: fc.Arbitrary<Graph> = fc
  .array(
    fc.record({
      from: fc.nat(8),
      to: fc.nat(8),
      type: fc.constantFrom(...edgeTypes),
      ended: fc.boolean(),
    }),
    { maxLength: 30 },
  )
  .map((list) => {
    const edges = list.map(({ from, to, type, ended }) => ({
      ...edgeOf(`c${from} ${type} c${to}`),
      endedAt: ended ? t0 : null,
    }));
    const ids = Array.from({ length: 9 }, (_, index) => `c${index}`);
    return { nodes: new Map(ids.map((id) => [id, nodeNamed(id)])), edges };
  });
