/**
 * No act without a durable intent (I8): what is about to be changed is written first, together with the
 * decisions that it uses up and the consumers that it moves, in one transaction that only the present epoch
 * can make. How it ended is written once, together with the event that tells it.
 */

import type { AuditEntry } from "../domain/audit.js";
import { RekeyError } from "../domain/errors.js";
import { canonical } from "../domain/plan.js";
import type { Generation } from "../domain/restore.js";
import type { RotationEvent } from "../domain/rotation/events.js";
import type { Step } from "../domain/rotation/steps.js";
import { tellAudit } from "./audit-outbox.js";
import { burnSignOffs, type SignOffs } from "./burning.js";
import { type Database, read, type Tx, transact } from "./database.js";
import { append, eventAt, overtaken } from "./events.js";
import { holdFence } from "./fence.js";
import { takeLeases } from "./leases.js";
import { and, desc, eq, isNull } from "./orm.js";
import { raiseMark, refuseRestored } from "./restores.js";
import { type IntentOutcome, intents } from "./rotation-tables.js";

/** Whatever the change expects to find, as plain data: tags by slot and place, what was listed before a mint. */
export type Expectations = Readonly<Record<string, unknown>>;

/** A change that was begun. `event` tells its outcome; null while it is open, or where nobody told. */
export interface Intent<Expects extends Expectations = Expectations> {
  readonly rotation: string;
  readonly change: number;
  readonly epoch: number;
  readonly step: Step;
  readonly expects: Expects;
  readonly at: number;
  readonly outcome: IntentOutcome | null;
  readonly event: RotationEvent | null;
}

/** What is about to be changed. */
export interface IntendRequest<Expects extends Expectations = Expectations> {
  readonly rotation: string;
  readonly epoch: number;
  /** Number of the change in this rotation; greater than that of every change before it. */
  readonly change: number;
  readonly step: Step;
  readonly expects: Expects;
  readonly at: number;
  /** Sign-offs that the change needs; counted again and burned here. */
  readonly signOffs?: SignOffs | undefined;
  /** Ids of consumers that the change moves; leased all or none until the rotation closes. */
  readonly leases?: readonly string[] | undefined;
  /** How many of the rotation's events the change was chosen by. */
  readonly read?: number | undefined;
}

/** The intent in force, and whether it had been written by an earlier attempt. */
export interface Intended<Expects extends Expectations = Expectations> extends Intent<Expects> {
  readonly repeated: boolean;
  /** What the audit log is told of it; null where an earlier attempt wrote the intent. */
  readonly entry: AuditEntry | null;
  /** How far the records are with it, to be noted outside; null where an earlier attempt wrote the intent. */
  readonly generation: Generation | null;
}

/**
 * Writes the intent, or returns the one that an earlier attempt wrote for the same change and step: with its
 * first `expects`, whatever is asked now, because the change may have been made since. An earlier change that
 * nobody settled is closed as `unknown`. Null, and nothing is written, where somebody has said something that the
 * caller had not read: a look may take long, and what it led to must not happen behind the report of a leak (H24).
 *
 * Throws `superseded` for another epoch, for a change that a later one has followed, and for a number that
 * stands for another step; `decision-refused` when the sign-offs do not suffice at `at`; `conflict` when
 * another rotation moves one of the consumers; `restored` while restored records are not accepted. Nothing at all is written then.
 */
export async function intend<Expects extends Expectations>(
  db: Database,
  request: IntendRequest<Expects>,
): Promise<Intended<Expects> | null> {
  const { rotation, epoch, change, step, expects, read: known, at } = request;
  return transact(db, async (tx) => {
    await holdFence(tx, rotation, epoch);
    await refuseRestored(tx);
    const last = await lastIntent(tx, rotation);
    if (last !== null && last.change >= change) {
      const same = last.change === change && last.epoch === epoch && canonical(last.step) === canonical(step);
      if (!same) throw leftBehind(rotation, change);
      return { ...(last as Intent<Expects>), repeated: true, entry: null, generation: null };
    }
    if (known !== undefined && (await overtaken(tx, rotation, known))) return null;
    await closeOpenIntent(tx, rotation, at);
    await tx.insert(intents).values({ rotation, change, epoch, step, expects, at });
    const facts = { epoch, change, step, expects };
    const [entry = null] = await tellAudit(tx, { kind: "intent", at, rotation, facts });
    if (request.signOffs) await burnSignOffs(tx, { rotation, change, at }, request.signOffs);
    if (request.leases) await takeLeases(tx, rotation, request.leases, at);
    const intent = { rotation, change, epoch, step, expects, at, outcome: null, event: null };
    // Last, because every intent of the installation raises this one row.
    return { ...intent, repeated: false, entry, generation: await raiseMark(tx) };
  });
}

/** How a change ended, and the event that tells it. */
export interface SettleRequest {
  readonly rotation: string;
  readonly epoch: number;
  readonly change: number;
  readonly outcome: IntentOutcome;
  readonly event: RotationEvent;
  readonly at: number;
}

