/**
 * Forgetting names and reasons (H40): what may be forgotten, how much that is, and doing it. The log is told first,
 * as of every change, so that it says itself who took away what, and nobody can do so unseen with these commands.
 */

import { formatDuration } from "../domain/duration.js";
import { RekeyError } from "../domain/errors.js";
import { type Database, read, transact } from "../inventory/database.js";
import { sql } from "../inventory/orm.js";

/** What would be forgotten. */
export interface Forgettable {
  /** Personal fields of entries that are older. */
  readonly fields: number;
  /** Entries that the log had when they were counted; what came in later is not meant. */
  readonly below: number;
}

/**
 * Throws unless everything before `before` has been kept for `keptMs`: `bad-input` for a time to come,
 * `refused-by-policy` for one that is too near. All are milliseconds.
 */
export function checkOldEnough(before: number, now: number, keptMs: number): void {
  if (before > now) {
    const hint = "Entries of the past can be forgotten: --before takes a day such as 2026-01-31.";
    throw new RekeyError("bad-input", `${dayOf(before)} is still to come.`, hint);
  }
  const latest = now - keptMs;
  if (before <= latest) return;
  throw new RekeyError(
    "refused-by-policy",
    `Names and reasons are kept for ${formatDuration(keptMs)}, and ${dayOf(before)} is not that long ago.`,
    `Name a day up to ${dayOf(latest)}; REKEY_AUDIT_FORGET_AFTER says how long they are kept.`,
  );
}

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

/** Counts what is older than `before`. */
export async function forgettable(log: Database, before: number): Promise<Forgettable> {
  return read(log, async (tx) => {
    const { rows } = await tx.execute<{ fields: number; below: string }>(sql`select
      (select size from rekey_audit.head) as below,
      (select count(*)::int from rekey_audit.openings join rekey_audit.entries on id = entry where at < ${before}) as fields`);
    return { fields: rows[0]?.fields ?? 0, below: Number(rows[0]?.below ?? 0) };
  });
}

/** Forgets the personal fields of entries older than `before` among the first `below`; answers with how many. The tree stays as it was. */
export async function forgetOpenings(log: Database, before: number, below: number): Promise<number> {
  return transact(log, async (tx) => {
    const { rowCount } = await tx.execute(sql`delete from rekey_audit.openings using rekey_audit.entries
      where entries.id = openings.entry and entries.at < ${before} and entries.index < ${below}`);
    return rowCount ?? 0;
  });
}
