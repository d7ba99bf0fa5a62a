/** Rows of the map's tables as nodes and edges. */

import type { Evidence, GraphEdge, GraphNode } from "../domain/graph/types.js";
import type { Tx } from "./database.js";
import { learntOf } from "./learnt.js";
import { type SQL, sql } from "./orm.js";

/** A node as a query answers. */
export interface NodeRow extends Record<string, unknown> {
  readonly id: string;
  readonly type: GraphNode["type"];
  readonly name: string;
  readonly class: GraphNode["class"] | null;
  readonly cadence_ms: string | null;
  readonly first_seen: number;
  readonly learnt_at: number;
  readonly ended_at: number | null;
}

/**
 * A moment of the map, which has whole milliseconds, as milliseconds since the epoch. In floating point from the beginning: over
 * ten thousand rows exact numbers take longer than looking them up.
 */
const wholeMs = (moment: string) => sql.raw(`round(date_part('epoch', ${moment}) * 1000)`);

/** The columns of a node. */
export const nodeColumns = sql`id, type, name, class, cadence_ms,
  ${wholeMs("first_seen")} as first_seen, ${wholeMs(learntOf(""))} as learnt_at, ${wholeMs("ended_at")} as ended_at`;

/** A node of its row. */
export function nodeOf({
  id,
  type,
  name,
  class: kind,
  cadence_ms,
  first_seen,
  learnt_at,
  ended_at,
}: NodeRow): GraphNode {
  return {
    ...{ id, type, name, firstSeen: first_seen, learntAt: learnt_at, endedAt: ended_at },
    ...(kind === null ? {} : { class: kind }),
    ...(cadence_ms === null ? {} : { cadenceMs: Number(cadence_ms) }),
  };
}

/** An edge with a piece of its evidence; of one without any, that part is null. */
interface KnownRow extends Record<string, unknown> {
  readonly from_id: string;
  readonly type: GraphEdge["type"];
  readonly to_id: string;
  readonly since: number;
  readonly edge_learnt_at: number;
  readonly ended_at: number | null;
  readonly kind: Evidence["kind"] | null;
  readonly source: string;
  readonly count: number;
  readonly sentence: string;
  readonly first_seen: number;
  readonly learnt_at: number;
  readonly last_seen: number;
}

/**
 * How the evidence of edges is found: by itself for each of edges that are few among all that there are, or however the database
 * likes, which reads all evidence sooner than it should.
 */
export type Finding = "each" | "any";

/**
 * Edges with how they are known. `edges` is a query of rows of the table of edges, `counts` which evidence `v` of an edge `e` is
 * read. It comes as rows: putting it together for each edge would cost the database more than everything else.
 */
export async function edgesKnown(
  tx: Tx,
  edges: SQL,
  counts: SQL,
  evidence: Finding = "any",
): Promise<GraphEdge[]> {
  const { rows } = await tx.execute<KnownRow>(sql`
    select e.from_id, e.type, e.to_id, ${wholeMs("e.first_seen")} as since,
      ${wholeMs(learntOf("e."))} as edge_learnt_at, ${wholeMs("e.ended_at")} as ended_at,
      v.kind, v.source, v.count::float8 as count, v.sentence,
      ${wholeMs("v.first_seen")} as first_seen, ${wholeMs(learntOf("v."))} as learnt_at, ${wholeMs("v.last_seen")} as last_seen
    from (${edges}) e left join lateral (
      select v.* from rekey_inventory.graph_evidence v
      where v.from_id = e.from_id and v.type = e.type and v.to_id = e.to_id and ${counts}
      ${evidence === "each" ? sql`offset 0` : sql``}) v on true`);
  const found = new Map<string, GraphEdge & { readonly evidence: Evidence[] }>();
  for (const row of rows) {
    const { from_id: from, type, to_id: to, since: firstSeen, ended_at: endedAt } = row;
    const key = edgeKey({ from, type, to });
    let edge = found.get(key);
    if (edge === undefined) {
      edge = { from, type, to, firstSeen, learntAt: row.edge_learnt_at, endedAt, evidence: [] };
      found.set(key, edge);
    }
    if (row.kind === null) continue;
    const { kind, source, count, sentence } = row;
    const times = { firstSeen: row.first_seen, learntAt: row.learnt_at, lastSeen: row.last_seen };
    edge.evidence.push({ kind, source, count, sentence, ...times });
  }
  return [...found.values()];
}

/** What tells one edge from all others. */
export function edgeKey({ from, type, to }: Pick<GraphEdge, "from" | "type" | "to">): string {
  return `${from} ${type} ${to}`;
}
