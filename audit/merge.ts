/**
 * Takes the spool into the log once that can be written again: its entries, and behind them one that marks the
 * gap. Doing it twice, or dying in the middle, gives the same log.
 */
import { type AuditEntry, auditEntryOf, isEntry } from "../domain/audit.js";
import type { Database } from "../inventory/database.js";
import type { SeenHead } from "./seen-head.js";
import { sequence } from "./sequencer.js";
import type { Spool, SpoolFile } from "./spool.js";

/** What was in the files: so many entries, and so many lines that are not what was told. */
export interface Merged {
  readonly merged: number;
  readonly odd: number;
}

/**
 * Merges every file of the spool. What the log has by then counts, so the outbox is to be taken in first: a line needs
 * nothing but the disk to be written anew, and one that differs is told of as such.
 */
export async function mergeSpool(log: Database, spool: Spool, now: number, seen?: SeenHead): Promise<Merged> {
  let [merged, odd] = [0, 0];
  for (const file of await spool.pending()) {
    const waiting = file.entries.map(({ entry }) => entry);
    const source = {
      place: "spool",
      waiting: async () => waiting,
      marks: [gapOf(file, now)],
      taken: () => spool.putAside(file),
    } as const;
    const sequenced = await sequence(log, source, { now: () => now, ...(seen && { seen }) });
    merged += waiting.length - sequenced.odd;
    odd += sequenced.odd;
  }
  return { merged, odd };
}

/** The mark of a gap: between these times the log was down, and this much was done all the same. Its id is the spool's own hash. */
function gapOf({ entries, lastHash, intact, torn, name }: SpoolFile, now: number): AuditEntry {
  const whole = entries.filter(({ entry }) => isEntry(entry));
  const facts = {
    entries: whole.length,
    ids: whole.map(({ entry }) => entry.id),
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
