/**
 * Opening a rotation, or taking over the one that is open. The row lock on the credential makes this the one
 * place where "is there a rotation?" is asked and answered (H8); a workflow id only helps to find it.
 */

import { RekeyError } from "../domain/errors.js";
import type { RotationEvent } from "../domain/rotation/events.js";
import type { RotationState } from "../domain/rotation/state.js";
import { tellAudit } from "./audit-outbox.js";
import { burn } from "./burning.js";
import { type Database, type Tx, transact } from "./database.js";
import { entries } from "./estate-tables.js";
import { append, eventsOf } from "./events.js";
import { credentialLock, raiseEpoch, takeLocks } from "./fence.js";
import { closeOpenIntent, type Intent, intentAt, lastChangeOf, openIntentOf } from "./intents.js";
import { and, eq, gt, isNull } from "./orm.js";
import { type RotationMode, rotationEpochs, rotationRuns, rotations } from "./rotation-tables.js";
import { endedVersions, livingVersions, type Version } from "./versions.js";

/** What is known when the state of a new rotation is made. `versions` are the credential's living ones, oldest first; `ended` the ids of the others. */
export interface Opening {
  readonly rotation: string;
  readonly epoch: number;
  readonly nonce: string;
  readonly versions: readonly Version[];
  readonly ended: readonly string[];
}

/** Who wants to rotate what, and what the rotation would begin with. */
export interface OpenRequest {
  readonly credential: string;
  readonly workflowId: string;
  readonly runId: string;
  /** The run that this one continues: where that one holds the rotation, this one takes its place and its epoch. */
  readonly continuedFrom?: string | null | undefined;
  /** The first run of the chain or, after a reset, of the run that was reset: its rotation is not begun a second time (H7). */
  readonly firstRunId?: string | undefined;
  /** When the run asked for this first, on Temporal's clock; what a later run of the workflow asked for outranks it. */
  readonly askedAt?: number | undefined;
  /** Used when a new one is opened. */
  readonly newRotationId: string;
  /** Used by this run either way; decisions carry it (H7). */
  readonly nonce: string;
  /** Account and place, as their kinds name them; the credential's own lock is added here (H18). */
  readonly lockKeys: readonly string[];
  /** Pure; called inside the transaction, maybe more than once. */
  readonly initial: (opening: Opening) => RotationState;
  readonly mode: RotationMode;
  readonly requestedBy: string;
  readonly reason: string;
  /** Ids of stored decisions that authorise the start itself, burned by it. */
  readonly burns?: readonly string[] | undefined;
  readonly now: number;
}

/**
 * The rotation that this run holds now; `foldAll(initial, events)` is its state, with everything that this run
 * has recorded before it asked again. `adopted`: another run had it open; `events` has the `adopted` event of
 * this takeover, recorded already, and `openIntent` is the change that was under way: its record is closed as
 * `unknown`, and the fold of the events says so too. `continued`: handed on by the run before. `ended`: it has been closed,
 * and nothing is begun; the fold says how.
 */
export interface Opened {
  readonly kind: "opened" | "adopted" | "continued" | "ended";
  readonly rotation: string;
  readonly epoch: number;
  readonly nonce: string;
  readonly initial: RotationState;
  readonly events: readonly RotationEvent[];
  readonly openIntent: Intent | null;
}

/**
 * Opens a rotation of the credential, or adopts the open one with the next epoch. Called again by the same run
 * it answers for the same rotation and epoch and raises nothing. Throws `rotation-open` when another credential's rotation holds
 * one of the lock keys, `superseded` to a run whose rotation was taken over since, also while it followed another one, and to
 * one after which a later run of its workflow has asked, `not-found` for a credential that is
 * not in the estate.
 */
