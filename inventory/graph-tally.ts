/** Counts nodes where they are: of ten thousand things only the numbers leave the database. */

import type { Tally } from "../domain/graph/blast.js";
import type { Tx } from "./database.js";
import { anyOf } from "./graph-walk.js";
import { sql } from "./orm.js";

type Counts = Omit<Tally, "isWhole">;

/** Two counts of different things as one, types in the order of their names. */
export function together(one: Counts, other: Counts): Counts {
  const sums = (a: Readonly<Record<string, number>>, b: Readonly<Record<string, number>>) => {
    const keys = [...new Set([...Object.keys(a), ...Object.keys(b)])].sort();
    return Object.fromEntries(keys.map((key) => [key, (a[key] ?? 0) + (b[key] ?? 0)]));
  };
  return {
    things: one.things + other.things,
    byType: sums(one.byType, other.byType),
    byOwner: sums(one.byOwner, other.byOwner),
  };
}

/** How many these nodes are: by what they are, and by the ids of who answers for them now. */
export async function tallyAmong(tx: Tx, ids: readonly string[]): Promise<Counts> {
  if (ids.length === 0) return { things: 0, byType: {}, byOwner: {} };
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
