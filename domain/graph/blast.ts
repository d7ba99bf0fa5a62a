/**
 * The blast radius: what stops working when something is taken away, what is exposed when it is in the wrong hands,
 * whose that is, and how each of it is known.
 */
import { credentialsAt } from "./copies.js";
import type { Flow } from "./flows.js";
import { keptOf } from "./kept.js";
import { weakest } from "./known.js";
import { Adjacency, isThere, reach, wayTo } from "./reach.js";
import type { EvidenceKind, Graph, GraphEdge, GraphNode, NodeType } from "./types.js";

/** Something that is affected, and why. */
export interface Affected {
  readonly node: GraphNode;
  readonly distance: number;
  /** A shortest way from where it begins. */
  readonly way: readonly GraphEdge[];
  /** How sure the weakest link of that way is. */
  readonly known: EvidenceKind;
  /** Ids of who answers for it; empty is a finding. */
  readonly owners: readonly string[];
}

/** The answer, nearest first and then by name. What it begins at is in neither list. */
export interface Blast {
  readonly starts: readonly GraphNode[];
  readonly breaks: readonly Affected[];
  readonly exposed: readonly Affected[];
  /** Ids of the owners of everything in both lists, each once. */
  readonly owners: readonly string[];
  /** What has the value that stands at a place, where it begins at one. What breaks with that, breaks with the place. */
  readonly same: SameValue;
}

/** Where else a value is that stands at a place. */
export interface SameValue {
  readonly credentials: readonly GraphNode[];
  readonly places: readonly GraphNode[];
}

/** How many there are: in all, by what they are, and by the ids of who answers for them. */
export interface Tally {
  readonly things: number;
  readonly byType: Readonly<Partial<Record<NodeType, number>>>;
  readonly byOwner: Readonly<Record<string, number>>;
  /** False: there are more, and nobody has counted them. */
  readonly isWhole: boolean;
}

/** Counts them. What several answer for counts for each. */
export function tallyOf(list: readonly Pick<Affected, "node" | "owners">[]): Tally {
  const byType: Partial<Record<NodeType, number>> = {};
  const byOwner: Record<string, number> = {};
  for (const { node, owners } of list) {
    byType[node.type] = (byType[node.type] ?? 0) + 1;
    for (const owner of owners) byOwner[owner] = (byOwner[owner] ?? 0) + 1;
  }
  return { things: list.length, byType, byOwner, isWhole: true };
}

/** The order in which they are told: nearest first, then by name. */
export function byNearness(
  a: Pick<Affected, "node" | "distance">,
  b: Pick<Affected, "node" | "distance">,
): number {
  return a.distance - b.distance || (a.node.name < b.node.name ? -1 : 1);
}

/**
 * The blast radius of a node; of an owner it is that of everything that they answer for. `alike`: ids of other places at which
 * a value was met that also stands at the node.
 */
export function blastOf(graph: Graph, id: string, alike: readonly string[] = []): Blast {
  const adjacency = new Adjacency(graph);
  const start = graph.nodes.get(id);
  const starts = start === undefined ? [] : start.type === "owner" ? ownedBy(adjacency, id) : [start];
  const credentials = start?.type === "location" ? credentialsAt(adjacency, id) : [];
  const ids = starts.map((one) => one.id);
  const revoked = [...ids, ...credentials.map((one) => one.id)];
  // Whoever reads a copy of a credential fails with it; a neighbour in the same store does not.
  const copies = revoked.flatMap((one) => [...keptOf(adjacency, one).copies]);
  const breaks = affected(adjacency, [...revoked, ...copies, ...alike], "failure");
  const exposed = affected(adjacency, ids, "exposure");
  const owners = [...breaks, ...exposed].flatMap((one) => one.owners);
  const places = alike.flatMap((one) => graph.nodes.get(one) ?? []);
  return { starts, breaks, exposed, owners: [...new Set(owners)].sort(), same: { credentials, places } };
}

function affected(adjacency: Adjacency, starts: readonly string[], flow: Flow): Affected[] {
  const reached = reach(adjacency, starts, flow);
  return [...reached.values()]
    .filter(({ distance }) => distance > 0)
    .map(({ node, distance }) => {
      const way = wayTo(reached, node.id);
      return { node, distance, way, known: weakest(way), owners: ownersOf(adjacency, node.id) };
    })
    .sort(byNearness);
}

/** Ids of who answers for a node now. */
export function ownersOf(adjacency: Adjacency, id: string): string[] {
  return adjacency
    .at(id)
    .filter((edge) => edge.type === "owned-by" && edge.from === id && isThere(edge))
    .map(({ to }) => to)
    .sort();
}

/** Names of who answers for a node now, in the order of their ids. */
export function ownerNames(adjacency: Adjacency, id: string): string[] {
  return ownersOf(adjacency, id).map((owner) => adjacency.graph.nodes.get(owner)?.name ?? owner);
}

function ownedBy(adjacency: Adjacency, owner: string): GraphNode[] {
  return adjacency
    .at(owner)
    .filter((edge) => edge.type === "owned-by" && edge.to === owner && isThere(edge))
    .flatMap(({ from }) => adjacency.graph.nodes.get(from) ?? []);
}