export async function openRotation(db: Database, request: OpenRequest): Promise<Opened> {
  return transact(db, async (tx) => {
    await holdCredential(tx, request.credential);
    const mine = await runOf(tx, request.workflowId, request.runId);
    if (mine) return answerAgain(tx, mine);
    await refuseLate(tx, request);
    const [open] = await tx
      .select()
      .from(rotations)
      .where(and(eq(rotations.credential, request.credential), isNull(rotations.closedAt)));
    if (open === undefined) {
      return (await repeated(tx, request)) ?? begin(tx, request);
    }
    const { continuedFrom, workflowId } = request;
    const handedOn = open.workflowId === workflowId && open.runId === continuedFrom;
    if (handedOn) return goOn(tx, open, request);
    // Taken over in the moment in which one run followed the other; nobody has ordered to take that back (H24).
    if (continuedFrom != null && open.workflowId !== workflowId) throw heldElsewhere(open);
    return adopt(tx, open, request);
  });
}

type RotationRow = typeof rotations.$inferSelect;
type RunRow = typeof rotationRuns.$inferSelect;

async function holdCredential(tx: Tx, credential: string): Promise<void> {
  const [row] = await tx
    .select({ endedAt: entries.endedAt })
    .from(entries)
    .where(and(eq(entries.id, credential), eq(entries.section, "credentials")))
    .for("no key update");
  if (row === undefined || row.endedAt !== null) {
    throw new RekeyError("not-found", `The estate has no credential ${credential}.`);
  }
}

function heldElsewhere({ id, epoch }: RotationRow): RekeyError {
  return new RekeyError("superseded", `Epoch ${epoch} of rotation ${id} is held by another run.`);
}

async function runOf(tx: Tx, workflowId: string, runId: string): Promise<RunRow | undefined> {
  const [row] = await tx
    .select()
    .from(rotationRuns)
    .where(and(eq(rotationRuns.workflowId, workflowId), eq(rotationRuns.runId, runId)));
  return row;
}

/**
 * Runs of one workflow follow each other: what was asked before a later one asked comes from a run that is over, by
 * termination or reset, and that nobody would take up what it took (H8).
 */
async function refuseLate(tx: Tx, { workflowId, askedAt }: OpenRequest): Promise<void> {
  if (askedAt === undefined) return;
  const [later] = await tx
    .select({ runId: rotationRuns.runId })
    .from(rotationRuns)
    .where(and(eq(rotationRuns.workflowId, workflowId), gt(rotationRuns.askedAt, askedAt)))
    .limit(1);
  if (later === undefined) return;
  throw new RekeyError("superseded", `Run ${later.runId} of this workflow has followed the one that asks.`);
}

/** A reset run of a rotation that has ended would begin it all over, with nobody having asked for that (H7). */
async function repeated(tx: Tx, { workflowId, firstRunId }: OpenRequest): Promise<Opened | null> {
  const first = firstRunId === undefined ? undefined : await runOf(tx, workflowId, firstRunId);
  if (first === undefined) return null;
  const [row] = await tx.select().from(rotations).where(eq(rotations.id, first.rotation));
  return row === undefined ? null : ended(tx, row);
}

async function ended(tx: Tx, { id: rotation, epoch, nonce, initial }: RotationRow): Promise<Opened> {
  const events = await eventsOf(tx, rotation);
  return { kind: "ended", rotation, epoch, nonce, initial, events, openIntent: null };
}

async function answerAgain(tx: Tx, mine: RunRow): Promise<Opened> {
  const { rotation, epoch } = mine;
  const [row] = await tx.select().from(rotations).where(eq(rotations.id, rotation));
  const [taken] = await tx
    .select()
    .from(rotationEpochs)
    .where(and(eq(rotationEpochs.rotation, rotation), eq(rotationEpochs.epoch, epoch)));
  if (row === undefined || taken === undefined) {
    throw new RekeyError("internal", `Rotation ${rotation} of this run is not in the records.`);
  }
  if (row.closedAt !== null && row.workflowId === mine.workflowId) return ended(tx, row);
  if (row.runId !== mine.runId || row.workflowId !== mine.workflowId) {
    throw heldElsewhere(row);
  }
  if (mine.continuedFrom !== null) return continued(tx, row);
  const adopted = taken.eventSeq !== null;
  return {
    kind: adopted ? "adopted" : "opened",
    rotation,
    epoch,
    nonce: taken.nonce,
    initial: row.initial,
    events: await eventsOf(tx, rotation),
    openIntent: taken.openChange === null ? null : await intentAt(tx, rotation, taken.openChange),
  };
}

