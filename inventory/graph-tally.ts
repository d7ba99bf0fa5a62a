/** Counts what a flow reaches, where it is: of a hundred thousand things only the numbers leave the database. */
import { sql } from "drizzle-orm";
import type { Tally } from "../domain/graph/blast.js";
import type { Flow } from "../domain/graph/flows.js";
import type { Tx } from "./database.js";
import { reachedFrom } from "./graph-walk.js";

/**
 * How much a flow reaches from these nodes, without themselves: no more than `max` are looked at, and one more to know whether that
 * is all. What they are and whose is asked of all of them at once, in the order of the indexes (`any (array (...))`).
 */
export async function countReached(
  tx: Tx,
  starts: readonly string[],
  flow: Flow,
  max: number,
): Promise<Tally> {
  const { rows } = await tx.execute<{ type: string | null; owner: string | null; things: number }>(sql`
    with recursive begun (id) as materialized (select unnest(${sql.param(starts)}::text[])),
    ${reachedFrom(sql`select id from begun`, flow)},
    counted (id) as materialized (
      select r.id from (select id from reached limit ${starts.length + max + 1}) r
      where not exists (select from begun b where b.id = r.id)
    )
    select type, null as owner, count(*)::int as things from rekey_inventory.graph_nodes
    where id = any(array(select id from counted)) group by type
    union all
    select null, to_id, count(*)::int from rekey_inventory.graph_edges
    where from_id = any(array(select id from counted)) and type = 'owned-by' and ended_at is null
    group by to_id`);
  const byType = rows.flatMap(({ type, things }) => (type === null ? [] : [[type, things] as const]));
  const byOwner = rows.flatMap(({ owner, things }) => (owner === null ? [] : [[owner, things] as const]));
  const things = byType.reduce((sum, [, number]) => sum + number, 0);
  return {
    things,
    isWhole: things <= max,
    byType: Object.fromEntries(byType),
    byOwner: Object.fromEntries(byOwner),
  };
}
