/**
 * Somebody whom nobody declared fetches the old value while it is being replaced, and is on no listing of sessions: only a
 * source shows them (H21). The old version has to stay for them until its owner has taken them upon themself, and the rotation
 * has to say who they are.
 */
import { newId } from "../../../worker/installation.js";
import type { Lane } from "../house/lane.js";
import type { Visited } from "../oracle/readings.js";
import type { RawDocument, Stranger } from "../worlds/world.js";
import type { Case } from "./cases.js";

/** Long enough for whoever does not wait to go on. */
const heldMs = 1_500;

/** One visit, from the case's begin to its end. */
export class Visit {
  readonly #lane: Lane;
  readonly #stranger: Stranger;
  readonly #isLate: boolean;
  /** The account that the old version is at. */
  readonly #account: string;
  #fetchedAt: number | null = null;
  /** When the rotation said who it was. */
  #namedAt: number | null = null;
  #isAnswered = false;
  #isLost = false;

  private constructor(lane: Lane, stranger: Stranger, account: string, isLate: boolean) {
    this.#lane = lane;
    this.#stranger = stranger;
    this.#account = account;
    this.#isLate = isLate;
  }

  /** Somebody comes; null in a direction without anybody. */
  static async in(lane: Lane, direction: Case["direction"], before: RawDocument): Promise<Visit | null> {
    if (direction !== "stranger" && direction !== "latecomer") return null;
    const stranger = await lane.world.stranger?.();
    if (stranger === undefined) throw new Error(`nobody comes to ${lane.worldName}`);
    return new Visit(lane, stranger, lane.world.accountOf(before), direction === "latecomer");
  }

  get visited(): Visited {
    const { name } = this.#stranger;
    return { name, fetchedAt: this.#fetchedAt, isNamed: this.#namedAt !== null, isLost: this.#isLost };
  }

  /** Has them fetch it when they are due, and looks how it stands with what they have. `allMoved`: of the consumers. */
  async watch(workflow: string, allMoved: () => boolean): Promise<void> {
    const opened = (await this.#lane.world.accounts()).filter(({ enabled }) => enabled);
    if (this.#fetchedAt === null) {
      const isDue = this.#isLate ? allMoved() : opened.some(({ name }) => name !== this.#account);
      if (!isDue) return;
      await this.#stranger.fetch();
      this.#fetchedAt = Date.now();
      return;
    }
    if (!this.#isAnswered) this.#isLost ||= opened.every(({ name }) => name !== this.#account);
    if (this.#namedAt === null && (await this.#isSaidBy(workflow))) this.#namedAt = Date.now();
    const isHeld = this.#namedAt !== null && Date.now() > this.#namedAt + heldMs;
    if (isHeld && !this.#isAnswered) await this.#answer(workflow);
  }

  /** The case is over: nobody refuses the next one because of them. */
  async over(): Promise<void> {
    if (this.#fetchedAt !== null) await this.#lane.accept(this.#stranger.name);
  }

  async #isSaidBy(workflow: string): Promise<boolean> {
    const reasons = await this.#lane.rotations.reasons(workflow).catch(() => null);
    const refusals = reasons?.findings.filter(({ severity }) => severity === "refuse") ?? [];
    return refusals.some(({ subject }) => subject === this.#stranger.name);
  }

  /** The owner answers for whoever is late; of the other one nobody knows anything, and the rotation is given up. */
  async #answer(workflow: string): Promise<void> {
    if (this.#isLate) {
      this.#isAnswered = true;
      return this.#lane.accept(this.#stranger.name);
    }
    const progress = await this.#lane.rotations.progress(workflow).catch(() => null);
    if (progress === null || progress.direction === "back") return;
    const order = { rotation: progress.rotation, by: "platform-team", reason: "nobody knows who it is" };
    await this.#lane.rotations.cancel(workflow, order, newId("msg")).catch(() => undefined);
  }
}
