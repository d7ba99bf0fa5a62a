/**
 * Adoptions as they are recorded: asked for, joined, turned and ended. At most one is open for a credential, and
 * the row of the credential serialises whoever begins a rotation or an adoption of it.
 */

import type { AdoptionOutcome, AdoptionPlan, AdoptionRecord, SignedAdoption } from "../domain/adopt-plan.js";
import { RekeyError } from "../domain/errors.js";
import { adoptionSteps, adoptions } from "./adoption-tables.js";
import { tellAudit } from "./audit-outbox.js";
import { recordsOf } from "./burning.js";
import { type Database, read, type Tx, transact } from "./database.js";
import { entries } from "./estate-tables.js";
import { freeLocks } from "./fence.js";
import { and, desc, eq, isNotNull, isNull } from "./orm.js";
import { rotations } from "./rotation-tables.js";

/** What is asked for. */
export interface AdoptionRequest {
  readonly plan: AdoptionPlan;
  readonly digest: string;
  /** The adoption whose signatures cover this way back, or null. */
  readonly under: string | null;
  readonly requestedBy: string;
  readonly reason: string;
  readonly at: number;
  /** The open adoption that this one takes the place of, and how that one ends. */
  readonly replaces?: { readonly id: string; readonly outcome: AdoptionOutcome; readonly reason: string };
}

/**
 * Opens an adoption; the credential's lock stays free until its first step. Throws `rotation-open` while a
 * rotation of the credential is open, `conflict` when somebody else was quicker to ask, `not-found` for a
 * credential that is not in the estate.
 */
export async function openAdoption(db: Database, request: AdoptionRequest): Promise<AdoptionRecord> {
  const { plan, digest, under, requestedBy, reason, at, replaces } = request;
  const { adoption: id, credential, direction } = plan;
  return transact(db, async (tx) => {
    await holdCredential(tx, credential);
    await refuseOpenRotation(tx, credential);
    if (replaces) await end(tx, replaces.id, replaces.outcome, replaces.reason, at);
    const [open] = await tx
      .select({ id: adoptions.id })
      .from(adoptions)
      .where(and(eq(adoptions.credential, credential), isNull(adoptions.closedAt)));
    // The very same request once more: its first answer was lost.
    if (open?.id === id) return load(tx, id);
    if (open) throw new RekeyError("conflict", `Adoption ${open.id} was asked for at the same moment.`);
    const row = { id, credential, direction, under, plan, digest, requestedBy, reason };
    await tx.insert(adoptions).values({ ...row, openedAt: at, askedAt: at });
    await tellAudit(tx, {
      kind: "opened",
      at,
      rotation: id,
      facts: { credential, mode: "adoption", direction, digest, under },
      personal: { requestedBy, reason },
    });
    return load(tx, id);
  });
}

/** Throws `rotation-open` while a rotation of the credential is open: the two never act on an account together (H8). */
export async function refuseOpenRotation(tx: Tx, credential: string): Promise<void> {
  const [open] = await tx
    .select({ id: rotations.id })
    .from(rotations)
    .where(and(eq(rotations.credential, credential), isNull(rotations.closedAt)));
  if (open === undefined) return;
  const sentence = `Rotation ${open.id} of this credential is open, and an adoption takes no step meanwhile.`;
  throw new RekeyError("rotation-open", sentence, "Wait until it has ended, or cancel it.");
}

/** Ends the adoption and frees its lock. One that has ended stays as it ended. */
export async function closeAdoption(
  db: Database,
  id: string,
  outcome: AdoptionOutcome,
  reason: string,
  at: number,
): Promise<AdoptionRecord> {
  return transact(db, async (tx) => {
    await end(tx, id, outcome, reason, at);
    return load(tx, id);
  });
}

/** Notes that the owners are asked once more: from `at` on they have the plan's time to sign. */
export async function askAgain(db: Database, id: string, at: number): Promise<AdoptionRecord> {
  return transact(db, async (tx) => {
    await tx
      .update(adoptions)
      .set({ askedAt: at })
      .where(and(eq(adoptions.id, id), isNull(adoptions.closedAt)));
    return load(tx, id);
  });
}

