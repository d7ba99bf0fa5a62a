/**
 * A copy of a declared consumer that has pinned the old version goes on fetching it by its number, and has no session: only a log
 * shows it, and nobody answers for it, since it is no stranger (gate 8, H21). The old version has to stay for it until the quiet
 * period after the last fetch is over, and the rotation has to say whose copy it is.
 */
import { setTimeout as pause } from "node:timers/promises";
import { pinnedQuietMs } from "../house/estate.js";
import type { Lane } from "../house/lane.js";
import { keptFor, type PinnedVisit } from "../oracle/readings.js";
import type { Seen } from "../seam/witness.js";
import type { PinnedCopy, RawDocument } from "../worlds/world.js";
import type { Case } from "./cases.js";

/** How long after all consumers have moved it comes, and how long after that once more: by then their quiet period is over, and its own is not. */
const comesAfterMs = pinnedQuietMs / 4;
const againAfterMs = pinnedQuietMs * 0.85;
const readsInAll = 2;
const pollMs = 250;

/** One such copy, from the case's begin to its end. */
export class Pinned {
  readonly #lane: Lane;
  readonly #copy: PinnedCopy;
  /** The account that the old version is at. */
  readonly #account: string;
  readonly #reads: { begunAt: number; endedAt: number }[] = [];
  #reading: Promise<void> | null = null;
  #isNamed = false;
  #closedAt: number | null = null;

  private constructor(lane: Lane, copy: PinnedCopy, account: string) {
    this.#lane = lane;
    this.#copy = copy;
    this.#account = account;
  }

  /** It is there; null in a direction without one. */
  static async in(lane: Lane, direction: Case["direction"], before: RawDocument): Promise<Pinned | null> {
    if (direction !== "pinned") return null;
    const copy = await lane.world.pinned?.();
    if (copy === undefined) throw new Error(`nobody pins a version in ${lane.worldName}`);
    return new Pinned(lane, copy, lane.world.accountOf(before));
  }

  get visit(): PinnedVisit {
    const { name } = this.#copy;
    return { name, reads: this.#reads, isNamed: this.#isNamed, closedAt: this.#closedAt };
  }

  /** It came as often as it was to come, and each time early enough to be found. */
  cameAll(seen: readonly Seen[]): boolean {
    return keptFor(this.visit, seen).reads.length === readsInAll;
  }

  /** Has it come when all consumers have moved, and asks the rotation who reads the old version. */
  async watch(workflow: string, allMoved: () => boolean): Promise<void> {
    if (this.#reading === null) {
      if (!allMoved()) return;
      this.#reading = this.#read();
      // It is told of when the case is over.
      this.#reading.catch(() => undefined);
    }
    if (!this.#isNamed && this.#reads.length > 0) this.#isNamed = await this.#isSaidBy(workflow);
  }

  /** Resolves when it has stopped. Throws where it could not come. */
  async over(): Promise<void> {
    await this.#reading;
  }

  /** At its own times, whoever is slow to answer: it looks on for as long as the old version is to stay. */
  async #read(): Promise<void> {
    let dueAt = Date.now() + comesAfterMs;
    let keptUntil = dueAt + pinnedQuietMs;
    for (; Date.now() < keptUntil; await pause(pollMs)) {
      const all = await this.#lane.world.accounts();
      if (all.every(({ name, enabled }) => name !== this.#account || !enabled)) {
        this.#closedAt = Date.now();
        return;
      }
      if (this.#reads.length === readsInAll || Date.now() < dueAt) continue;
      const begunAt = Date.now();
      if (!(await this.#copy.fetch())) continue;
      this.#reads.push({ begunAt, endedAt: Date.now() });
      dueAt = begunAt + againAfterMs;
      keptUntil = begunAt + pinnedQuietMs;
    }
  }

  /** By the number of its version: the copies of earlier cases were said to have read others. */
  async #isSaidBy(workflow: string): Promise<boolean> {
    const reasons = await this.#lane.rotations.reasons(workflow).catch(() => null);
    const { name, version } = this.#copy;
    return (
      reasons?.findings.some(
        ({ code, subject, sentence }) =>
          code === "old-version-read" &&
          subject === name &&
          sentence.startsWith(`${name} read version ${version} of `),
      ) === true
    );
  }
}