async function begin(tx: Tx, request: OpenRequest): Promise<Opened> {
  const { credential, newRotationId: rotation, workflowId, runId, nonce, now, askedAt } = request;
  const epoch = await takeLocks(tx, rotation, [credentialLock(credential), ...request.lockKeys]);
  const versions = await livingVersions(tx, credential);
  const ended = await endedVersions(tx, credential);
  const initial = request.initial({ rotation, epoch, nonce, versions, ended });
  if (initial.id !== rotation || initial.epoch !== epoch || initial.nonce !== nonce) {
    throw new RekeyError("internal", `The first state of rotation ${rotation} is another rotation's.`);
  }
  await tx.insert(rotations).values({
    id: rotation,
    credential,
    workflowId,
    runId,
    nonce,
    epoch,
    mode: request.mode,
    initial,
    requestedBy: request.requestedBy,
    reason: request.reason,
    openedAt: now,
  });
  await tx.insert(rotationEpochs).values({ rotation, epoch, workflowId, nonce, takenAt: now });
  await tx.insert(rotationRuns).values({ workflowId, runId, rotation, epoch, since: now, askedAt });
  await tellAudit(tx, {
    kind: "opened",
    at: now,
    rotation,
    facts: { credential, epoch, mode: request.mode },
    personal: { requestedBy: request.requestedBy, reason: request.reason },
  });
  await burn(tx, request.burns ?? [], { rotation, change: null, at: now });
  return { kind: "opened", rotation, epoch, nonce, initial, events: [], openIntent: null };
}

async function adopt(tx: Tx, open: RotationRow, request: OpenRequest): Promise<Opened> {
  const { workflowId, runId, nonce, now, askedAt } = request;
  const rotation = open.id;
  const epoch = await raiseEpoch(tx, rotation, open.epoch);
  const openIntent = await openIntentOf(tx, rotation);
  await closeOpenIntent(tx, rotation, now);
  const event: RotationEvent = {
    type: "adopted",
    at: now,
    epoch,
    nonce,
    openChange: openIntent?.step ?? null,
    lastChange: await lastChangeOf(tx, rotation),
  };
  const { seq } = await append(tx, rotation, epoch, event, `epoch:${epoch}`);
  const openChange = openIntent?.change ?? null;
  await tx
    .insert(rotationEpochs)
    .values({ rotation, epoch, workflowId, nonce, takenAt: now, eventSeq: seq, openChange });
  await tx.insert(rotationRuns).values({ workflowId, runId, rotation, epoch, since: now, askedAt });
  const mode = request.mode === "emergency" ? request.mode : open.mode;
  await tx.update(rotations).set({ epoch, workflowId, runId, nonce, mode }).where(eq(rotations.id, rotation));
  await tellAudit(tx, {
    kind: "adopted",
    at: now,
    rotation,
    facts: { credential: open.credential, epoch, mode, openChange },
    personal: { requestedBy: request.requestedBy, reason: request.reason },
  });
  await burn(tx, request.burns ?? [], { rotation, change: null, at: now });
  return {
    kind: "adopted",
    rotation,
    epoch,
    nonce,
    initial: open.initial,
    events: await eventsOf(tx, rotation),
    openIntent: openChange === null ? null : await intentAt(tx, rotation, openChange),
  };
}

/** The run before handed its epoch on: nothing was taken from anybody, so nothing is raised. */
async function goOn(tx: Tx, open: RotationRow, request: OpenRequest): Promise<Opened> {
  const { workflowId, runId, now, askedAt } = request;
  const { id: rotation, epoch, runId: continuedFrom } = open;
  const run = { workflowId, runId, rotation, epoch, since: now, continuedFrom, askedAt };
  await tx.insert(rotationRuns).values(run);
  await tx.update(rotations).set({ runId }).where(eq(rotations.id, rotation));
  return continued(tx, open);
}

async function continued(tx: Tx, { id: rotation, epoch, nonce, initial }: RotationRow): Promise<Opened> {
  const events = await eventsOf(tx, rotation);
  return {
    kind: "continued",
    rotation,
    epoch,
    nonce,
    initial,
    events,
    openIntent: await openIntentOf(tx, rotation),
  };
}
