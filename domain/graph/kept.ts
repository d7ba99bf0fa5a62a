/**
 * Where a credential is: its places, what is filled from there, the parts of all that, and in what those stand. Whoever
 * reads any of it has it. A neighbour in the same store does not.
 */
import { type Adjacency, isThere } from "./reach.js";
import type { GraphEdge } from "./types.js";

/** Ids of locations. */
export interface Kept {
  /** Its places, what depends on them (a Secret that is filled from there), and their parts (a key of it). */
  readonly copies: ReadonlySet<string>;
  /** What a copy stands in: the whole Secret, everything of a namespace, the store. */
  readonly containers: ReadonlySet<string>;
}

/** Where a credential is now; nowhere, where the node is none. Does not recurse. */
export function keptOf(adjacency: Adjacency, credential: string): Kept {
  const isCredential = adjacency.graph.nodes.get(credential)?.type === "credential";
  const places = next(
    adjacency,
    credential,
    ({ from, type }) => isCredential && type === "stored-in" && from === credential,
  );
  return keptIn(
    adjacency,
    places.map(({ to }) => to),
  );
}

/** The same of what stands at these places. */
export function keptIn(adjacency: Adjacency, places: readonly string[]): Kept {
  const isLocation = (id: string) => adjacency.graph.nodes.get(id)?.type === "location";
  const copies = closure(places, (id) =>
    next(adjacency, id, ({ to, type }) => to === id && (type === "depends-on" || type === "stored-in"))
      .map(({ from }) => from)
      .filter(isLocation),
  );
  const containers = closure([...copies], (id) =>
    next(adjacency, id, ({ from, type }) => from === id && type === "stored-in").map(({ to }) => to),
  );
  for (const copy of copies) containers.delete(copy);
  return { copies, containers };
}

function next(adjacency: Adjacency, id: string, wanted: (edge: GraphEdge) => boolean): GraphEdge[] {
  return adjacency.at(id).filter((edge) => isThere(edge) && wanted(edge));
}

function closure(starts: readonly string[], onwards: (id: string) => readonly string[]): Set<string> {
  const found = new Set(starts);
  // A set is walked in the order in which it grows.
  for (const id of found) for (const other of onwards(id)) found.add(other);
  return found;
}
