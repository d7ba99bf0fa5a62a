/**
 * What passes along an edge, and which way. Every question about what breaks or what is exposed is a walk along these
 * two tables, in memory and in the database alike.
 */
import type { EdgeType, GraphEdge } from "./types.js";

/**
 * `failure`: who stops working when a node is taken away. `exposure`: what whoever has a node can get at. `trust`: what
 * a node rests on, the other way round of failure.
 */
export type Flow = "failure" | "exposure" | "trust";

/** `forth` from an edge's beginning to its end, `back` against it. */
export type Way = "forth" | "back";

/**
 * A leaked credential exposes what it unlocks, everything stored there, and whatever it can mint, but nobody who uses
 * it; a consumer that is taken over exposes what it uses. Nobody fails because an owner leaves or because a reader that
 * only could read no longer can. Whoever reads a copy fails with the credential, and whoever has a copy has the credential;
 * the credential does not fail because a copy is gone.
 */
const flows: Readonly<Record<Flow, Readonly<Partial<Record<EdgeType, Way>>>>> = {
  failure: {
    uses: "back",
    "depends-on": "back",
    "stored-in": "back",
    "issued-by": "back",
    "copied-to": "forth",
  },
  exposure: {
    ...{ uses: "forth", "can-read": "forth", mints: "forth", "stored-in": "back", "issued-by": "back" },
    ...{ "copied-to": "back", "leaked-to": "back" },
  },
  trust: {
    uses: "forth",
    "depends-on": "forth",
    "stored-in": "forth",
    "issued-by": "forth",
    "copied-to": "back",
  },
};

/** Which way a flow passes over edges of a type; null where it does not. */
export function wayOf(flow: Flow, type: EdgeType): Way | null {
  return flows[flow][type] ?? null;
}

/** The types of edges over which a flow passes that way. */
export function typesAlong(flow: Flow, way: Way): EdgeType[] {
  return (Object.keys(flows[flow]) as EdgeType[]).filter((type) => flows[flow][type] === way);
}

/** Where a flow goes over this edge from a node at one of its ends; null where it does not leave there. */
export function across(flow: Flow, edge: GraphEdge, node: string): string | null {
  const way = wayOf(flow, edge.type);
  if (way === "forth") return edge.from === node ? edge.to : null;
  if (way === "back") return edge.to === node ? edge.from : null;
  return null;
}
