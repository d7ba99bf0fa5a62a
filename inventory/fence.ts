/**
 * The lock rows: who may write for a rotation. Every record of a rotation is written while its lock rows are
 * held and carry the writer's epoch, so that a late attempt of an old epoch writes nothing (H3, H8).
 */

import { RekeyError } from "../domain/errors.js";
import { adoptions } from "./adoption-tables.js";
import type { Tx } from "./database.js";
import { eq, inArray, sql } from "./orm.js";
import { locks, rotations } from "./rotation-tables.js";

/** The lock that every rotation of a credential takes, beside those of its account and its place. */
export function credentialLock(credential: string): string {
  return `credential:${credential}`;
}

/**
 * Holds the rotation's lock rows until the transaction ends. Throws `superseded` unless every one of them
 * carries this epoch, `already-closed` for a rotation that has ended, `not-found` for one that never was.
 */
export async function holdFence(tx: Tx, rotation: string, epoch: number): Promise<void> {
  // In key order, as everybody does, so that two writers never wait for each other.
  const held = await tx
    .select({ epoch: locks.epoch })
    .from(locks)
    .where(eq(locks.rotation, rotation))
    .orderBy(locks.key)
    .for("update");
  if (held.length === 0) throw await absence(tx, rotation);
  if (held.some((lock) => lock.epoch !== epoch)) {
    throw new RekeyError(
      "superseded",
      `Epoch ${epoch} of rotation ${rotation} is not the one that holds it.`,
    );
  }
}

async function absence(tx: Tx, rotation: string): Promise<RekeyError> {
  const [row] = await tx
    .select({ closedAt: rotations.closedAt })
    .from(rotations)
    .where(eq(rotations.id, rotation));
  if (row === undefined) return absentAdoption(tx, rotation);
  return row.closedAt === null
    ? new RekeyError("internal", `Rotation ${rotation} is open and holds no lock.`)
    : new RekeyError("already-closed", `Rotation ${rotation} has ended.`);
}

async function absentAdoption(tx: Tx, id: string): Promise<RekeyError> {
  const [row] = await tx.select({ closedAt: adoptions.closedAt }).from(adoptions).where(eq(adoptions.id, id));
  if (row === undefined) return new RekeyError("not-found", `There is no rotation ${id}.`);
  return row.closedAt === null
    ? new RekeyError("superseded", `Adoption ${id} holds its lock no more: another run has let it go.`)
    : new RekeyError("already-closed", `Adoption ${id} has ended.`);
}

/**
 * Takes all of `keys` for a new rotation or none, and answers with its epoch: one more than any of them ever
 * carried. Throws `rotation-open`, naming only the id of the rotation that holds one.
 */
export async function takeLocks(tx: Tx, rotation: string, keys: readonly string[]): Promise<number> {
  const wanted = [...new Set(keys)].sort();
  await tx
    .insert(locks)
    .values(wanted.map((key) => ({ key, rotation: null, epoch: 0 })))
    .onConflictDoNothing();
  const rows = await tx
    .select()
    .from(locks)
    .where(inArray(locks.key, wanted))
    .orderBy(locks.key)
    .for("update");
  const holder = rows.find((row) => row.rotation !== null)?.rotation;
  if (holder) throw await taken(tx, holder);
  const epoch = 1 + Math.max(0, ...rows.map((row) => row.epoch));
  await tx.update(locks).set({ rotation, epoch }).where(inArray(locks.key, wanted));
  return epoch;
}

async function taken(tx: Tx, holder: string): Promise<RekeyError> {
  const found = await tx.select({ id: adoptions.id }).from(adoptions).where(eq(adoptions.id, holder));
  if (found.length === 0) {
    const sentence = `Rotation ${holder} holds an account or a place that this one needs.`;
    return new RekeyError("rotation-open", sentence);
  }
  const sentence = `Adoption ${holder} holds an account that this one needs; its steps are being taken.`;
  return new RekeyError(
    "rotation-open",
    sentence,
    "Let `rekey adopt` go on with it, or take it back with `rekey adopt --undo`.",
  );
}

/** Raises the epoch of an open rotation's lock rows and answers with the new one: whoever held it may write no more. */
export async function raiseEpoch(tx: Tx, rotation: string, from: number): Promise<number> {
  await holdFence(tx, rotation, from);
  const raised = await tx
    .update(locks)
    .set({ epoch: sql`${locks.epoch} + 1` })
    .where(eq(locks.rotation, rotation))
    .returning({ epoch: locks.epoch });
  return raised[0]?.epoch ?? from + 1;
}

/** Frees the rotation's lock rows; they keep their epoch. */
export async function freeLocks(tx: Tx, rotation: string): Promise<void> {
  await tx.update(locks).set({ rotation: null }).where(eq(locks.rotation, rotation));
}
