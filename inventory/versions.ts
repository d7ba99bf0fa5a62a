/** The versions that were ever made: by id, with the stage of their life, and never with a value. */

import { RekeyError } from "../domain/errors.js";
import { isEnded, type Life } from "../domain/version.js";
import { type Database, read, type Tx, transact } from "./database.js";
import { holdFence } from "./fence.js";
import { and, eq, isNotNull, isNull, sql } from "./orm.js";
import { versions } from "./rotation-tables.js";

/** A version. `rotation` is the one that made it; null for what was there before. */
export interface Version {
  readonly id: string;
  readonly credential: string;
  readonly slot: string;
  readonly life: Life;
  readonly rotation: string | null;
  readonly createdAt: number;
  readonly endedAt: number | null;
}

/** Where a version stands now. */
export interface VersionStanding {
  readonly id: string;
  readonly slot: string;
  readonly life: Life;
}

/** Versions and where they stand. `by` is the rotation that made or moved them; null for what was there before. */
export interface VersionRecord {
  readonly credential: string;
  readonly by: { readonly rotation: string; readonly epoch: number } | null;
  readonly standings: readonly VersionStanding[];
  readonly at: number;
}

/** Keeps the versions. Throws `superseded` or `already-closed` where the rotation's fence is no longer held. */
export async function recordVersions(db: Database, record: VersionRecord): Promise<void> {
  await transact(db, async (tx) => {
    if (record.by) await holdFence(tx, record.by.rotation, record.by.epoch);
    await keepVersions(tx, { ...record, rotation: record.by?.rotation ?? null });
  });
}

/**
 * Inserts what is new and updates what is known. An id belongs to one credential and one slot for ever, and a
 * version that has ended stays ended: anything else throws `internal`. One that was given up may turn out to have been
 * made after all, and to have been destroyed since.
 */
export async function keepVersions(
  tx: Tx,
  given: {
    readonly credential: string;
    readonly rotation: string | null;
    readonly standings: readonly VersionStanding[];
    readonly at: number;
  },
): Promise<void> {
  const { credential, rotation, at } = given;
  // The one that becomes active comes last: at no time are there two.
  const ordered = [...given.standings].sort(
    (a, b) => Number(a.life === "active") - Number(b.life === "active"),
  );
  for (const { id, slot, life } of ordered) {
    const endedAt = isEnded(life) ? at : null;
    const kept = await tx
      .insert(versions)
      .values({ id, credential, slot, life, rotation, createdAt: at, endedAt })
      .onConflictDoUpdate({
        target: versions.id,
        set: { life, endedAt: sql`coalesce(${versions.endedAt}, excluded.ended_at)` },
        setWhere: sql`${versions.credential} = excluded.credential and ${versions.slot} = excluded.slot
          and (${versions.endedAt} is null or ${versions.life} = excluded.life
            or (${versions.life} = 'abandoned' and excluded.life = 'destroyed'))`,
      })
      .returning({ id: versions.id });
    if (kept.length === 0) {
      throw new RekeyError("internal", `Version ${id} has ended or belongs to another credential or slot.`);
    }
  }
}

/** The version that consumers are meant to use, or null before the first one is known. */
export async function activeVersion(db: Database, credential: string): Promise<Version | null> {
  const where = and(eq(versions.credential, credential), eq(versions.life, "active"));
  const [row] = await read(db, (tx) => tx.select().from(versions).where(where));
  return row ?? null;
}

/** The versions of a credential that have not ended, oldest first. */
export async function livingVersions(tx: Tx, credential: string): Promise<Version[]> {
  return tx
    .select()
    .from(versions)
    .where(and(eq(versions.credential, credential), isNull(versions.endedAt)))
    .orderBy(versions.createdAt, versions.id);
}

/** Every version that the credential ever had, oldest first. */
export async function versionsOf(db: Database, credential: string): Promise<Version[]> {
  return read(db, (tx) =>
    tx
      .select()
      .from(versions)
      .where(eq(versions.credential, credential))
      .orderBy(versions.createdAt, versions.id),
  );
}

/** Ids of the credential's versions that have ended. */
export async function endedVersions(tx: Tx, credential: string): Promise<string[]> {
  const rows = await tx
    .select({ id: versions.id })
    .from(versions)
    .where(and(eq(versions.credential, credential), isNotNull(versions.endedAt)));
  return rows.map(({ id }) => id);
}
