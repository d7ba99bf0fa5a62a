/** Reads of the map what came, ended or was learnt between two moments, ended or not. */
import { sql } from "drizzle-orm";
import type { Graph } from "../domain/graph/types.js";
import { type Database, read } from "./database.js";
import { edgesKnown, type NodeRow, nodeColumns, nodeOf } from "./graph-rows.js";
import { iso } from "./rows.js";

/** The part of the map that has changed after `from` and up to `until`, in milliseconds since the epoch, with what it hangs on. */
export async function loadChanged(db: Database, from: number, until: number): Promise<Graph> {
  const [after, upTo] = [from, until].map(iso);
  const within = (column: string) => sql`${sql.raw(column)} > ${after} and ${sql.raw(column)} <= ${upTo}`;
  return read(db, async (tx) => {
    const those = sql`select e.* from rekey_inventory.graph_edges e
      where ${within("e.first_seen")} or ${within("e.ended_at")} or exists (
        select from rekey_inventory.graph_evidence v
        where v.from_id = e.from_id and v.type = e.type and v.to_id = e.to_id and ${within("v.first_seen")})`;
    const edges = await edgesKnown(tx, those, sql`true`);
    const ends = [...new Set(edges.flatMap(({ from: one, to }) => [one, to]))];
    const { rows: nodeRows } = await tx.execute<NodeRow>(sql`
      select ${nodeColumns} from rekey_inventory.graph_nodes
      where id = any(${sql.param(ends)}::text[]) or ${within("first_seen")} or ${within("ended_at")}`);
    return { nodes: new Map(nodeRows.map((row) => [row.id, nodeOf(row)])), edges };
  });
}
