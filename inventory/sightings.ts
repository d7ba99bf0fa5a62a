/**
 * Keeps since when something holds in a rotation, so that the time for which it has to last is counted by what this
 * installation saw and kept, whatever the workflow that asks says of it (H7).
 */

import type { Since } from "../domain/rotation/events.js";
import type { Holding } from "../domain/rotation/since.js";
import { type Database, read, type Tx, transact } from "./database.js";
import { holdFence } from "./fence.js";
import { eq, sql } from "./orm.js";
import { sightings } from "./sighting-tables.js";

type Row = typeof sightings.$inferSelect;

/** What the records say of this epoch; `target` is what consumers have to work on. */
export async function sinceOf(db: Database, rotation: string, epoch: number, target: string): Promise<Since> {
  const rows = await read(db, (tx) => rowsOf(tx, rotation));
  const times = (what: Row["what"], on: string) =>
    Object.fromEntries(
      rows.flatMap((row) =>
        row.what === what && row.epoch === epoch && row.target === on && row.since !== null
          ? [[row.subject, row.since]]
          : [],
      ),
    );
  return { unused: times("unused", ""), working: times("working", target) };
}

/**
 * Keeps what a look at `at` found: what began to hold, and what no longer does. What went on keeps its first beginning.
 * Answers with the beginnings, none earlier than was seen now. Throws `superseded` for another epoch than the present one,
 * `already-closed` after the end, where something is to be written.
 */
export async function keepSightings(
  db: Database,
  rotation: string,
  epoch: number,
  seen: readonly Holding[],
  at: number,
): Promise<Since> {
  const known = await read(db, (tx) => rowsOf(tx, rotation));
  const unused: Record<string, number> = {};
  const working: Record<string, number> = {};
  const news: Row[] = [];
  for (const { what, subject, target, since } of seen) {
    const row = known.find((one) => one.what === what && one.subject === subject);
    const before = row?.epoch === epoch && row.target === target ? row.since : null;
    if (since !== null) {
      const times = what === "unused" ? unused : working;
      times[subject] = Math.max(since, before ?? since);
    }
    // Later than it was kept: somebody used the version meanwhile whom a log alone shows, and its time begins anew.
    const begins = since !== null && (before === null || since > before);
    const ends = before !== null && (since === null || since > before);
    if (!begins && !ends) continue;
    const lasted = ends ? (since ?? at) - before : 0;
    const longestMs = Math.max(row?.longestMs ?? 0, lasted);
    news.push({ rotation, what, subject, epoch, target, since, longestMs });
  }
  if (news.length > 0) await transact(db, (tx) => write(tx, rotation, epoch, news));
  return { unused, working };
}

function rowsOf(tx: Tx, rotation: string): Promise<Row[]> {
  return tx.select().from(sightings).where(eq(sightings.rotation, rotation));
}

async function write(tx: Tx, rotation: string, epoch: number, rows: readonly Row[]): Promise<void> {
  await holdFence(tx, rotation, epoch);
  const { what, subject } = sightings;
  await tx
    .insert(sightings)
    .values([...rows])
    .onConflictDoUpdate({
      target: [sightings.rotation, what, subject],
      set: {
        epoch: sql`excluded.epoch`,
        target: sql`excluded.target`,
        since: sql`excluded.since`,
        longestMs: sql`excluded.longest_ms`,
      },
    });
}
