/** Since when a source has been read: who was there before a reading began was there for it to see. */
import { sql } from "drizzle-orm";
import { type Database, read } from "./database.js";
import { ms } from "./rows.js";

/** When the last reading of each that came to its end began, by the id of the source, in milliseconds since the epoch. */
export async function readingsBegun(
  db: Database,
  sources: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const { rows } = await read(db, (tx) =>
    tx.execute<{ source: string; begun: number }>(sql`
      select source, ${ms("max(started_at)")} as begun from rekey_inventory.scans
      where source = any(${sql.param(sources)}::text[]) and ended_at is not null group by source`),
  );
  return new Map(rows.map(({ source, begun }) => [source, begun]));
}
