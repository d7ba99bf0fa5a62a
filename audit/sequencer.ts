/**
 * Takes entries that wait into the log: one at a time holds the head, gives each entry its index and its hash,
 * and takes it from where it waited only once the log has it. Ending at any point loses nothing and doubles
 * nothing: what is in the log already is recognised by its id and its text.
 */
import { type AuditEntry, isEntry } from "../domain/audit.js";
import { type Database, type Tx, transact } from "../inventory/database.js";
import { append, bodiesIn, headOf } from "./log.js";
import { mismatchOf, type Place } from "./mismatch.js";
import type { Head } from "./proofs.js";
import { requireSeen, type SeenHead } from "./seen-head.js";

/** Where entries wait. Both may be called again with the same. */
export interface Source {
  readonly place: Place;
  /** The oldest, at most so many. One that was written before another is not behind it. */
  waiting(limit: number): Promise<readonly AuditEntry[]>;
  /** Entries of the log's own that follow them, made of those that are new to it; each is added unless it has one of that id. */
  marks?(fresh: readonly AuditEntry[]): readonly AuditEntry[];
  /** Called when the log has them. */
  taken(ids: readonly string[]): Promise<void>;
}

/** How a batch is taken in. */
export interface Taking {
  readonly limit?: number;
  /** What this process saw of the log before: it has to go on from there. */
  readonly seen?: SeenHead;
  /** For entries that tell of a text which is not what was told. */
  readonly now?: () => number;
}

/** What one batch did. `seen` entries waited, `added` of them were new to the log, and `odd` are not what was told. */
export interface Sequenced {
  readonly head: Head;
  readonly seen: number;
  readonly added: number;
  readonly odd: number;
}

/** Entries in one transaction; more make it no faster. */
export const batchMax = 2_000;

/** Takes in one batch. Throws the errors of `transact`, and `audit-broken`; then nothing was taken. */
export async function sequence(
  log: Database,
  source: Source,
  { limit = batchMax, seen, now = Date.now }: Taking = {},
): Promise<Sequenced> {
  const since = seen?.head ?? null;
  const { place } = source;
  const { ids, ...sequenced } = await transact(log, async (tx) => {
    // Held before reading: whoever comes next sees what this one has taken in.
    const head = await headOf(tx, "hold");
    await requireSeen(tx, head, since);
    const waiting = await source.waiting(limit);
    const ids = waiting.map(({ id }) => id);
    const { fresh, odd } = await sorted(tx, waiting, (found, known) =>
      mismatchOf(found, known, place, now()),
    );
    const own = await unknown(tx, [...odd, ...(source.marks?.(fresh) ?? [])]);
    const next = await append(tx, head, [...fresh, ...own]);
    return { head: next, seen: ids.length, added: fresh.length, odd: odd.length, ids };
  });
  seen?.saw(sequenced.head);
  if (ids.length > 0 || source.marks !== undefined) await source.taken(ids);
  return sequenced;
}

/** What is new to the log, and what is not what was told. The first of several with one id is the one that counts. */
async function sorted(
  tx: Tx,
  waiting: readonly AuditEntry[],
  oddOne: (found: AuditEntry, known: string | undefined) => AuditEntry,
): Promise<{ readonly fresh: readonly AuditEntry[]; readonly odd: readonly AuditEntry[] }> {
  const good = new Set(waiting.filter(isEntry));
  const known = new Map(
    await bodiesIn(
      tx,
      [...good].map(({ id }) => id),
    ),
  );
  const fresh: AuditEntry[] = [];
  const odd: AuditEntry[] = [];
  for (const entry of waiting) {
    const told = good.has(entry) ? known.get(entry.id) : undefined;
    if (good.has(entry) && told === undefined) {
      fresh.push(entry);
      known.set(entry.id, entry.body);
    } else if (told !== entry.body) odd.push(oddOne(entry, told));
  }
  return { fresh, odd };
}

/** Those that the log does not have, each once. Their ids say all that has to be the same. */
async function unknown(tx: Tx, own: readonly AuditEntry[]): Promise<AuditEntry[]> {
  const byId = new Map(own.map((entry) => [entry.id, entry]));
  const known = await bodiesIn(tx, [...byId.keys()]);
  return [...byId.values()].filter(({ id }) => !known.has(id));
}
