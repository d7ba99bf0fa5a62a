/** Counts what a flow reaches, where it is: of a hundred thousand things only the numbers leave the database. */
import { sql } from "drizzle-orm";
import type { Tally } from "../domain/graph/blast.js";
import type { Flow } from "../domain/graph/flows.js";
import type { Tx } from "./database.js";
import { reachedFrom } from "./graph-walk.js";

/** How much a flow reaches from these nodes, without themselves: no more than `max` are looked at. */
export async function countReached(
  tx: Tx,
  starts: readonly string[],
  flow: Flow,
  max: number,
): Promise<Tally> {
  const { rows } = await tx.execute<{ type: string | null; owner: string | null; things: number }>(sql`
    with recursive ${reachedFrom(starts, flow)}, counted as (
      select n.id, n.type from (select id from reached limit ${starts.length + max + 1}) r
      join rekey_inventory.graph_nodes n on n.id = r.id
      where not exists (select from unnest(${sql.param(starts)}::text[]) as s (id) where s.id = n.id)
    )
    select type, null as owner, count(*)::int as things from counted group by type
    union all
    select null, o.to_id, count(*)::int from counted c join rekey_inventory.graph_edges o
      on o.from_id = c.id and o.type = 'owned-by' and o.ended_at is null
    group by o.to_id`);
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
