/** What happened in a rotation, in order and for ever: the records that its state can be rebuilt from without Temporal. */

import type { AuditRecord } from "../domain/audit.js";
import { canonical } from "../domain/plan.js";
import type { RotationEvent } from "../domain/rotation/events.js";
import { tellAudit } from "./audit-outbox.js";
import { type Database, read, type Tx, transact } from "./database.js";
import { holdFence } from "./fence.js";
import { sha256Hex } from "./hash.js";
import { and, eq, gt, inArray, max, sql } from "./orm.js";
import { rotationEvents } from "./rotation-tables.js";

/** Where the event stands. `repeated`: it had been recorded before, and nothing was written now. */
export interface Appended {
  readonly seq: number;
  readonly repeated: boolean;
}

/**
 * Records the event once. A second attempt is recognised by `key`, by default the event's own content with
 * its time. Throws `superseded` for another epoch than the present one, `already-closed` after the end.
 */
export async function appendEvent(
  db: Database,
  rotation: string,
  epoch: number,
  event: RotationEvent,
  key: string = contentKey(event),
): Promise<Appended> {
  return transact(db, async (tx) => {
    await holdFence(tx, rotation, epoch);
    return append(tx, rotation, epoch, event, key);
  });
}

/** Records the event in a transaction that holds the rotation's fence. */
export async function append(
  tx: Tx,
  rotation: string,
  epoch: number,
  event: RotationEvent,
  key: string = contentKey(event),
): Promise<Appended> {
  const mine = eq(rotationEvents.rotation, rotation);
  const [known] = await tx
    .select({ seq: rotationEvents.seq })
    .from(rotationEvents)
    .where(and(mine, eq(rotationEvents.key, key)));
  if (known) return { seq: known.seq, repeated: true };
  const [last] = await tx
    .select({ seq: max(rotationEvents.seq) })
    .from(rotationEvents)
    .where(mine);
  const seq = (last?.seq ?? 0) + 1;
  await tx.insert(rotationEvents).values({ rotation, seq, epoch, at: event.at, key, event });
  const told = toldOf(event);
  if (told) await tellAudit(tx, { ...told, at: event.at, rotation, facts: { epoch, ...told.facts } });
  return { seq, repeated: false };
}

/**
 * What the audit log is told of an event that no other record of it covers: who ordered what, and what the rotation
 * did about it (I9). Reasons name persons and systems, and can be forgotten (H40).
 */
function toldOf(event: RotationEvent): Pick<AuditRecord, "kind" | "facts" | "personal"> | null {
  switch (event.type) {
    case "resumed": {
      const { type: kind, exit, version, by } = event;
      return { kind, facts: { exit, version }, personal: { by } };
    }
    case "cancelled":
      return { kind: event.type, facts: {}, personal: { by: event.by, reason: event.reason } };
    case "turned":
      return {
        kind: event.type,
        facts: { target: event.target, slot: event.slot },
        personal: { reason: event.reason },
      };
    case "held":
      return { kind: event.type, facts: {}, personal: { reason: event.reason } };
    default:
      return null;
  }
}

/** What people say to a rotation: whatever was chosen before one of these is chosen again. */
const words: readonly RotationEvent["type"][] = ["incident", "cancelled", "decided", "resumed"];

/**
 * True where somebody's word was recorded behind the first `read` events, which are all that the caller knows. In a
 * transaction that holds the rotation's fence; what was read before that may have been overtaken by a leak (I5, H24).
 */
export async function overtaken(tx: Tx, rotation: string, read: number): Promise<boolean> {
  const [later] = await tx
    .select({ seq: rotationEvents.seq })
    .from(rotationEvents)
    .where(
      and(
        eq(rotationEvents.rotation, rotation),
        gt(rotationEvents.seq, read),
        inArray(sql`${rotationEvents.event}->>'type'`, [...words]),
      ),
    )
    .limit(1);
  return later !== undefined;
}

/** The rotation's events in their order. */
export async function eventsOf(tx: Tx, rotation: string): Promise<RotationEvent[]> {
  const rows = await tx
    .select({ event: rotationEvents.event })
    .from(rotationEvents)
    .where(eq(rotationEvents.rotation, rotation))
    .orderBy(rotationEvents.seq);
  return rows.map(({ event }) => event);
}

/** The rotation's event that was recorded under this key, or null. */
export async function eventUnder(db: Database, rotation: string, key: string): Promise<RotationEvent | null> {
  const mine = and(eq(rotationEvents.rotation, rotation), eq(rotationEvents.key, key));
  const [row] = await read(db, (tx) =>
    tx.select({ event: rotationEvents.event }).from(rotationEvents).where(mine),
  );
  return row?.event ?? null;
}

/** One recorded event, or null. */
export async function eventAt(tx: Tx, rotation: string, seq: number): Promise<RotationEvent | null> {
  const [row] = await tx
    .select({ event: rotationEvents.event })
    .from(rotationEvents)
    .where(and(eq(rotationEvents.rotation, rotation), eq(rotationEvents.seq, seq)));
  return row?.event ?? null;
}

function contentKey(event: RotationEvent): string {
  return sha256Hex(canonical(event));
}
