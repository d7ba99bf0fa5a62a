/** How far the records have come, and that they were found to be older than the world: the database's side of it (H32). */

import type { FenceTag } from "../domain/fence.js";
import { type Generation, type Halt, haltError, type KnownRotation } from "../domain/restore.js";
import { tellAudit } from "./audit-outbox.js";
import { type Database, read, type Tx, transact } from "./database.js";
import { installation } from "./estate-tables.js";
import { and, eq, inArray, isNull, max, sql } from "./orm.js";
import { lostChanges, restores } from "./restore-tables.js";
import { intents, locks, rotationRuns, rotations } from "./rotation-tables.js";
import { keepVersions, type VersionStanding } from "./versions.js";

/** What the records say of themselves; null before there is an installation. */
export async function generationOf(
  db: Database,
): Promise<(Generation & { readonly halt: Halt | null }) | null> {
  return read(db, async (tx) => {
    const generation = await generationIn(tx);
    return generation && { ...generation, halt: await haltWithin(tx) };
  });
}

/** The same without the halt, on the picture of the database that `tx` has. */
export async function generationIn(tx: Tx): Promise<Generation | null> {
  const [row] = await tx.select().from(installation);
  if (row === undefined) return null;
  const { generationNumber: number, restoreGeneration: id, mark } = row;
  return { number, id, mark };
}

async function haltWithin(tx: Tx): Promise<Halt | null> {
  const [row] = await tx.select().from(restores).where(isNull(restores.liftedAt));
  return row === undefined ? null : { id: row.id, noticedAt: row.noticedAt, evidence: row.evidence };
}

/** Why every change is refused now; null where it is not. */
export async function haltOf(db: Database): Promise<Halt | null> {
  return read(db, haltWithin);
}

/** Throws `restored` while nobody has accepted restored records. Asked in the transaction that writes an intent. */
export async function refuseRestored(tx: Tx): Promise<void> {
  const halt = await haltWithin(tx);
  if (halt !== null) throw haltError(halt);
}

/** Raises the mark, in the transaction that writes an intent; null before there is an installation. */
export async function raiseMark(tx: Tx): Promise<Generation | null> {
  const [row] = await tx
    .update(installation)
    .set({ mark: sql`${installation.mark} + 1` })
    .returning();
  return row === undefined
    ? null
    : { number: row.generationNumber, id: row.restoreGeneration, mark: row.mark };
}

/**
 * Keeps that the records are older than the world; the first that noticed is kept. What speaks for it is asked for
 * once more in the transaction that keeps it, where everything is committed that the world was told of: a reader that
 * was behind, and a restore that was accepted meanwhile, are no restore. Null where nothing speaks for it any more.
 */
export async function noteRestore(
  db: Database,
  found: Omit<Halt, "evidence">,
  evidenceIn: (tx: Tx) => Promise<readonly string[]>,
): Promise<Halt | null> {
  return transact(db, async (tx) => {
    await oneAtATime(tx);
    const evidence = await evidenceIn(tx);
    if (evidence.length > 0)
      await tx
        .insert(restores)
        .values({ ...found, evidence })
        .onConflictDoNothing();
    return haltWithin(tx);
  });
}

/** A restore is noticed before another one is accepted, or after, and never in the middle of it. */
async function oneAtATime(tx: Tx): Promise<void> {
  await tx.execute(sql`lock table ${restores} in share row exclusive mode`);
}

/** How far the records know these rotations, what was lost and accepted counted in. Those that they do not know are absent. */
export async function knownRotations(
  db: Database,
  ids: readonly string[],
): Promise<ReadonlyMap<string, KnownRotation>> {
  return ids.length === 0 ? new Map() : read(db, (tx) => knownIn(tx, ids));
}

