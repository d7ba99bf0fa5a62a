/**
 * Takes entries that wait into the log: one at a time holds the head, gives each entry its index and its hash,
 * and takes it from where it waited only once the log has it. Ending at any point loses nothing and doubles
 * nothing: what is in the log already is recognised by its id.
 */
import type { AuditEntry } from "../domain/audit.js";
import { type Database, transact } from "../inventory/database.js";
import { append, headOf, knownIds } from "./log.js";
import type { Head } from "./proofs.js";

/** Where entries wait. Both may be called again with the same. */
export interface Source {
  /** The oldest, at most so many. One that was written before another is not behind it. */
  waiting(limit: number): Promise<readonly AuditEntry[]>;
  /** Called when the log has them. */
  taken(ids: readonly string[]): Promise<void>;
}

/** What one batch did. `seen` entries waited, `added` of them were new to the log. */
export interface Sequenced {
  readonly head: Head;
  readonly seen: number;
  readonly added: number;
}

/** Entries in one transaction; more make it no faster. */
export const batchMax = 2_000;

/** Takes in one batch. Throws the errors of `transact`, and `audit-broken`; then nothing was taken. */
export async function sequence(log: Database, source: Source, limit = batchMax): Promise<Sequenced> {
  const { ids, ...sequenced } = await transact(log, async (tx) => {
    // Held before reading: whoever comes next sees what this one has taken in.
    const head = await headOf(tx, "hold");
    const waiting = await source.waiting(limit);
    const ids = waiting.map(({ id }) => id);
    if (ids.length === 0) return { head, seen: 0, added: 0, ids };
    const known = await knownIds(tx, ids);
    const fresh = waiting.filter(({ id }) => !known.has(id));
    return { head: await append(tx, head, fresh), seen: ids.length, added: fresh.length, ids };
  });
  if (ids.length > 0) await source.taken(ids);
  return sequenced;
}
