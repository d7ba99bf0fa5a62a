/**
 * In which order a set of credentials is rotated: whoever has a leaked one must not be able to take the new value of
 * another, so what unlocks or mints others comes before them (H26). What unlocks each other has no order, and is named.
 */
import { across } from "./flows.js";
import { Adjacency, isThere, reach } from "./reach.js";
import type { Graph } from "./types.js";

/** The order. All of a stratum can go at the same time; each stratum waits for the one before it. */
export interface Order {
  /** Ids, each stratum sorted. */
  readonly strata: readonly (readonly string[])[];
  /** Ids of those that lead to one another, each ring sorted; they share a stratum. */
  readonly rings: readonly (readonly string[])[];
}

/** The order of these credentials; whatever is not on the map is in no stratum. Does not recurse. */
export function orderOf(graph: Graph, ids: readonly string[]): Order {
  const adjacency = new Adjacency(graph);
  const wanted = new Set(ids.filter((id) => graph.nodes.has(id)));
  const nodes = [...reach(adjacency, wanted, "exposure").keys()];
  const next = (id: string): string[] =>
    adjacency.at(id).flatMap((edge) => {
      const to = isThere(edge) ? across("exposure", edge, id) : null;
      return to === null ? [] : [to];
    });
  const groups = together(nodes, next);
  const groupOf = new Map(groups.flatMap((group) => group.map((id) => [id, group] as const)));
  const depths = new Map(groups.map((group) => [group, 0]));
  // A group is found after everything that it leads to: from the end on, each one's depth is known when it is asked for.
  for (const group of groups.toReversed()) {
    const depth = depths.get(group) ?? 0;
    const below = depth + (group.some((id) => wanted.has(id)) ? 1 : 0);
    for (const to of group.flatMap(next)) {
      const other = groupOf.get(to);
      if (other === undefined || other === group) continue;
      depths.set(other, Math.max(depths.get(other) ?? 0, below));
    }
  }
  const strata: string[][] = [];
  for (const [group, depth] of depths) {
    const own = group.filter((id) => wanted.has(id));
    if (own.length > 0) strata[depth] = [...(strata[depth] ?? []), ...own];
  }
  const rings = groups
    .map((group) => group.filter((id) => wanted.has(id)).sort())
    .filter((ring) => ring.length > 1);
  return {
    strata: strata.filter((stratum) => stratum !== undefined).map((stratum) => stratum.sort()),
    rings: rings.sort((a, b) => ((a[0] ?? "") < (b[0] ?? "") ? -1 : 1)),
  };
}

/** Strongly connected components, each after all that it leads to (Tarjan 1972), without recursion. */
function together(nodes: readonly string[], next: (id: string) => readonly string[]): string[][] {
  const groups: string[][] = [];
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const onStack = new Set<string>();
  for (const root of nodes) {
    if (index.has(root)) continue;
    const trail: { readonly id: string; readonly to: readonly string[]; at: number }[] = [];
    const enter = (id: string): void => {
      index.set(id, index.size);
      low.set(id, index.get(id) ?? 0);
      stack.push(id);
      onStack.add(id);
      trail.push({ id, to: next(id), at: 0 });
    };
    enter(root);
    for (let here = trail.at(-1); here !== undefined; here = trail.at(-1)) {
      const to = here.to[here.at++];
      if (to !== undefined) {
        if (!index.has(to)) enter(to);
        else if (onStack.has(to)) low.set(here.id, Math.min(low.get(here.id) ?? 0, index.get(to) ?? 0));
        continue;
      }
      trail.pop();
      const before = trail.at(-1);
      if (before) low.set(before.id, Math.min(low.get(before.id) ?? 0, low.get(here.id) ?? 0));
      if (low.get(here.id) !== index.get(here.id)) continue;
      const group = stack.splice(stack.lastIndexOf(here.id));
      for (const id of group) onStack.delete(id);
      groups.push(group);
    }
  }
  return groups;
}
