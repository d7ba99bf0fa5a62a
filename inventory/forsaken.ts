/**
 * What sources said that have left the estate. Nobody reads them any more, so no reading ends what they said; and it does not
 * end with them at once, or whoever takes a source out of the estate would take the unmapped readers out whom it showed.
 */

import { useWindowMs } from "../domain/graph/current.js";
import type { Tx } from "./database.js";
import { endEdgesWithoutEvidence } from "./graph-keep.js";
import { type SQL, sql } from "./orm.js";

/** The longest that somebody counts as a user by a policy of the estate, in milliseconds. */
export const longestWindowMs = sql`(select coalesce(max(coalesce((body ->> 'useWindowMs')::float8, ${useWindowMs}::float8)), ${useWindowMs}::float8)
    from rekey_inventory.entries where section = 'policies' and ended_at is null)`;

/** Ids of the sources that left the estate. */
export const forsaken = sql`select id from rekey_inventory.entries where section = 'sources' and ended_at is not null`;

/**
 * Ends what such sources said of configuration once they have been gone for a window (an expression, in milliseconds), and
 * where they met values. The words that they had for things are among that. What they saw in use fades as ever. `at` is now, in ISO 8601.
 */
export async function endForsaken(tx: Tx, windowMs: SQL, at: string): Promise<void> {
  const gone = sql`(${forsaken} and extract(epoch from ${at}::timestamptz - ended_at) * 1000 > ${windowMs})`;
  await tx.execute(sql`
    update rekey_inventory.marks set ended_at = ${at} where ended_at is null and source in ${gone}`);
  await tx.execute(sql`
    update rekey_inventory.thing_words set ended_at = ${at} where ended_at is null and source in ${gone}`);
  await endEdgesWithoutEvidence(
    tx,
    sql`update rekey_inventory.graph_evidence set ended_at = ${at}
      where ended_at is null and kind not in ('read', 'session') and source in ${gone}`,
    at,
  );
}
