/** Since when a source has been read, by its present settings: who was there before a reading began was there for it to see. */
import { sql } from "drizzle-orm";
import { type Database, read } from "./database.js";
import { column, ms } from "./rows.js";
import { settingsDigest } from "./source-settings.js";
import type { Asked } from "./watching.js";

/** When the last reading of each that came to its end began, by the id of the source, in milliseconds since the epoch. */
export async function readingsBegun(
  db: Database,
  sources: readonly Pick<Asked, "id" | "body">[],
): Promise<ReadonlyMap<string, number>> {
  const { rows } = await read(db, (tx) =>
    tx.execute<{ source: string; begun: number }>(sql`
      select s.source, ${ms("max(r.started_at)")} as begun
      from unnest(${column(sources, ({ id }) => id)}::text[],
        ${column(sources, ({ body }) => settingsDigest(body))}::text[]) as s (source, settings)
      join rekey_inventory.scans r on r.source = s.source and r.settings = s.settings and r.ended_at is not null
      group by s.source`),
  );
  return new Map(rows.map(({ source, begun }) => [source, begun]));
}
