/**
 * Takes the spool into the log once that can be written again: its entries, and behind them one that marks the
 * gap. Doing it twice, or dying in the middle, gives the same log.
 */
import { type AuditEntry, auditEntryOf } from "../domain/audit.js";
import type { Database } from "../inventory/database.js";
import { sequence } from "./sequencer.js";
import type { Spool, SpoolFile } from "./spool.js";

/** Merges every file of the spool; answers with the number of entries that were in them. */
export async function mergeSpool(log: Database, spool: Spool, now: number): Promise<number> {
  let merged = 0;
  for (const file of await spool.pending()) {
    const entries = file.entries.map(({ entry }) => entry);
    const all = [...entries, gapOf(file, now)];
    await sequence(log, { waiting: async () => all, taken: () => spool.putAside(file) });
    merged += entries.length;
  }
  return merged;
}

/** The mark of a gap: between these times the log was down, and this much was done all the same. Its id is the spool's own hash. */
function gapOf({ entries, lastHash, intact, torn, name }: SpoolFile, now: number): AuditEntry {
  const facts = {
    entries: entries.length,
    ids: entries.map(({ entry }) => entry.id),
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
