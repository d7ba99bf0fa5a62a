/** Rows of the map's tables as nodes and edges. */
import { sql } from "drizzle-orm";
import type { Evidence, GraphEdge, GraphNode } from "../domain/graph/types.js";

/** A node as a query answers. */
export interface NodeRow extends Record<string, unknown> {
  readonly id: string;
  readonly type: GraphNode["type"];
  readonly name: string;
  readonly class: GraphNode["class"] | null;
  readonly cadence_ms: string | null;
  readonly first_seen: number;
  readonly ended_at: number | null;
}

/** An edge as a query answers, with how it is known. */
export interface EdgeRow extends Record<string, unknown> {
  readonly from_id: string;
  readonly type: GraphEdge["type"];
  readonly to_id: string;
  readonly first_seen: number;
  /** Left out where only those that are there were asked for. */
  readonly ended_at?: number | null;
  readonly evidence: readonly (Omit<Evidence, "firstSeen" | "lastSeen"> & {
    readonly first_seen: number;
    readonly last_seen: number;
  })[];
}

/** Milliseconds since the epoch, as a number that JSON can carry. */
export const ms = (column: string) => sql.raw(`(extract(epoch from ${column}) * 1000)::float8`);

/** The columns of a node. */
export const nodeColumns = sql`id, type, name, class, cadence_ms, ${ms("first_seen")} as first_seen, ${ms("ended_at")} as ended_at`;

/** A node of its row. */
export function nodeOf({
  id,
  type,
  name,
  class: kind,
  cadence_ms,
  first_seen,
  ended_at,
}: NodeRow): GraphNode {
  return {
    ...{ id, type, name, firstSeen: first_seen, endedAt: ended_at },
    ...(kind === null ? {} : { class: kind }),
    ...(cadence_ms === null ? {} : { cadenceMs: Number(cadence_ms) }),
  };
}

/** An edge of its row. */
export function edgeOf({ from_id, type, to_id, first_seen, ended_at = null, evidence }: EdgeRow): GraphEdge {
  return {
    ...{ from: from_id, type, to: to_id, firstSeen: first_seen, endedAt: ended_at },
    evidence: evidence.map(({ first_seen: firstSeen, last_seen: lastSeen, ...one }) => ({
      ...one,
      firstSeen,
      lastSeen,
    })),
  };
}
