/** Who reads what stands at a place, said once for every query that has to know it. */

import { type SQL, sql } from "./orm.js";

/**
 * A table of edges, `from_id` and `type`, of whoever uses now what stands at a place, an expression in SQL; `could`: also of whoever
 * only could.
 */
export function readsAt(place: string, { could = false }: { readonly could?: boolean } = {}): SQL {
  const types = could ? sql`('uses', 'can-read')` : sql`('uses')`;
  return sql`(select reads.from_id, reads.type from rekey_inventory.graph_edges reads
    where reads.to_id = ${sql.raw(place)} and reads.type in ${types} and reads.ended_at is null)`;
}
