/** One rotation at a time moves a consumer: two that restart the same pods judge each other's dips (H39). */

import { RekeyError } from "../domain/errors.js";
import type { Tx } from "./database.js";
import { eq, inArray } from "./orm.js";
import { leases } from "./rotation-tables.js";

/**
 * Leases all of the consumers to the rotation or none of them. Those that it holds already stay its own.
 * Throws `conflict`, which is worth trying again, naming the first consumer that another rotation moves.
 */
export async function takeLeases(
  tx: Tx,
  rotation: string,
  consumers: readonly string[],
  since: number,
): Promise<void> {
  // In id order, so that two rotations with the same consumers meet at the first one and never wait in a ring.
  const wanted = [...new Set(consumers)].sort();
  if (wanted.length === 0) return;
  await tx
    .insert(leases)
    .values(wanted.map((consumer) => ({ consumer, rotation, since })))
    .onConflictDoNothing();
  const held = await tx
    .select()
    .from(leases)
    .where(inArray(leases.consumer, wanted))
    .orderBy(leases.consumer);
  const busy = held.find((lease) => lease.rotation !== rotation);
  if (busy) {
    throw new RekeyError(
      "busy",
      `Consumer ${busy.consumer} is being moved by rotation ${busy.rotation}.`,
      "The step is tried again; the other rotation gives the consumer back when it ends.",
    );
  }
}

/** Gives every consumer of the rotation back. */
export async function releaseLeases(tx: Tx, rotation: string): Promise<void> {
  await tx.delete(leases).where(eq(leases.rotation, rotation));
}