/** The open adoption of a credential, or null. */
export async function adoptionOf(db: Database, credential: string): Promise<AdoptionRecord | null> {
  return read(db, async (tx) => {
    const [row] = await tx
      .select({ id: adoptions.id })
      .from(adoptions)
      .where(and(eq(adoptions.credential, credential), isNull(adoptions.closedAt)));
    return row === undefined ? null : load(tx, row.id);
  });
}

/** Every open adoption, oldest first. */
export async function openAdoptions(db: Database): Promise<AdoptionRecord[]> {
  return read(db, async (tx) => {
    const rows = await tx
      .select({ id: adoptions.id })
      .from(adoptions)
      .where(isNull(adoptions.closedAt))
      .orderBy(adoptions.openedAt, adoptions.id);
    const found: AdoptionRecord[] = [];
    for (const { id } of rows) found.push(await load(tx, id));
    return found;
  });
}

/** The adoption of a credential that took a step last, open or not; null where none ever did. */
export async function lastBegunAdoption(db: Database, credential: string): Promise<AdoptionRecord | null> {
  return read(db, async (tx) => {
    const [row] = await tx
      .select({ id: adoptions.id })
      .from(adoptions)
      .where(and(eq(adoptions.credential, credential), isNotNull(adoptions.begunAt)))
      .orderBy(desc(adoptions.begunAt), desc(adoptions.openedAt))
      .limit(1);
    return row === undefined ? null : load(tx, row.id);
  });
}

/** The adoption of that id. Throws `not-found`. */
export async function adoptionWith(db: Database, id: string): Promise<AdoptionRecord> {
  return read(db, (tx) => load(tx, id));
}

/** Holds the row of the credential until the transaction ends, as the opening of a rotation does. */
export async function holdCredential(tx: Tx, credential: string): Promise<void> {
  const [row] = await tx
    .select({ endedAt: entries.endedAt })
    .from(entries)
    .where(and(eq(entries.id, credential), eq(entries.section, "credentials")))
    .for("no key update");
  if (row === undefined || row.endedAt !== null) {
    throw new RekeyError("not-found", `The estate has no credential ${credential}.`);
  }
}

async function end(
  tx: Tx,
  id: string,
  outcome: AdoptionOutcome,
  closingReason: string,
  at: number,
): Promise<void> {
  const ended = await tx
    .update(adoptions)
    .set({ closedAt: at, outcome, closingReason, workingSince: null })
    .where(and(eq(adoptions.id, id), isNull(adoptions.closedAt)))
    .returning({ credential: adoptions.credential });
  if (ended.length === 0) return;
  const left = await tx
    .update(adoptionSteps)
    .set({ outcome: "unknown", outcomeAt: at })
    .where(and(eq(adoptionSteps.adoption, id), isNull(adoptionSteps.outcome)))
    .returning({ epoch: adoptionSteps.epoch, change: adoptionSteps.number, step: adoptionSteps.step });
  const unknown = left.map((facts) => {
    return { kind: "outcome", at, rotation: id, facts: { ...facts, outcome: "unknown" } } as const;
  });
  // What people wrote may stand in the reason.
  const personal = { reason: closingReason };
  const facts = { credential: ended[0]?.credential, outcome };
  await tellAudit(tx, ...unknown, { kind: "closed", at, rotation: id, facts, personal });
  await freeLocks(tx, id);
}

async function load(tx: Tx, id: string): Promise<AdoptionRecord> {
  const [row] = await tx.select().from(adoptions).where(eq(adoptions.id, id));
  if (row === undefined) throw new RekeyError("not-found", `There is no adoption ${id}.`);
  const { direction: _direction, under, ...record } = row;
  const steps = await tx
    .select({ step: adoptionSteps.step })
    .from(adoptionSteps)
    .where(and(eq(adoptionSteps.adoption, id), eq(adoptionSteps.outcome, "done")))
    .orderBy(adoptionSteps.number);
  return {
    ...record,
    decisions: await recordsOf(tx, id),
    done: [...new Set(steps.map(({ step }) => step))],
    cover: under === null ? null : await signed(tx, under),
  };
}

async function signed(tx: Tx, id: string): Promise<SignedAdoption | null> {
  const [row] = await tx
    .select({ plan: adoptions.plan, digest: adoptions.digest, askedAt: adoptions.askedAt })
    .from(adoptions)
    .where(eq(adoptions.id, id));
  return row === undefined ? null : { ...row, decisions: await recordsOf(tx, id) };
}
