/** Reads of the map what came, ended or was learnt between two moments, ended or not. */
import { sql } from "drizzle-orm";
import type { Graph } from "../domain/graph/types.js";
import { type Database, read } from "./database.js";
import { type EdgeRow, edgeOf, ms, type NodeRow, nodeColumns, nodeOf } from "./graph-rows.js";

/** The part of the map that has changed after `from` and up to `until`, in milliseconds since the epoch, with what it hangs on. */
export async function loadChanged(db: Database, from: number, until: number): Promise<Graph> {
  const [after, upTo] = [from, until].map((at) => new Date(at).toISOString());
  const within = (column: string) => sql`${sql.raw(column)} > ${after} and ${sql.raw(column)} <= ${upTo}`;
  return read(db, async (tx) => {
    const { rows: edgeRows } = await tx.execute<EdgeRow>(sql`
      select e.from_id, e.type, e.to_id, ${ms("e.first_seen")} as first_seen, ${ms("e.ended_at")} as ended_at, known.evidence
      from rekey_inventory.graph_edges e cross join lateral (
        select coalesce(json_agg(json_build_object('kind', v.kind, 'source', v.source, 'count', v.count,
          'sentence', v.sentence, 'first_seen', ${ms("v.first_seen")}, 'last_seen', ${ms("v.last_seen")})), '[]') as evidence
        from rekey_inventory.graph_evidence v
        where v.from_id = e.from_id and v.type = e.type and v.to_id = e.to_id
      ) known
      where ${within("e.first_seen")} or ${within("e.ended_at")} or exists (
        select from rekey_inventory.graph_evidence v
        where v.from_id = e.from_id and v.type = e.type and v.to_id = e.to_id and ${within("v.first_seen")})`);
    const ends = [...new Set(edgeRows.flatMap(({ from_id, to_id }) => [from_id, to_id]))];
    const { rows: nodeRows } = await tx.execute<NodeRow>(sql`
      select ${nodeColumns} from rekey_inventory.graph_nodes
      where id = any(${sql.param(ends)}::text[]) or ${within("first_seen")} or ${within("ended_at")}`);
    return { nodes: new Map(nodeRows.map((row) => [row.id, nodeOf(row)])), edges: edgeRows.map(edgeOf) };
  });
}
