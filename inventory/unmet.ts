/**
 * What a reading of what is there now did not meet, and has gone therefore: in every record that was read whole, or is not there any
 * more. What is hidden from the reading stays, and for a while what may have moved to where it is hidden.
 */
import { hiddenIn, hidesMore } from "../domain/discovery/hidden.js";
import type { Hidden } from "../domain/discovery/said.js";
import type { Tx } from "./database.js";
import type { scans } from "./discovery-tables.js";
import { longestWindowMs } from "./forsaken.js";
import { endEdgesWithoutEvidence } from "./graph-keep.js";
import { type SQL, sql } from "./orm.js";
import { column, iso, ms } from "./rows.js";

type Scan = typeof scans.$inferSelect;

/** What a reading hides, as `hiddenIn`. An earlier release has kept only that there was something. */
export function hiddenBy({ hidden, gaps, malformed }: Scan): readonly Hidden[] | null {
  return hiddenIn({ hidden, gaps, malformed: { length: malformed } });
}

/** Ends what this reading, which has come to its end, should have met and did not. `now` is in milliseconds since the epoch. */
export async function endUnmet(tx: Tx, scan: Scan, now: number): Promise<void> {
  const hidden = hiddenBy(scan);
  if (hidden === null) return;
  const at = iso(now);
  const unmet = sql`source = ${scan.source} and scan <> ${scan.id} and ended_at is null
    and scan <> all(${sql.param(await outlasting(tx, scan, hidden, now))}::text[]) and not ${isHidden(hidden)}`;
  await tx.execute(sql`update rekey_inventory.marks set ended_at = ${at} where ${unmet}`);
  await tx.execute(sql`update rekey_inventory.thing_words set ended_at = ${at} where ${unmet}`);
  // Who was seen at one look and not at the next may come back at night: that fades by its age.
  await endEdgesWithoutEvidence(
    tx,
    sql`update rekey_inventory.graph_evidence set ended_at = ${at} where ${unmet} and kind not in ('read', 'session')`,
    at,
  );
}

/** Whether the record of a row is one of the hidden ones, or below one; of a row without one nobody can tell. */
function isHidden(hidden: readonly Hidden[]): SQL {
  if (hidden.length === 0) return sql`false`;
  const records = [...new Set(hidden.map(({ record }) => record))];
  return sql`(record is null or exists (select from unnest(${column(records, (name) => name)}::text[]) as h (name)
    where record = h.name or starts_with(record, h.name || '/')))`;
}

/**
 * The readings of which nothing ends yet that they met last, by their ids: this one hides something which they did not, so that it may
 * have moved there. For as long as somebody counts who was seen: a file that is torn for longer hides nothing but what stood in it.
 */
async function outlasting(tx: Tx, scan: Scan, hidden: readonly Hidden[], now: number): Promise<string[]> {
  if (hidden.length === 0) return [];
  const met = (table: string) => sql`select scan from ${sql.raw(`rekey_inventory.${table}`)}
    where source = ${scan.source} and ended_at is null and scan <> ${scan.id}`;
  const { rows } = await tx.execute<{ id: string; hidden: Hidden[] | null; gaps: string[] }>(sql`
    select id, hidden, gaps from rekey_inventory.scans
    where id in (${met("marks")} union ${met("thing_words")} union ${met("graph_evidence")} and kind not in ('read', 'session'))
      and ${now}::float8 - ${ms("started_at")} <= ${longestWindowMs}`);
  return rows.flatMap((before) => (hidesMore(hidden, before) ? [before.id] : []));
}
