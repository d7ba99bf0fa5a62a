/**
 * Signing the log as it is. Before anything is signed, the log is compared with what was signed before, in the
 * database and in the anchors outside it, and with what this process saw. A key that signs whatever it finds would
 * certify every tampering.
 */

import { RekeyError } from "../domain/errors.js";
import { type Database, read, type Tx, transact } from "../inventory/database.js";
import { sql } from "../inventory/orm.js";
import { type Anchor, notesIn, type OutsideNote } from "./anchor.js";
import { openCheckpoint, signCheckpoint } from "./checkpoint.js";
import { objectionToLog } from "./consistency.js";
import { headOf } from "./log.js";
import type { Signer, Verifier } from "./note.js";
import type { Head } from "./proofs.js";
import { requireSeen, type SeenHead } from "./seen-head.js";

/** Any number will do, as long as nobody else in this database takes the same. */
const signingKey = 7_305_141_969;
const lastSource = "the last checkpoint";

/** The newest checkpoint in the database, as a signed note, or null. */
async function lastCheckpoint(tx: Tx): Promise<string | null> {
  const { rows } = await tx.execute<{ note: string }>(
    sql`select note from rekey_audit.checkpoints order by size desc limit 1`,
  );
  return rows[0]?.note ?? null;
}

/** What the log is held against: checkpoints outside the database, and the head that this process saw last, if any. */
export interface Known {
  readonly outside: readonly OutsideNote[];
  readonly seen: Head | null;
}

/**
 * Answers with the log's head. Throws `audit-broken` unless the log still begins with everything that its last
 * checkpoint and those outside were signed for, and with what was seen of it. It proves that by hashes; it does not
 * read the entries, as `verifyLog` does.
 */
export async function checkAgainstKnown(tx: Tx, verifier: Verifier, { outside, seen }: Known): Promise<Head> {
  const head = await headOf(tx, "look");
  const last = await lastCheckpoint(tx);
  const notes = last === null ? outside : [{ source: lastSource, note: last }, ...outside];
  for (const { source, note } of notes) {
    const sentence = await objectionToLog(tx, head, openCheckpoint(note, verifier, source), { source });
    if (sentence !== null) throw new RekeyError("audit-broken", sentence);
  }
  await requireSeen(tx, head, seen);
  return head;
}

/**
 * Signs the log as it is now, keeps the checkpoint in the database and in the anchors, and answers with the note;
 * where nothing was added since the last one, with that. Throws `audit-broken` as `checkAgainstKnown` does, and
 * then nothing is signed.
 */
export async function signLog(
  log: Database,
  signer: Signer,
  anchors: readonly Anchor[],
  now: number,
  seen?: SeenHead,
): Promise<string> {
  const known = { seen: seen?.head ?? null, outside: await notesIn(anchors) };
  const { head, last } = await read(log, async (tx) => {
    const head = await checkAgainstKnown(tx, signer, known);
    return { head, last: await lastCheckpoint(tx) };
  });
  seen?.saw(head);
  const unchanged = last !== null && openCheckpoint(last, signer).size === head.size;
  const note = unchanged ? last : await signCheckpoint(head, signer);
  const anchored = known.outside.filter((outside) => outside.note === note).length === anchors.length;
  if (unchanged && anchored) return note;
  await transact(log, async (tx) => {
    await tx.execute(sql`insert into rekey_audit.checkpoints (size, note, at)
      values (${head.size}, ${note}, ${new Date(now).toISOString()}) on conflict do nothing`);
    // Keepers may share an anchor: one at a time looks whether another has signed more meanwhile, and writes if not.
    // Made again, or after the deadline, it writes the same or nothing.
    await tx.execute(sql`select pg_advisory_xact_lock(${signingKey})`);
    for (const anchor of anchors) await raise(anchor, note, head.size, signer);
  });
  return note;
}

/** Writes the note unless one of as many entries stands there already. Throws `audit-broken` for one that is not of this log's key. */
async function raise(anchor: Anchor, note: string, size: number, verifier: Verifier): Promise<void> {
  const there = await anchor.read();
  if (there === null || openCheckpoint(there, verifier).size < size) await anchor.write(note, size);
}
