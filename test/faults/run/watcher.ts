/**
 * Keeps a session open as a consumer would that is slow to leave: the engine has to wait for it in an ordinary
 * rotation, and has to end it in an emergency whose deadline has passed. Where no session shows which version it
 * holds, one that stays is ended in any case.
 */
import type { HeldSession, RawDocument } from "../worlds/world.js";

const stayMs = 1_500;

/** A session that is held, and whose value opened it. */
export interface Held {
  readonly document: RawDocument;
  readonly session: HeldSession;
}

/** Watches over the held sessions of one case. */
export class Watcher {
  readonly #held: readonly Held[];
  readonly #leaves: boolean;
  #leaveAt: number | null = null;
  #leftAt: number | null = null;
  /** True once a session was cut that somebody was still entitled to (I2). */
  cutOff = false;

  /** `leaves`: they go by themselves, and are entitled to stay until then. */
  constructor(leaves: boolean, held: readonly Held[]) {
    this.#held = held;
    this.#leaves = leaves;
  }

  /** Until when somebody entitled held one, in ms since the epoch: null where nobody was, `Infinity` where they never left. */
  get heldUntil(): number | null {
    return this.#leaves && this.#held.length > 0 ? (this.#leftAt ?? Number.POSITIVE_INFINITY) : null;
  }

  /** Some time after everybody else has moved, the slow one leaves by itself. */
  async watch(othersMoved: () => boolean): Promise<void> {
    if (!this.#leaves) return;
    if (this.#leaveAt === null && othersMoved()) this.#leaveAt = Date.now() + stayMs;
    if (this.#leaveAt === null || Date.now() < this.#leaveAt) return;
    this.#leaveAt = Number.POSITIVE_INFINITY;
    this.#leftAt = Date.now();
    for (const { session } of this.#held) {
      if (!(await session.alive())) this.cutOff = true;
      await session.end();
    }
  }
}
