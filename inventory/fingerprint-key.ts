/**
 * By which key values are recognised here. Hashes of another key meet nothing: what was met and made before would be unknown,
 * in silence. The key itself is not kept (H40), only what it makes of a text that everybody knows.
 */

import { RekeyError } from "../domain/errors.js";
import { type Database, read, type Tx, transact } from "./database.js";
import { marks } from "./discovery-tables.js";
import { installation } from "./estate-tables.js";
import { isNull, sql } from "./orm.js";

/** What the key is hashed with, to be known again by it. */
export const fingerprintKeyText = "rekey: the key by which values are recognised";

/** Enough characters of a digest to name it. */
const namingChars = 12;

/**
 * Keeps the key's digest, the first one and every one after it that is the same. Another one throws `missing-setup`, unless
 * `replaces` names the one before: then whatever was met by the old key has ended, and every source has to be read anew, from
 * its beginning. Answers whether it was replaced. `now` is in milliseconds since the epoch.
 */
export async function keepFingerprintKey(
  db: Database,
  {
    digest,
    replaces,
    now,
  }: { readonly digest: string; readonly replaces?: string | undefined; readonly now: number },
): Promise<boolean> {
  return transact(db, async (tx) => {
    const kept = await keptKey(tx, true);
    if (kept === digest) return false;
    if (kept !== null && replaces !== kept.slice(0, namingChars)) throw anotherKey(kept);
    await tx.update(installation).set({ fingerprintKey: digest });
    if (kept === null) return false;
    await tx.update(marks).set({ endedAt: now }).where(isNull(marks.endedAt));
    // Not the settings that any source has: nothing is gone on with, and nothing of it counts as watched.
    await tx.execute(sql`update rekey_inventory.scans set settings = settings || ' by a key of before'`);
    return true;
  });
}

/** Throws `missing-setup` where the installation's values are recognised by another key than this digest's. */
export async function refuseAnotherKey(db: Database, digest: string): Promise<void> {
  const kept = await read(db, (tx) => keptKey(tx, false));
  if (kept !== null && kept !== digest) throw anotherKey(kept);
}

async function keptKey(tx: Tx, lock: boolean): Promise<string | null> {
  const asked = tx.select({ key: installation.fingerprintKey }).from(installation);
  const [row] = await (lock ? asked.for("update") : asked);
  return row?.key ?? null;
}

function anotherKey(kept: string): RekeyError {
  const name = kept.slice(0, namingChars);
  return new RekeyError(
    "missing-setup",
    "REKEY_FINGERPRINT_KEY is not the key by which this installation recognises values: no value that was met or made before would be known again.",
    `Set it to the key that it was. Where that is lost, start a worker once with REKEY_FINGERPRINT_KEY_REPLACES=${name}, and read all sources anew.`,
  );
}
