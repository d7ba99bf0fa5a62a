/** Walks a map along a flow: what is reached from where, at which distance, and over which edges. */
import { across, type Flow } from "./flows.js";
import type { Graph, GraphEdge, GraphNode } from "./types.js";

/** A node that was reached. `via` and `before` are null for where the walk began. */
export interface Reached {
  readonly node: GraphNode;
  /** Edges from the nearest beginning. */
  readonly distance: number;
  readonly via: GraphEdge | null;
  /** Id of the node before it on a shortest way. */
  readonly before: string | null;
}

/** The edges at each node, so that a walk looks at each edge twice and not at all of them again and again. */
export class Adjacency {
  readonly graph: Graph;
  readonly #at = new Map<string, GraphEdge[]>();

  constructor(graph: Graph) {
    this.graph = graph;
    for (const edge of graph.edges) {
      this.#add(edge.from, edge);
      if (edge.to !== edge.from) this.#add(edge.to, edge);
    }
  }

  #add(node: string, edge: GraphEdge): void {
    const known = this.#at.get(node);
    if (known === undefined) this.#at.set(node, [edge]);
    else known.push(edge);
  }

  /** Every edge that begins or ends at a node. */
  at(node: string): readonly GraphEdge[] {
    return this.#at.get(node) ?? [];
  }
}

/** What `edge` may be walked over; by default whatever is there now. */
export type Passable = (edge: GraphEdge) => boolean;

/** True for an edge that has not ended. */
export const isThere: Passable = ({ endedAt }) => endedAt === null;

/**
 * Everything that a flow reaches from these nodes, nearest first, themselves included. Does not recurse. What is named
 * and not in the map is left out.
 */
export function reach(
  adjacency: Adjacency,
  starts: Iterable<string>,
  flow: Flow,
  passable: Passable = isThere,
): Map<string, Reached> {
  const { nodes } = adjacency.graph;
  const reached = new Map<string, Reached>();
  let front: string[] = [];
  for (const id of starts) {
    const node = nodes.get(id);
    if (node === undefined || reached.has(id)) continue;
    reached.set(id, { node, distance: 0, via: null, before: null });
    front.push(id);
  }
  for (let distance = 1; front.length > 0; distance++) {
    const next: string[] = [];
    for (const before of front) {
      for (const via of adjacency.at(before)) {
        const id = passable(via) ? across(flow, via, before) : null;
        const node = id === null || reached.has(id) ? undefined : nodes.get(id);
        if (node === undefined) continue;
        reached.set(node.id, { node, distance, via, before });
        next.push(node.id);
      }
    }
    front = next;
  }
  return reached;
}

/** The edges of a shortest way to a node that was reached, in the order in which they were walked. Empty for a beginning. */
export function wayTo(reached: ReadonlyMap<string, Reached>, id: string): GraphEdge[] {
  const way: GraphEdge[] = [];
  for (let at = reached.get(id); at?.via; at = reached.get(at.before ?? "")) way.unshift(at.via);
  return way;
}