/** What is recorded of the change's end. `repeated`: it had been settled before, maybe otherwise. */
export interface Settled {
  readonly outcome: IntentOutcome;
  readonly event: RotationEvent;
  readonly repeated: boolean;
}

/**
 * Closes the intent and records the event. The first outcome stands: a later attempt gets that one and its
 * event back. Throws `superseded` when another epoch or a later change has left the change behind, and
 * `internal` when there is no such intent, which means that the database was restored and not "first time" (H32).
 */
export async function settle(db: Database, request: SettleRequest): Promise<Settled> {
  const { rotation, epoch, change, outcome, event, at } = request;
  return transact(db, async (tx) => {
    const before = await settledBefore(tx, rotation, change);
    if (before) return before;
    await holdFence(tx, rotation, epoch);
    // Once more, now that nobody else can write: another attempt may have settled it meanwhile.
    const meanwhile = await settledBefore(tx, rotation, change);
    if (meanwhile) return meanwhile;
    const mine = and(eq(intents.rotation, rotation), eq(intents.change, change));
    const [open] = await tx
      .select({ outcome: intents.outcome, epoch: intents.epoch })
      .from(intents)
      .where(mine);
    if (open === undefined) {
      const hint = "Compare every credential's tags with the records before anything goes on.";
      const sentence = `Change ${change} of rotation ${rotation} has no intent; the database may have been restored.`;
      throw new RekeyError("internal", sentence, hint);
    }
    if (open.outcome !== null || open.epoch !== epoch) throw leftBehind(rotation, change);
    const { seq } = await append(tx, rotation, epoch, event, `change:${change}`);
    await tx.update(intents).set({ outcome, outcomeAt: at, eventSeq: seq }).where(mine);
    const facts = { epoch, change, outcome, ...toldOf(event) };
    await tellAudit(tx, { kind: "outcome", at, rotation, facts });
    return { outcome, event, repeated: false };
  });
}

/** The intent of that change, settled or not, or null where none was written. */
export async function intentOf(db: Database, rotation: string, change: number): Promise<Intent | null> {
  return read(db, (tx) => intentAt(tx, rotation, change));
}

/** The rotation's open intent, or null. At most one is open. */
export async function openIntentOf(tx: Tx, rotation: string): Promise<Intent | null> {
  const last = await lastIntent(tx, rotation);
  return last?.outcome === null ? last : null;
}

/** The same, on the picture of the database that `tx` has. */
export async function intentAt(tx: Tx, rotation: string, change: number): Promise<Intent | null> {
  const [row] = await tx
    .select()
    .from(intents)
    .where(and(eq(intents.rotation, rotation), eq(intents.change, change)));
  return row ? withEvent(tx, row) : null;
}

/** Leaves the open intent's outcome unknown, which whoever goes on has to settle by asking. */
export async function closeOpenIntent(tx: Tx, rotation: string, at: number): Promise<void> {
  const left = await tx
    .update(intents)
    .set({ outcome: "unknown", outcomeAt: at })
    .where(and(eq(intents.rotation, rotation), isNull(intents.outcome)))
    .returning({ epoch: intents.epoch, change: intents.change });
  for (const facts of left) {
    await tellAudit(tx, { kind: "outcome", at, rotation, facts: { ...facts, outcome: "unknown" } });
  }
}

/** What the audit log is told of an outcome's event: no sentence, because those name systems and addresses. */
function toldOf(event: RotationEvent): Readonly<Record<string, unknown>> {
  const { type } = event;
  if (type === "failed") return { event: type, code: event.code };
  if (!("tag" in event)) return { event: type };
  // Whether anybody could try a version that is off is what "revoked" rests on (I5).
  const untried = event.type === "disabled" && event.untried ? { untried: true } : {};
  return { event: type, version: event.version, tag: event.tag, ...untried };
}

/** Number of the last change that was ever begun in the rotation; 0 before the first. */
export async function lastChangeOf(tx: Tx, rotation: string): Promise<number> {
  return (await lastIntent(tx, rotation))?.change ?? 0;
}

async function lastIntent(tx: Tx, rotation: string): Promise<Intent | null> {
  const [row] = await tx
    .select()
    .from(intents)
    .where(eq(intents.rotation, rotation))
    .orderBy(desc(intents.change))
    .limit(1);
  return row ? withEvent(tx, row) : null;
}

async function withEvent(tx: Tx, row: typeof intents.$inferSelect): Promise<Intent> {
  const { rotation, change, epoch, step, expects, at, outcome, eventSeq } = row;
  const event = eventSeq === null ? null : await eventAt(tx, rotation, eventSeq);
  return { rotation, change, epoch, step, expects, at, outcome, event };
}

async function settledBefore(tx: Tx, rotation: string, change: number): Promise<Settled | null> {
  const intent = await intentAt(tx, rotation, change);
  return intent?.outcome && intent.event
    ? { outcome: intent.outcome, event: intent.event, repeated: true }
    : null;
}

function leftBehind(rotation: string, change: number): RekeyError {
  const sentence = `Change ${change} of rotation ${rotation} was left behind by a takeover or another change.`;
  return new RekeyError("superseded", sentence);
}
