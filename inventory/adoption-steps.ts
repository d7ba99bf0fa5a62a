/**
 * No step of an adoption without a durable intent (I8): what is about to be run is written first, in the
 * transaction that takes the credential's lock, counts the signatures and uses them up. How it ended is written
 * once, by whoever holds the lock then.
 */

import { type AdoptionRecord, covers } from "../domain/adopt-plan.js";
import { RekeyError } from "../domain/errors.js";
import { adoptionSteps, adoptions, type StepWay } from "./adoption-tables.js";
import { holdCredential, refuseOpenRotation } from "./adoptions.js";
import { tellAudit } from "./audit-outbox.js";
import { burnSignOffs, recordsOf, type SignOffs } from "./burning.js";
import { type Database, read, type Tx, transact } from "./database.js";
import { credentialLock, freeLocks, holdFence, raiseEpoch, takeLocks } from "./fence.js";
import { and, eq, isNull } from "./orm.js";
import { refuseRestored } from "./restores.js";
import { type IntentOutcome, locks } from "./rotation-tables.js";

/** Whose words count at this moment. */
export type SpeaksFor = NonNullable<SignOffs["speaksFor"]>;

/** What is about to be run. */
export interface StepIntent {
  readonly record: AdoptionRecord;
  /** The epoch that this run was given with its first intent; null for that one, which takes the lock over. */
  readonly epoch: number | null;
  /** Ids of the steps: one that the program runs, or all that are handed to somebody. */
  readonly steps: readonly string[];
  readonly way: Exclude<StepWay, "found">;
  readonly lockKeys: readonly string[];
  readonly speaksFor: SpeaksFor;
  /** The same for the adoption that covers a way back. */
  readonly coverSpeaksFor: SpeaksFor;
  readonly at: number;
}

/** A step's record. */
export interface StepRecord {
  readonly number: number;
  readonly step: string;
  readonly way: StepWay;
  readonly outcome: IntentOutcome | null;
}

/**
 * Writes the intent and answers with the epoch that holds the lock. Throws `decision-refused` when the
 * signatures do not suffice at `at`, `rotation-open` while a rotation is open or holds the account, `superseded`
 * when another run has taken the adoption over, `already-closed` after its end, `restored` while restored records are
 * not accepted. Nothing at all is written then.
 */
export async function intendStep(db: Database, intent: StepIntent): Promise<number> {
  const { record, steps, way, at } = intent;
  return transact(db, async (tx) => {
    await holdCredential(tx, record.credential);
    const [row] = await tx.select().from(adoptions).where(eq(adoptions.id, record.id)).for("update");
    if (row === undefined || row.closedAt !== null) {
      throw new RekeyError("already-closed", `Adoption ${record.id} has ended.`);
    }
    await refuseOpenRotation(tx, record.credential);
    await refuseRestored(tx);
    const epoch = await epochFor(tx, intent);
    const known = await stepsWithin(tx, record.id);
    let number = known.length;
    for (const step of steps) {
      // Handed out before, and not seen done yet: the same words are given again.
      if (known.some((one) => one.step === step && one.outcome === null)) continue;
      number += 1;
      await tx.insert(adoptionSteps).values({ adoption: record.id, number, epoch, step, way, at });
      const facts = { epoch, change: number, step, way, digest: record.digest };
      await tellAudit(tx, { kind: "intent", at, rotation: record.id, facts });
    }
    await burnFor(tx, { ...intent, record: { ...record, askedAt: row.askedAt } }, number);
    await tx
      .update(adoptions)
      .set({ begunAt: row.begunAt ?? at, workingSince: row.workingSince ?? at })
      .where(eq(adoptions.id, record.id));
    return epoch;
  });
}

/** The lock: taken where it is free, kept by the run that has it, taken over from a run that was interrupted. */
async function epochFor(tx: Tx, { record, epoch, lockKeys }: StepIntent): Promise<number> {
  if (epoch !== null) {
    await holdFence(tx, record.id, epoch);
    return epoch;
  }
  const [held] = await tx
    .select({ epoch: locks.epoch })
    .from(locks)
    .where(eq(locks.rotation, record.id))
    .limit(1);
  if (held) return raiseEpoch(tx, record.id, held.epoch);
  return takeLocks(tx, record.id, [credentialLock(record.credential), ...lockKeys]);
}

