/** Rows of the map's tables as nodes and edges. */
import { type SQL, sql } from "drizzle-orm";
import type { Evidence, GraphEdge, GraphNode } from "../domain/graph/types.js";
import type { Tx } from "./database.js";
import { learntOf } from "./learnt.js";
import { ms } from "./rows.js";

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

/** The columns of a node. */
export const nodeColumns = sql`id, type, name, class, cadence_ms,
  ${ms("first_seen")} as first_seen, ${ms(learntOf(""))} as learnt_at, ${ms("ended_at")} as ended_at`;

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

interface EdgeRow extends Record<string, unknown> {
  readonly from_id: string;
  readonly type: GraphEdge["type"];
  readonly to_id: string;
  readonly first_seen: number;
  readonly learnt_at: number;
  readonly ended_at: number | null;
}

interface EvidenceRow extends EdgeRow, Pick<Evidence, "kind" | "source" | "count" | "sentence"> {
  readonly last_seen: number;
}

/**
 * Edges with how they are known. `edges` is a query of rows of the table of edges, `counts` which evidence `v` of an edge `e` is
 * read. It comes as rows: putting it together for each edge would cost the database more than everything else.
 */
export async function edgesKnown(tx: Tx, edges: SQL, counts: SQL): Promise<GraphEdge[]> {
  const { rows } = await tx.execute<EdgeRow>(sql`
    select e.from_id, e.type, e.to_id,
      ${ms("e.first_seen")} as first_seen, ${ms(learntOf("e."))} as learnt_at, ${ms("e.ended_at")} as ended_at
    from (${edges}) e`);
  const evidence = new Map<string, Evidence[]>();
  const { rows: known } = await tx.execute<EvidenceRow>(sql`
    select v.from_id, v.type, v.to_id, v.kind, v.source, v.count::float8 as count, v.sentence,
      ${ms("v.first_seen")} as first_seen, ${ms(learntOf("v."))} as learnt_at, ${ms("v.last_seen")} as last_seen
    from (${edges}) e join rekey_inventory.graph_evidence v
      on v.from_id = e.from_id and v.type = e.type and v.to_id = e.to_id
    where ${counts}`);
  for (const { kind, source, count, sentence, first_seen, learnt_at, last_seen, ...edge } of known) {
    const list = evidence.get(edgeKey(edge)) ?? [];
    list.push({
      kind,
      source,
      count,
      sentence,
      firstSeen: first_seen,
      learntAt: learnt_at,
      lastSeen: last_seen,
    });
    evidence.set(edgeKey(edge), list);
  }
  return rows.map((row) => ({
    ...{
      from: row.from_id,
      type: row.type,
      to: row.to_id,
      firstSeen: row.first_seen,
      learntAt: row.learnt_at,
      endedAt: row.ended_at,
    },
    evidence: evidence.get(edgeKey(row)) ?? [],
  }));
}

function edgeKey({ from_id, type, to_id }: Pick<EdgeRow, "from_id" | "type" | "to_id">): string {
  return `${from_id} ${type} ${to_id}`;
}
