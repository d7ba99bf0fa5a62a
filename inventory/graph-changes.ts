/** Reads of the map what came, ended or was learnt between two moments, ended or not. */

import type { Period } from "../domain/graph/changes.js";
import type { Graph } from "../domain/graph/types.js";
import { type Database, read } from "./database.js";
import { copiesChanged } from "./graph-copy-changes.js";
import { edgesKnown, type NodeRow, nodeColumns, nodeOf } from "./graph-rows.js";
import { learntOf } from "./learnt.js";
import { sql } from "./orm.js";
import { iso } from "./rows.js";

/** The part of the map that has changed in that time, with what it hangs on; copies that sources met among it. */
export async function loadChanged(db: Database, { from, until, by }: Period): Promise<Graph> {
  const [after, upTo] = [from, until].map(iso);
  const within = (column: string) => sql`${sql.raw(column)} > ${after} and ${sql.raw(column)} <= ${upTo}`;
  const begun = within(by === "learnt" ? learntOf("") : "first_seen");
  return read(db, async (tx) => {
    // Each table is read once, and then what has changed is looked up: asked for each edge it is the evidence of all of them.
    const those = sql`select e.* from (
        select from_id, type, to_id from rekey_inventory.graph_edges where ${begun} or ${within("ended_at")}
        union select from_id, type, to_id from rekey_inventory.graph_evidence where ${begun}
      ) changed join rekey_inventory.graph_edges e using (from_id, type, to_id)`;
    const edges = await edgesKnown(tx, those, sql`true`);
    edges.push(...(await copiesChanged(tx, { from, until, by })));
    const ends = [...new Set(edges.flatMap(({ from: one, to }) => [one, to]))];
    const { rows: nodeRows } = await tx.execute<NodeRow>(sql`
      select ${nodeColumns} from rekey_inventory.graph_nodes
      where id = any(${sql.param(ends)}::text[]) or ${begun} or ${within("ended_at")}`);
    return { nodes: new Map(nodeRows.map((row) => [row.id, nodeOf(row)])), edges };
  });
}
