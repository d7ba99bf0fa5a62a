/** Rotations as they are recorded: found by id or credential, and loaded whole so that a state can be rebuilt by `foldAll`. */

import { RekeyError } from "../domain/errors.js";
import type { RotationEvent } from "../domain/rotation/events.js";
import type { Outcome, RotationState } from "../domain/rotation/state.js";
import { type Database, read, type Tx, transact } from "./database.js";
import { entries } from "./estate-tables.js";
import { eventsOf } from "./events.js";
import { type Intent, openIntentOf } from "./intents.js";
import { and, desc, eq, isNull } from "./orm.js";
import { type RotationMode, rotations } from "./rotation-tables.js";

/** A rotation without its history. `name` is the credential's; `gate` and `standing` are for people only. */
export interface RotationSummary {
  readonly id: string;
  readonly credential: string;
  readonly name: string;
  readonly workflowId: string;
  readonly runId: string;
  readonly nonce: string;
  readonly epoch: number;
  readonly mode: RotationMode;
  readonly requestedBy: string;
  readonly reason: string;
  readonly gate: string | null;
  readonly standing: string | null;
  readonly openedAt: number;
  readonly closedAt: number | null;
  readonly outcome: Outcome | null;
  readonly closingReason: string | null;
}

/** A rotation with all that its state is rebuilt from: `foldAll(initial, events)`. */
export interface LoadedRotation extends RotationSummary {
  readonly initial: RotationState;
  readonly events: readonly RotationEvent[];
  readonly openIntent: Intent | null;
}

const summaryColumns = {
  id: rotations.id,
  credential: rotations.credential,
  name: entries.name,
  workflowId: rotations.workflowId,
  runId: rotations.runId,
  nonce: rotations.nonce,
  epoch: rotations.epoch,
  mode: rotations.mode,
  requestedBy: rotations.requestedBy,
  reason: rotations.reason,
  gate: rotations.gate,
  standing: rotations.standing,
  openedAt: rotations.openedAt,
  closedAt: rotations.closedAt,
  outcome: rotations.outcome,
  closingReason: rotations.closingReason,
};

/** The rotation and its history. Throws `not-found`. */
export async function loadRotation(db: Database, id: string): Promise<LoadedRotation> {
  return read(db, (tx) => loadWithin(tx, id));
}

/** The same, on the picture of the database that `tx` has. */
export async function loadWithin(tx: Tx, id: string): Promise<LoadedRotation> {
  const [row] = await tx
    .select({ ...summaryColumns, initial: rotations.initial })
    .from(rotations)
    .innerJoin(entries, eq(entries.id, rotations.credential))
    .where(eq(rotations.id, id));
  if (row === undefined) throw new RekeyError("not-found", `There is no rotation ${id}.`);
  return { ...row, events: await eventsOf(tx, id), openIntent: await openIntentOf(tx, id) };
}

/** The open rotation of a credential, or null. */
export async function rotationOf(db: Database, credential: string): Promise<RotationSummary | null> {
  const [open] = await listRotations(db, { credential, open: true, limit: 1 });
  return open ?? null;
}

/** Rotations, newest first; at most `limit` (100) of them. */
export async function listRotations(
  db: Database,
  options: { readonly credential?: string; readonly open?: boolean; readonly limit?: number } = {},
): Promise<RotationSummary[]> {
  return read(db, (tx) => summaries(tx, options));
}

/** The same, on the picture of the database that `tx` has. */
export async function summaries(
  tx: Tx,
  options: { readonly credential?: string; readonly open?: boolean; readonly limit?: number },
): Promise<RotationSummary[]> {
  const ofCredential =
    options.credential === undefined ? undefined : eq(rotations.credential, options.credential);
  return tx
    .select(summaryColumns)
    .from(rotations)
    .innerJoin(entries, eq(entries.id, rotations.credential))
    .where(and(ofCredential, options.open ? isNull(rotations.closedAt) : undefined))
    .orderBy(desc(rotations.openedAt), desc(rotations.id))
    .limit(options.limit ?? 100);
}

/** The latest rotation of every credential that has one: the open one, or else the last that was opened. */
export async function latestRotations(tx: Tx): Promise<RotationSummary[]> {
  return tx
    .selectDistinctOn([rotations.credential], summaryColumns)
    .from(rotations)
    .innerJoin(entries, eq(entries.id, rotations.credential))
    .orderBy(rotations.credential, desc(isNull(rotations.closedAt)), desc(rotations.openedAt));
}

/** Notes where the rotation stands, for people. An old epoch's note is dropped in silence: it decides nothing. */
export async function noteProgress(
  db: Database,
  rotation: string,
  epoch: number,
  progress: { readonly gate: string; readonly standing: string },
): Promise<void> {
  const mine = and(eq(rotations.id, rotation), eq(rotations.epoch, epoch), isNull(rotations.closedAt));
  await transact(db, (tx) => tx.update(rotations).set(progress).where(mine));
}

/** The rotation without its history. Throws `not-found`. */
export async function rotationSummary(db: Database, id: string): Promise<RotationSummary> {
  const [row] = await read(db, (tx) =>
    tx
      .select(summaryColumns)
      .from(rotations)
      .innerJoin(entries, eq(entries.id, rotations.credential))
      .where(eq(rotations.id, id)),
  );
  if (row === undefined) throw new RekeyError("not-found", `There is no rotation ${id}.`);
  return row;
}