/** The same, on the picture of the database that `tx` has. */
export async function knownIn(tx: Tx, ids: readonly string[]): Promise<ReadonlyMap<string, KnownRotation>> {
  const rows = await tx
    .select({ id: rotations.id, epoch: rotations.epoch, change: max(intents.change) })
    .from(rotations)
    .leftJoin(intents, eq(intents.rotation, rotations.id))
    .where(inArray(rotations.id, [...ids]))
    .groupBy(rotations.id);
  const lost = await tx
    .select({ id: lostChanges.rotation, epoch: max(lostChanges.epoch), change: max(lostChanges.change) })
    .from(lostChanges)
    .where(inArray(lostChanges.rotation, [...ids]))
    .groupBy(lostChanges.rotation);
  const known = new Map<string, KnownRotation>();
  for (const { id, epoch, change } of [...rows, ...lost]) {
    const before = known.get(id) ?? { epoch: 0, change: 0 };
    known.set(id, {
      epoch: Math.max(before.epoch, epoch ?? 0),
      change: Math.max(before.change, change ?? 0),
    });
  }
  return known;
}

/** True once a restore was accepted: then a rotation may be lost for good. */
export async function wasRestored(db: Database): Promise<boolean> {
  const found = await read(db, (tx) =>
    tx.select({ id: restores.id }).from(restores).where(sql`${restores.liftedAt} is not null`).limit(1),
  );
  return found.length > 0;
}

/** What is accepted, by whom. */
export interface Acceptance {
  readonly restore: string;
  readonly by: string;
  readonly document: string;
  /** The new generation; its number is higher than any that was ever noted. */
  readonly generation: Pick<Generation, "number" | "id">;
  /** Tags outside that the records do not reach. */
  readonly lost: readonly FenceTag[];
  /** By credential: how versions stand that the records have otherwise, or not at all. */
  readonly standings: Readonly<Record<string, readonly VersionStanding[]>>;
  readonly at: number;
}

/**
 * Takes the records as they are: a new generation begins, whose epochs are higher than any tag's, so that nothing
 * that was written for the lost time counts any more. False where that restore was accepted already.
 */
export async function acceptRecords(
  db: Database,
  { restore, by, document, generation, lost, standings, at }: Acceptance,
): Promise<boolean> {
  return transact(db, async (tx) => {
    await oneAtATime(tx);
    const lifted = await tx
      .update(restores)
      .set({ liftedAt: at, liftedBy: by, document })
      .where(and(eq(restores.id, restore), isNull(restores.liftedAt)))
      .returning({ id: restores.id });
    if (lifted.length === 0) return false;
    if (lost.length > 0) {
      const rows = lost.map(({ rotation, epoch, change }) => ({ rotation, epoch, change, restore }));
      await tx.insert(lostChanges).values(rows).onConflictDoNothing();
    }
    for (const [credential, its] of Object.entries(standings))
      await keepVersions(tx, { credential, rotation: null, standings: its, at });
    const highest = Math.max(0, ...lost.map(({ epoch }) => epoch));
    // An open rotation's epoch stands in two places, and whoever adopts it raises both.
    await tx.update(locks).set({ epoch: sql`greatest(${locks.epoch}, ${highest})` });
    // Whoever still runs one remembers what the records have lost: held by nobody, it is adopted from the records.
    const open = await tx
      .update(rotations)
      .set({ epoch: sql`greatest(${rotations.epoch}, ${highest})`, runId: "" })
      .where(isNull(rotations.closedAt))
      .returning({ id: rotations.id });
    const ids = open.map(({ id }) => id);
    if (ids.length > 0) await tx.delete(rotationRuns).where(inArray(rotationRuns.rotation, ids));
    await tx
      .update(installation)
      .set({ generationNumber: generation.number, restoreGeneration: generation.id });
    await tellAudit(tx, {
      kind: "restored",
      at,
      rotation: null,
      facts: { restore, generation: generation.number, lost: lost.map(({ rotation }) => rotation) },
      personal: { by },
    });
    return true;
  });
}
