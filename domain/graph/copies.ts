/**
 * Copies of credentials on the map: places where a source met a value that is known for a credential's, by its keyed hash.
 * Whoever reads one fails when the value is revoked, whatever is delivered, and is a user of the credential like any other.
 */

import type { Adjacency } from "./reach.js";
import { isThere } from "./reach.js";
import { copyTypes, type Evidence, type GraphEdge, type GraphNode } from "./types.js";

/** A credential's value at a place, as one source has met it. Times are milliseconds since the epoch. */
export interface Meeting {
  /** Ids of the credential and of the place. */
  readonly credential: string;
  readonly place: string;
  readonly source: string;
  readonly literal: boolean;
  readonly past: boolean;
  readonly sentence: string;
  /** So often. */
  readonly count: number;
  readonly firstSeen: number;
  readonly lastSeen: number;
  /** Somebody is known to use what is at that place. Nobody looks, and it is false, where the value is there now. */
  readonly isRead: boolean;
}

/** The edges that follow from them, one for each credential and place. */
export function copyEdges(meetings: readonly Meeting[]): GraphEdge[] {
  const pairs = Map.groupBy(meetings, ({ credential, place }) => `${credential} ${place}`);
  return [...pairs.values()].map((met): GraphEdge => {
    const [{ credential: from, place: to, isRead }] = met as [Meeting];
    const past = met.every((one) => one.past);
    const firstSeen = Math.min(...met.map((one) => one.firstSeen));
    return {
      ...{ from, to, type: past && !isRead ? "leaked-to" : "copied-to" },
      ...{ firstSeen, learntAt: firstSeen, endedAt: null, evidence: met.map(evidenceOf) },
      copy: { literal: met.some((one) => one.literal), past },
    };
  });
}

function evidenceOf({ source, sentence, count, firstSeen, lastSeen }: Meeting): Evidence {
  return { kind: "met", source, sentence, count, firstSeen, learntAt: firstSeen, lastSeen };
}

/** Whether an edge leads to a copy. */
export function isCopy({ type }: Pick<GraphEdge, "type">): boolean {
  return copyTypes.some((one) => one === type);
}

/** A place and its parts: of a file its settings. What stands there is what somebody means who names the file. */
function withParts(adjacency: Adjacency, place: string): string[] {
  const parts = adjacency
    .at(place)
    .filter((edge) => edge.type === "stored-in" && edge.to === place && isThere(edge))
    .filter(({ from }) => adjacency.graph.nodes.get(from)?.type === "location");
  return [place, ...parts.map(({ from }) => from)];
}

/** Credentials whose value stands at a place, each once, by name. */
export function credentialsAt(adjacency: Adjacency, place: string): GraphNode[] {
  const ids = withParts(adjacency, place).flatMap((id) =>
    adjacency
      .at(id)
      .filter((edge) => isCopy(edge) && edge.to === id)
      .map(({ from }) => from),
  );
  return [...new Set(ids)]
    .flatMap((id) => adjacency.graph.nodes.get(id) ?? [])
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The edges that lead to copies of these credentials. */
export function copiesOf(adjacency: Adjacency, credentials: readonly string[]): GraphEdge[] {
  return credentials.flatMap((id) => adjacency.at(id).filter((edge) => isCopy(edge) && edge.from === id));
}
