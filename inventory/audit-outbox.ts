/**
 * What is to be told to the audit log. Every record that matters is written together with its entry, in one
 * transaction; whoever keeps the log takes entries from here in the order in which they were written.
 */

import { randomBytes } from "node:crypto";
import { type AuditBody, type AuditEntry, type AuditRecord, auditEntryOf } from "../domain/audit.js";
import { auditOutbox } from "./audit-tables.js";
import { type Database, read, type Tx, transact } from "./database.js";
import { sha256Hex } from "./hash.js";
import { asc, count, sql } from "./orm.js";

const idBytes = 16;
const saltBytes = 16;

/** Writes the entries of these records, in their order, in the transaction that keeps what they tell of. */
export async function tellAudit(tx: Tx, ...records: readonly AuditRecord[]): Promise<AuditEntry[]> {
  const entries = records.map((record) => auditEntryOf(record, randomId(), randomSalt, sha256Hex));
  if (entries.length > 0) await tx.insert(auditOutbox).values(entries);
  return entries;
}

/** The oldest entries that the log has to take in; those whose transaction has not ended are not seen yet. */
export async function waitingEntries(db: Database, limit: number): Promise<AuditEntry[]> {
  const { id, body, openings } = auditOutbox;
  return read(db, (tx) =>
    tx.select({ id, body, openings }).from(auditOutbox).orderBy(asc(auditOutbox.number)).limit(limit),
  );
}

/** How many entries wait. */
export async function waitingCount(db: Database): Promise<number> {
  const [row] = await read(db, (tx) => tx.select({ waiting: count() }).from(auditOutbox));
  return row?.waiting ?? 0;
}

/** How many entries wait, and since when the oldest of them does. */
export async function untoldWithin(tx: Tx): Promise<{ entries: number; since: number | null }> {
  const [row] = await tx.select({ entries: count() }).from(auditOutbox);
  const [oldest] = await tx
    .select({ body: auditOutbox.body })
    .from(auditOutbox)
    .orderBy(asc(auditOutbox.number))
    .limit(1);
  const since = oldest === undefined ? null : (JSON.parse(oldest.body) as AuditBody).at;
  return { entries: row?.entries ?? 0, since };
}

/** Takes away entries that the log has. Those that somebody else took away are none of ours. */
export async function takeEntries(db: Database, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  // One parameter, and not one for each: a batch has thousands.
  const mine = sql`${auditOutbox.id} = any(${sql.param([...ids])}::text[])`;
  await transact(db, (tx) => tx.delete(auditOutbox).where(mine));
}

function randomId(): string {
  return `aud_${randomBytes(idBytes).toString("hex")}`;
}

function randomSalt(): string {
  return randomBytes(saltBytes).toString("hex");
}
