/**
 * Takes the spool into the log once that can be written again: its entries, and behind them one that marks the
 * gap. Doing it twice, or dying in the middle, gives the same log.
 */
import { type AuditEntry, auditEntryOf, isEntry } from "../domain/audit.js";
import type { Database } from "../inventory/database.js";
import type { SeenHead } from "./seen-head.js";
import { sequence } from "./sequencer.js";
import type { Spool, SpoolFile } from "./spool.js";

/** What was in the files: so many entries, so many of them in the spool alone, and so many lines that are not what was told. */
export interface Merged {
  readonly merged: number;
  readonly alone: number;
  readonly odd: number;
}

/**
 * Merges these files of the spool, which were read before the outbox was taken in: what they hold was told first, so
 * by now the log has it. It counts, because a line needs nothing but the disk to be written anew: one that differs is
 * told of as such, and one that the log does not have stood in the spool alone, which the gap says.
 */
export async function mergeSpool(
  log: Database,
  spool: Spool,
  files: readonly SpoolFile[],
  now: number,
  seen?: SeenHead,
): Promise<Merged> {
  let [merged, alone, odd] = [0, 0, 0];
  for (const file of files) {
    const waiting = file.entries.map(({ entry }) => entry);
    const source = {
      place: "spool",
      waiting: async () => waiting,
      marks: (fresh: readonly AuditEntry[]) => [gapOf(file, fresh, now)],
      taken: () => spool.putAside(file),
    } as const;
    const sequenced = await sequence(log, source, { now: () => now, ...(seen && { seen }) });
    merged += waiting.length - sequenced.odd;
    alone += sequenced.added;
    odd += sequenced.odd;
  }
  return { merged, alone, odd };
}

/** The mark of a gap: between these times the log was down, and this much was done all the same. Its id is the spool's own hash. */
function gapOf(
  { entries, lastHash, intact, torn, name }: SpoolFile,
  fresh: readonly AuditEntry[],
  now: number,
): AuditEntry {
  const whole = entries.filter(({ entry }) => isEntry(entry));
  const facts = {
    entries: whole.length,
    ids: whole.map(({ entry }) => entry.id),
    /** Told to nobody else, as far as the log and the outbox know: taken out there, or written here. */
    alone: fresh.map(({ id }) => id),
    /** Lines that are no entries: the log tells of each. */
    aside: entries.length - whole.length,
    from: entries[0]?.at ?? now,
    until: entries.at(-1)?.at ?? now,
    spool: lastHash,
    intact,
    torn,
  };
  const id = `gap_${lastHash === "" ? name : lastHash}`;
  return auditEntryOf({ kind: "gap", at: now, rotation: null, facts }, id, noSalt, noSalt);
}

/** A gap has nothing personal in it. */
function noSalt(): string {
  return "";
}
