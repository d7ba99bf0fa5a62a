/**
 * Signing the log as it is. Before anything is signed, the log is compared with what was signed before: in the
 * database, and in the anchor outside it. A key that signs whatever it finds would certify every tampering.
 */
import { sql } from "drizzle-orm";
import { RekeyError } from "../domain/errors.js";
import { type Database, read, type Tx, transact } from "../inventory/database.js";
import type { Anchor } from "./anchor.js";
import { openCheckpoint, signCheckpoint } from "./checkpoint.js";
import { objectionToLog } from "./consistency.js";
import { headOf } from "./log.js";
import type { Signer, Verifier } from "./note.js";

/** How sentences name a checkpoint that stands outside the database. */
export const anchorSource = "the anchor's checkpoint";
const lastSource = "the last checkpoint";

/** The newest checkpoint in the database, as a signed note, or null. */
async function lastCheckpoint(tx: Tx): Promise<string | null> {
  const { rows } = await tx.execute<{ note: string }>(
    sql`select note from rekey_audit.checkpoints order by size desc limit 1`,
  );
  return rows[0]?.note ?? null;
}

/**
 * Throws `audit-broken` unless the log still begins with everything that its last checkpoint and the anchor were
 * signed for. It proves that by hashes; it does not read the entries, as `verifyLog` does.
 */
export async function checkAgainstSigned(tx: Tx, verifier: Verifier, anchored: string | null): Promise<void> {
  const head = await headOf(tx, "look");
  const known = [
    [lastSource, await lastCheckpoint(tx)],
    [anchorSource, anchored],
  ] as const;
  for (const [source, note] of known) {
    if (note === null) continue;
    const sentence = await objectionToLog(tx, head, openCheckpoint(note, verifier), source);
    if (sentence !== null) throw new RekeyError("audit-broken", sentence);
  }
}

/**
 * Signs the log as it is now, keeps the checkpoint in the database and in the anchor, and answers with the note;
 * where nothing was added since the last one, with that. Throws `audit-broken` as `checkAgainstSigned` does, and
 * then nothing is signed.
 */
export async function signLog(
  log: Database,
  signer: Signer,
  anchor: Anchor | null,
  now: number,
): Promise<string> {
  const anchored = (await anchor?.read()) ?? null;
  const { head, last } = await read(log, async (tx) => {
    await checkAgainstSigned(tx, signer, anchored);
    return { head: await headOf(tx, "look"), last: await lastCheckpoint(tx) };
  });
  const unchanged = last !== null && openCheckpoint(last, signer).size === head.size;
  const note = unchanged ? last : await signCheckpoint(head, signer);
  if (!unchanged) {
    await transact(log, (tx) =>
      tx.execute(sql`insert into rekey_audit.checkpoints (size, note, at)
        values (${head.size}, ${note}, ${new Date(now).toISOString()}) on conflict do nothing`),
    );
  }
  if (anchor !== null && anchored !== note) await anchor.write(note);
  return note;
}
