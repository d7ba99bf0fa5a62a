/**
 * A map as it is drawn: with fewer nodes and edges than there are, and nothing left out that somebody looks for. Whose a thing
 * is, and where a credential is kept that nobody shares a place with, stand in its label, because two hundred arrows to eight
 * teams and to a store are all that one would see.
 */
import type { Graph, GraphEdge, GraphNode } from "../../../domain/graph/types.js";

/** A node with the lines of its label. */
export interface Drawn {
  readonly node: GraphNode;
  readonly lines: readonly string[];
}

/** What is drawn. */
export interface Picture {
  readonly nodes: readonly Drawn[];
  readonly edges: readonly GraphEdge[];
}

/** Makes it. An owner is drawn where nothing of theirs is. */
export function pictureOf(graph: Graph): Picture {
  const edges = graph.edges.filter(({ from, to }) => graph.nodes.has(from) && graph.nodes.has(to));
  const named = (id: string) => graph.nodes.get(id)?.name ?? id;
  const owners = Map.groupBy(
    edges.filter(({ type }) => type === "owned-by"),
    ({ from }) => from,
  );
  const told = new Set([...owners.values()].flat().map(({ to }) => to));
  const rest = edges.filter(({ type }) => type !== "owned-by");
  const folded = ownPlaces(graph, rest);
  const nodes = [...graph.nodes.values()]
    .filter(({ id, type }) => !(type === "owner" && told.has(id)) && !folded.has(id))
    .map((node) => {
      const places = rest
        .filter(({ from, to }) => from === node.id && folded.has(to))
        .map(({ to }) => named(to));
      const whose = (owners.get(node.id) ?? []).map(({ to }) => named(to)).sort();
      return {
        node,
        lines: [node.name, ...places.sort(), ...(whose.length === 0 ? [] : [whose.join(", ")])],
      };
    });
  const drawn = rest.flatMap((edge) => {
    if (folded.has(edge.from)) return [];
    const store = folded.get(edge.to);
    return [store === undefined ? edge : { ...edge, to: store }];
  });
  return { nodes, edges: drawn };
}

/** Places that one credential has for itself, each with the store that it is in; nobody else has anything to do with them. */
function ownPlaces({ nodes }: Graph, edges: readonly GraphEdge[]): Map<string, string> {
  const at = new Map<string, GraphEdge[]>();
  for (const edge of edges)
    for (const end of [edge.from, edge.to]) at.set(end, [...(at.get(end) ?? []), edge]);
  const folded = new Map<string, string>();
  for (const [id, touching] of at) {
    const kept = touching.filter(({ to, type }) => to === id && type === "stored-in");
    const stored = touching.filter(({ from, type }) => from === id && type === "stored-in");
    const isPlain =
      nodes.get(id)?.type === "location" && touching.length === 2 && kept.length === 1 && stored.length === 1;
    const [store] = stored;
    if (isPlain && store !== undefined && nodes.get(kept[0]?.from ?? "")?.type === "credential")
      folded.set(id, store.to);
  }
  return folded;
}
