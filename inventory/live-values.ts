/**
 * Keyed hashes of the values that were live when a rotation looked, whoever had made them. Of a value that was replaced by hand
 * nobody has seen an issuer refuse it, so a copy of it may open what the live one opens. The key is not kept here (H40).
 */

import { useWindowMs } from "../domain/graph/current.js";
import { type Database, transact } from "./database.js";
import { type SQL, sql } from "./orm.js";
import { column, iso } from "./rows.js";

/** Keeps that these were live at a moment, in milliseconds since the epoch. */
export async function keepLive(
  db: Database,
  {
    credential,
    hmacs,
    at,
  }: { readonly credential: string; readonly hmacs: readonly string[]; readonly at: number },
): Promise<void> {
  if (hmacs.length === 0) return;
  await transact(db, (tx) =>
    tx.execute(sql`
      insert into rekey_inventory.live_values (credential, hmac, first_seen, last_seen)
      select distinct ${credential}, hmac, ${iso(at)}::timestamptz, ${iso(at)}::timestamptz
      from unnest(${column(hmacs, (hmac) => hmac)}::text[]) as h (hmac) order by 2
      on conflict (credential, hmac) do update set
        first_seen = least(live_values.first_seen, excluded.first_seen),
        last_seen = greatest(live_values.last_seen, excluded.last_seen)`),
  );
}

/** Of a row `l`: nothing else of its credential was seen live since. */
export const isLatest = sql`l.last_seen = (
  select max(o.last_seen) from rekey_inventory.live_values o where o.credential = l.credential)`;

const windowMs = sql`coalesce((
  select (p.body ->> 'useWindowMs')::float8 from rekey_inventory.entries c
  join rekey_inventory.entries p on p.section = 'policies' and p.ended_at is null and p.name = c.body ->> 'policy'
  where c.id = l.credential), ${useWindowMs}::float8)`;

/**
 * Columns `credential` and `hmac` of values that may still be accepted: the one that was live last, and each before it for as long
 * as a use counts after it was seen live (`useWindow` of its policy); none that an issuer was seen to refuse.
 */
export function maybeAccepted(now: number): SQL {
  return sql`
    select l.credential, l.hmac from rekey_inventory.live_values l
    where (${isLatest} or extract(epoch from ${iso(now)}::timestamptz - l.last_seen) * 1000 <= ${windowMs})
      and not exists (
        select from rekey_inventory.fingerprints f join rekey_inventory.versions v on v.id = f.version
        where f.credential = l.credential and f.hmac = l.hmac and v.life in ('disabled', 'destroyed'))`;
}
