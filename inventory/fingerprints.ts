/**
 * Keyed hashes of the values that were made, by which a reported value is recognised. They outlive their
 * version: a dead value that is accepted again is an incident (H32). The key is not kept here (H40).
 */

import { type Database, read, transact } from "./database.js";
import { eq } from "./orm.js";
import { fingerprints } from "./people-tables.js";

/** The keyed hash of one value of a version; a version with several values has several. */
export interface Fingerprint {
  readonly version: string;
  /** The credential's id. */
  readonly credential: string;
  readonly hmac: string;
  readonly at: number;
}

/** Keeps the fingerprint; the same one again changes nothing. */
export async function keepFingerprint(db: Database, fingerprint: Fingerprint): Promise<void> {
  await transact(db, (tx) => tx.insert(fingerprints).values(fingerprint).onConflictDoNothing());
}

/** Every version, of whatever credential and living or not, that had a value with this keyed hash, oldest first. */
export async function versionsMatching(
  db: Database,
  hmac: string,
): Promise<{ readonly version: string; readonly credential: string }[]> {
  return read(db, (tx) =>
    tx
      .select({ version: fingerprints.version, credential: fingerprints.credential })
      .from(fingerprints)
      .where(eq(fingerprints.hmac, hmac))
      .orderBy(fingerprints.at, fingerprints.version),
  );
}
