/** Counts nodes where they are: of ten thousand things only the numbers leave the database. */

import type { Tally } from "../domain/graph/blast.js";
import type { Tx } from "./database.js";
import { anyOf } from "./graph-walk.js";
import { sql } from "./orm.js";

/** How many these nodes are: by what they are, and by the ids of who answers for them now. */
export async function tallyAmong(tx: Tx, ids: readonly string[]): Promise<Omit<Tally, "isWhole">> {
  const { rows } = await tx.execute<{ type: string | null; owner: string | null; things: number }>(sql`
    with counted (id) as materialized (select unnest(${sql.param(ids)}::text[]))
    select type, null as owner, count(*)::int as things from rekey_inventory.graph_nodes
    where id = ${anyOf(sql`counted`)} group by type
    union all
    select null, to_id, count(*)::int from rekey_inventory.graph_edges
    where from_id = ${anyOf(sql`counted`)} and type = 'owned-by' and ended_at is null group by to_id`);
  const byType = rows.flatMap(({ type, things }) => (type === null ? [] : [[type, things] as const]));
  const byOwner = rows.flatMap(({ owner, things }) => (owner === null ? [] : [[owner, things] as const]));
  const things = byType.reduce((sum, [, number]) => sum + number, 0);
  return { things, byType: Object.fromEntries(byType), byOwner: Object.fromEntries(byOwner) };
}
