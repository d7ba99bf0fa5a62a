/**
 * The newest head of the log that this process saw. What was added after the last checkpoint nobody has signed yet, so
 * whoever owns the database could take it away again and no signature would tell; the processes that saw it do (I9).
 */
import { RekeyError } from "../domain/errors.js";
import type { Tx } from "../inventory/database.js";
import { objectionToLog } from "./consistency.js";
import type { Head } from "./proofs.js";

/** What one process remembers of the log; it begins with nothing. */
export class SeenHead {
  #head: Head | null = null;

  /** The newest that was seen, or null. To be asked before the transaction in which it is compared: it may grow meanwhile. */
  get head(): Head | null {
    return this.#head;
  }

  /** Remembers a head that was compared with the one before and is committed. */
  saw(head: Head): void {
    if (this.#head === null || head.size > this.#head.size) this.#head = head;
  }
}

/** Throws `audit-broken` unless the log, whose head this is, goes on from what was seen of it. */
export async function requireSeen(tx: Tx, head: Head, seen: Head | null): Promise<void> {
  if (seen === null) return;
  const sentence = await objectionToLog(tx, head, seen, { source: "this process", means: "has seen" });
  if (sentence !== null) throw new RekeyError("audit-broken", sentence);
}
