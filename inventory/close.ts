/** The end of a rotation: its last event, its versions, its locks and its leases in one transaction, so that it never half ends. */

import { RekeyError } from "../domain/errors.js";
import type { Outcome } from "../domain/rotation/state.js";
import { tellAudit } from "./audit-outbox.js";
import { type Database, type Tx, transact } from "./database.js";
import { entries } from "./estate-tables.js";
import { append, overtaken } from "./events.js";
import { freeLocks, holdFence } from "./fence.js";
import { closeOpenIntent } from "./intents.js";
import { releaseLeases } from "./leases.js";
import { eq } from "./orm.js";
import { rotations } from "./rotation-tables.js";
import { keepVersions, type VersionStanding } from "./versions.js";

/** How it ended. */
export interface CloseRequest {
  readonly rotation: string;
  readonly epoch: number;
  readonly outcome: Outcome;
  readonly reason: string;
  /** The version that consumers use from now on; null where there is none. */
  readonly active: string | null;
  /** Every version that the rotation knew, its former active one included. */
  readonly versions: readonly VersionStanding[];
  /** How many of its events the end was chosen by; where somebody's word has come since, nothing ends. */
  readonly read?: number | undefined;
  readonly at: number;
}

/** What is recorded of the end; `repeated`: it had ended before, maybe otherwise. */
export interface Closed {
  readonly outcome: Outcome;
  readonly at: number;
  readonly repeated: boolean;
}

/**
 * Ends the rotation: records the `closed` event, keeps the versions (`active` as the active one, planned ones
 * as abandoned), frees locks and leases. A second attempt by the same epoch gets the first end back. Null, and nothing
 * is recorded, where somebody has said something that the caller had not read: a leak, for instance. Throws
 * `superseded` for another epoch, `not-found` for a rotation that never was.
 */
export async function closeRotation(db: Database, request: CloseRequest): Promise<Closed | null> {
  const { rotation, epoch, outcome, reason, read, at } = request;
  return transact(db, async (tx) => {
    const credential = await holdCredentialOf(tx, rotation);
    try {
      await holdFence(tx, rotation, epoch);
    } catch (error) {
      if (error instanceof RekeyError && error.code === "already-closed") return endedBefore(tx, request);
      throw error;
    }
    if (read !== undefined && (await overtaken(tx, rotation, read))) return null;
    await closeOpenIntent(tx, rotation, at);
    await append(tx, rotation, epoch, { type: "closed", at, outcome, reason }, "closed");
    const standings = request.versions.map((version) => settled(version, request.active));
    await keepVersions(tx, { credential, rotation, standings, at });
    await releaseLeases(tx, rotation);
    await freeLocks(tx, rotation);
    await tx
      .update(rotations)
      .set({ closedAt: at, outcome, closingReason: reason })
      .where(eq(rotations.id, rotation));
    const lives = Object.fromEntries(standings.map(({ id, life }) => [id, life]));
    const facts = { credential, epoch, outcome, active: request.active, versions: lives };
    await tellAudit(tx, { kind: "closed", at, rotation, facts });
    return { outcome, at, repeated: false };
  });
}

/** Holds the credential's row as an opening does, so that whoever opens next sees this rotation open or ended, not half. */
async function holdCredentialOf(tx: Tx, rotation: string): Promise<string> {
  const [row] = await tx
    .select({ credential: rotations.credential })
    .from(rotations)
    .where(eq(rotations.id, rotation));
  if (row === undefined) throw new RekeyError("not-found", `There is no rotation ${rotation}.`);
  await tx
    .select({ id: entries.id })
    .from(entries)
    .where(eq(entries.id, row.credential))
    .for("no key update");
  return row.credential;
}

/** A version after the rotation: one is active, and what never came to be is given up. */
function settled(version: VersionStanding, active: string | null): VersionStanding {
  if (version.id === active) return { ...version, life: "active" };
  if (version.life === "planned") return { ...version, life: "abandoned" };
  return version.life === "active" ? { ...version, life: "retiring" } : version;
}

async function endedBefore(tx: Tx, { rotation, epoch }: CloseRequest): Promise<Closed> {
  const [row] = await tx.select().from(rotations).where(eq(rotations.id, rotation));
  if (row === undefined || row.outcome === null || row.closedAt === null || row.epoch !== epoch) {
    throw new RekeyError("superseded", `Another epoch than ${epoch} has ended rotation ${rotation}.`);
  }
  return { outcome: row.outcome, at: row.closedAt, repeated: true };
}
