/**
 * Rights to read that are wider than what is used by them: whoever may read everything of a namespace, and is known to use some
 * of it. Only rights to read secrets are on the map; what a credential may do at its issuer is not, and is not spoken of.
 */
import { count } from "../count.js";
import { ownerNames } from "../graph/blast.js";
import { keptOf } from "../graph/kept.js";
import { type Adjacency, isThere } from "../graph/reach.js";
import type { GraphEdge, GraphNode } from "../graph/types.js";
import { type Present, sourcesIn } from "./present.js";

/** One finding for each reader and each place that holds more than the reader is known to use. */
export function rightFindings(adjacency: Adjacency): Present[] {
  const { graph } = adjacency;
  const leaves = new Map<string, ReadonlySet<string>>();
  const leavesOf = (id: string): ReadonlySet<string> => {
    const known = leaves.get(id) ?? leavesBelow(adjacency, id);
    leaves.set(id, known);
    return known;
  };
  return graph.edges.filter(isRight).flatMap((edge): Present[] => {
    const reader = graph.nodes.get(edge.from);
    const place = graph.nodes.get(edge.to);
    if (reader === undefined || place === undefined || !["identity", "consumer"].includes(reader.type))
      return [];
    const all = leavesOf(place.id);
    // A right to one secret by its name is as narrow as can be.
    if (all.has(place.id)) return [];
    const used = usedBy(adjacency, reader).flatMap((at) => [...leavesOf(at)]);
    const within = new Set(used.filter((leaf) => all.has(leaf))).size;
    if (within === all.size) return [];
    const sources = sourcesIn(edge.evidence);
    const owners = ownerNames(adjacency, reader.id);
    return [
      {
        ...{ code: "wider-than-used", severity: "warn", credential: null, owners, places: [] },
        ...{ sources, shownBy: sources },
        subject: { id: reader.id, type: reader.type, name: reader.name },
        about: { id: place.id, type: place.type, name: place.name },
        sentence: `${reader.name} may read all of ${place.name}, where ${count(all.size, "is", "are")} known, and is known to use ${within === 0 ? "none" : within}.`,
      },
    ];
  });
}

function isRight(edge: GraphEdge): boolean {
  return edge.type === "can-read" && isThere(edge);
}

/** Places of which a reader is known to use something, those of the credentials that it uses among them. */
function usedBy(adjacency: Adjacency, { id }: GraphNode): string[] {
  return adjacency
    .at(id)
    .filter((edge) => edge.type === "uses" && edge.from === id && isThere(edge))
    .flatMap(({ to }) => {
      const isCredential = adjacency.graph.nodes.get(to)?.type === "credential";
      return isCredential ? [...keptOf(adjacency, to).copies] : [to];
    });
}

/** What stands in a place and holds nothing itself; the place alone where nothing stands in it. Does not recurse. */
function leavesBelow(adjacency: Adjacency, start: string): Set<string> {
  const found = new Set([start]);
  const leaves = new Set<string>();
  // A set is walked in the order in which it grows.
  for (const id of found) {
    const inside = adjacency
      .at(id)
      .filter((edge) => edge.type === "stored-in" && edge.to === id && isThere(edge))
      .map(({ from }) => from)
      .filter((from) => adjacency.graph.nodes.get(from)?.type === "location");
    if (inside.length === 0) leaves.add(id);
    for (const one of inside) found.add(one);
  }
  return leaves;
}