async function burnFor(
  tx: Tx,
  { record, speaksFor, coverSpeaksFor, at }: StepIntent,
  change: number,
): Promise<void> {
  if (record.cover !== null) {
    const decisions = await recordsOf(tx, record.cover.plan.adoption, coverSpeaksFor);
    // They were used up by the adoption that they allowed; its way back is a part of what was signed.
    if (covers({ ...record.cover, decisions }, at)) return;
  }
  const { quorum, approvers, deadlineMs } = record.plan.approval;
  await burnSignOffs(
    tx,
    { rotation: record.id, change, at },
    {
      policy: { approval: { quorum, deadlineMs, reminderMs: deadlineMs } },
      plans: [{ digest: record.digest, approvers }],
      vetoes: true,
      askedAt: record.askedAt,
      speaksFor,
    },
  );
}

/** Settles the step's open intent. One that is settled stays as it is; one that was never written is an error of ours. */
export async function settleStep(
  db: Database,
  adoption: string,
  epoch: number,
  step: string,
  outcome: "done" | "not-done",
  at: number,
): Promise<void> {
  await transact(db, async (tx) => {
    await holdFence(tx, adoption, epoch);
    await settle(tx, adoption, step, outcome, at);
  });
}

/**
 * Keeps what was seen at the issuer: open intents of these steps are done, and those that nobody had an intent
 * for were found done. Answers with the steps that this is news about.
 */
export async function noticeSteps(
  db: Database,
  adoption: string,
  steps: readonly string[],
  at: number,
): Promise<string[]> {
  return transact(db, async (tx) => {
    const [row] = await tx.select().from(adoptions).where(eq(adoptions.id, adoption)).for("update");
    if (row === undefined || row.closedAt !== null) return [];
    const known = await stepsWithin(tx, adoption);
    const news: string[] = [];
    let number = known.length;
    for (const step of steps) {
      const mine = known.filter((one) => one.step === step);
      if (mine.some(({ outcome }) => outcome === "done")) continue;
      news.push(step);
      if (mine.some(({ outcome }) => outcome === null)) {
        await settle(tx, adoption, step, "done", at);
        continue;
      }
      number += 1;
      const found = { adoption, number, epoch: 0, step, way: "found", outcome: "done" } as const;
      await tx.insert(adoptionSteps).values({ ...found, at, outcomeAt: at });
      const facts = { change: number, step, way: "found", outcome: "done" };
      await tellAudit(tx, { kind: "outcome", at, rotation: adoption, facts });
    }
    return news;
  });
}

/** Frees the lock while a rotation is to do its part; the adoption stays open. */
export async function restAdoption(db: Database, adoption: string): Promise<void> {
  await transact(db, async (tx) => {
    await tx
      .update(adoptions)
      .set({ workingSince: null })
      .where(and(eq(adoptions.id, adoption), isNull(adoptions.closedAt)));
    await freeLocks(tx, adoption);
  });
}

/** The steps of an adoption in the order in which they were begun or found. */
export async function stepsOf(db: Database, adoption: string): Promise<StepRecord[]> {
  return read(db, (tx) => stepsWithin(tx, adoption));
}

async function stepsWithin(tx: Tx, adoption: string): Promise<StepRecord[]> {
  const { number, step, way, outcome } = adoptionSteps;
  return tx
    .select({ number, step, way, outcome })
    .from(adoptionSteps)
    .where(eq(adoptionSteps.adoption, adoption))
    .orderBy(number);
}

async function settle(
  tx: Tx,
  adoption: string,
  step: string,
  outcome: "done" | "not-done",
  at: number,
): Promise<void> {
  const settled = await tx
    .update(adoptionSteps)
    .set({ outcome, outcomeAt: at })
    .where(
      and(eq(adoptionSteps.adoption, adoption), eq(adoptionSteps.step, step), isNull(adoptionSteps.outcome)),
    )
    .returning({ epoch: adoptionSteps.epoch, change: adoptionSteps.number });
  for (const one of settled)
    await tellAudit(tx, { kind: "outcome", at, rotation: adoption, facts: { ...one, step, outcome } });
}
