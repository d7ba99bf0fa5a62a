/** What is to be told to whom: written before it is sent, so that a crash neither loses a notice nor hides that it was not sent. */

import { RekeyError } from "../domain/errors.js";
import { type Database, read, transact } from "./database.js";
import { and, eq, isNull } from "./orm.js";
import { notices } from "./people-tables.js";

/** A notice. Its text is made when it is sent; `recipients` are addresses of owners. */
export interface KeptNotice {
  readonly id: string;
  readonly rotation: string | null;
  readonly kind: string;
  readonly recipients: readonly string[];
  readonly at: number;
  readonly sentAt: number | null;
}

/** Keeps the notice once, and returns it as it is kept: one that has `sentAt` need not be sent again. */
export async function recordNotice(db: Database, notice: Omit<KeptNotice, "sentAt">): Promise<KeptNotice> {
  return transact(db, async (tx) => {
    const row = { ...notice, recipients: [...notice.recipients] };
    await tx.insert(notices).values(row).onConflictDoNothing();
    const [kept] = await tx.select().from(notices).where(eq(notices.id, notice.id));
    if (kept === undefined) throw new RekeyError("internal", `Notice ${notice.id} was not kept.`);
    return kept;
  });
}

/** Notes that the notice was sent; the first time stands. */
export async function markNoticeSent(db: Database, id: string, at: number): Promise<void> {
  const unsent = and(eq(notices.id, id), isNull(notices.sentAt));
  await transact(db, (tx) => tx.update(notices).set({ sentAt: at }).where(unsent));
}

/** The notices that were never sent, oldest first: all of them, or one rotation's. */
export async function unsentNotices(db: Database, rotation?: string): Promise<KeptNotice[]> {
  const ofRotation = rotation === undefined ? undefined : eq(notices.rotation, rotation);
  return read(db, (tx) =>
    tx
      .select()
      .from(notices)
      .where(and(isNull(notices.sentAt), ofRotation))
      .orderBy(notices.at, notices.id),
  );
}
