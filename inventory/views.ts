/** What the command line and the web show of a rotation and of the whole: one consistent picture each, read only. */

import type { Section } from "../domain/estate/schema.js";
import type { DecisionRecord } from "../domain/rotation/state.js";
import type { Step } from "../domain/rotation/steps.js";
import { untoldWithin } from "./audit-outbox.js";
import { recordsOf } from "./burning.js";
import { type DueCredential, dueWithin } from "./credentials.js";
import { type Database, read } from "./database.js";
import { entries } from "./estate-tables.js";
import type { KeptIncident } from "./incidents.js";
import type { KeptNotice } from "./notices.js";
import { count, eq, isNull } from "./orm.js";
import { incidents, notices } from "./people-tables.js";
import { type IntentOutcome, intents, leases, rotationEpochs, versions } from "./rotation-tables.js";
import { type LoadedRotation, loadWithin, type RotationSummary, summaries } from "./rotations.js";
import type { Version } from "./versions.js";

/** A rotation with everything that was recorded about it. */
export interface RotationView extends LoadedRotation {
  readonly epochs: readonly {
    readonly epoch: number;
    readonly workflowId: string;
    readonly takenAt: number;
  }[];
  readonly changes: readonly {
    readonly change: number;
    readonly epoch: number;
    readonly step: Step;
    readonly at: number;
    readonly outcome: IntentOutcome | null;
    readonly outcomeAt: number | null;
  }[];
  readonly decisions: readonly DecisionRecord[];
  /** Ids of the consumers that it moves now. */
  readonly leases: readonly string[];
  /** The versions of its credential that it made or that live. */
  readonly versions: readonly Version[];
  readonly notices: readonly KeptNotice[];
  readonly incidents: readonly KeptIncident[];
}

/** The whole at a glance. */
export interface Overview {
  /** How many entries are in force, by section. */
  readonly entries: Readonly<Partial<Record<Section, number>>>;
  readonly open: readonly RotationSummary[];
  readonly due: readonly DueCredential[];
  readonly unsignedIncidents: number;
  readonly unsentNotices: number;
  /** What the audit log has not taken in yet: how many entries, and since when the oldest of them waits. */
  readonly untoldAudit: { readonly entries: number; readonly since: number | null };
}

/** Everything about one rotation. Throws `not-found`. */
export async function rotationView(db: Database, id: string): Promise<RotationView> {
  return read(db, async (tx) => {
    const rotation = await loadWithin(tx, id);
    const epochs = await tx
      .select({
        epoch: rotationEpochs.epoch,
        workflowId: rotationEpochs.workflowId,
        takenAt: rotationEpochs.takenAt,
      })
      .from(rotationEpochs)
      .where(eq(rotationEpochs.rotation, id))
      .orderBy(rotationEpochs.epoch);
    const changes = await tx
      .select({
        change: intents.change,
        epoch: intents.epoch,
        step: intents.step,
        at: intents.at,
        outcome: intents.outcome,
        outcomeAt: intents.outcomeAt,
      })
      .from(intents)
      .where(eq(intents.rotation, id))
      .orderBy(intents.change);
    const held = await tx.select().from(leases).where(eq(leases.rotation, id)).orderBy(leases.consumer);
    const known = await tx
      .select()
      .from(versions)
      .where(eq(versions.credential, rotation.credential))
      .orderBy(versions.createdAt, versions.id);
    return {
      ...rotation,
      epochs,
      changes,
      decisions: await recordsOf(tx, id),
      leases: held.map(({ consumer }) => consumer),
      versions: known.filter((version) => version.rotation === id || version.endedAt === null),
      notices: await tx.select().from(notices).where(eq(notices.rotation, id)).orderBy(notices.at),
      incidents: await tx.select().from(incidents).where(eq(incidents.rotation, id)).orderBy(incidents.at),
    };
  });
}

/** What is there, what runs, what is due at `now`, and what people still owe. */
export async function overview(db: Database, now: number): Promise<Overview> {
  return read(db, async (tx) => {
    const sizes = await tx
      .select({ section: entries.section, size: count() })
      .from(entries)
      .where(isNull(entries.endedAt))
      .groupBy(entries.section);
    const [unsigned] = await tx
      .select({ size: count() })
      .from(incidents)
      .where(isNull(incidents.signedOffAt));
    const [unsent] = await tx.select({ size: count() }).from(notices).where(isNull(notices.sentAt));
    return {
      entries: Object.fromEntries(sizes.map(({ section, size }) => [section, size])),
      open: await summaries(tx, { open: true, limit: 1_000 }),
      due: await dueWithin(tx, now),
      unsignedIncidents: unsigned?.size ?? 0,
      unsentNotices: unsent?.size ?? 0,
      untoldAudit: await untoldWithin(tx),
    };
  });
}
