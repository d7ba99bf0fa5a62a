/**
 * Rekey's own processes as they tell of themselves. Ages are measured by the database's clock from one end to the
 * other, so that a machine whose clock is off is neither taken for gone nor for fresh (H38).
 */

import { goneAgeMs, type ProcessSeen } from "../domain/processes.js";
import { type Database, read, type Tx, transact } from "./database.js";
import { eq, lt, sql } from "./orm.js";
import { processes, sealingKeys } from "./process-tables.js";

/** What a process tells. `name` is its host and number; keys by their ids. */
export interface ProcessTold {
  readonly id: string;
  readonly role: "worker" | "server";
  readonly name: string;
  readonly opens: readonly string[];
  readonly seals: string;
}

const ageMs = sql<number>`(extract(epoch from clock_timestamp() - ${processes.seenAt}) * 1000)::float8`;

/** Keeps what the process tells in place of what it told before, and forgets those that have long been gone. */
export async function tellProcess(db: Database, told: ProcessTold): Promise<void> {
  const seenAt = sql`clock_timestamp()`;
  const { id, role, name, opens, seals } = told;
  const row = { role, name, opens: [...opens], seals, seenAt };
  await transact(db, async (tx) => {
    const [before] = await tx.select({ seals: processes.seals }).from(processes).where(eq(processes.id, id));
    // It may have gone on with the former key until just now.
    for (const key of new Set([before?.seals ?? seals, seals])) await noteUse(tx, key);
    await tx
      .insert(processes)
      .values({ id, ...row })
      .onConflictDoUpdate({ target: processes.id, set: row });
    await tx.delete(processes).where(lt(processes.seenAt, sql`clock_timestamp() - interval '1 day'`));
  });
}

async function noteUse(tx: Tx, keyId: string): Promise<void> {
  const usedAt = sql`clock_timestamp()`;
  await tx
    .insert(sealingKeys)
    .values({ id: keyId, usedAt })
    .onConflictDoUpdate({ target: sealingKeys.id, set: { usedAt } });
}

/** Something that is used again and again, such as a schedule, was sealed with the key until now. */
export async function noteSealingKey(db: Database, keyId: string): Promise<void> {
  await transact(db, (tx) => noteUse(tx, keyId));
}

/** Until when the key was in use, in milliseconds by the database's clock; `null` where nobody ever told of it. */
export async function sealingKeyUsedAt(db: Database, keyId: string): Promise<number | null> {
  const rows = await read(db, (tx) => tx.select().from(sealingKeys).where(eq(sealingKeys.id, keyId)));
  return rows[0]?.usedAt ?? null;
}

/** The process ends, and is not waited for any more. */
export async function forgetProcess(db: Database, id: string): Promise<void> {
  await transact(db, (tx) => tx.delete(processes).where(eq(processes.id, id)));
}

/** Every process that was heard of of late, by name. */
export async function processesSeen(db: Database): Promise<ProcessSeen[]> {
  const { id, role, name, opens, seals } = processes;
  const rows = await read(db, (tx) =>
    tx.select({ id, role, name, opens, seals, ageMs }).from(processes).orderBy(role, name, processes.id),
  );
  return rows
    .filter((row) => row.ageMs < goneAgeMs)
    .map((row) => ({
      // Whoever starts anew on the same machine is somebody else.
      instance: `${row.role} ${row.name} ${row.id.slice(-6)}`,
      opens: row.opens,
      seals: row.seals,
      ageMs: row.ageMs,
    }));
}
