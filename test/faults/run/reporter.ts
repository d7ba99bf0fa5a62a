/**
 * A responder who reports, while an ordinary rotation is on its way, that the value it began with has leaked: in the
 * moment in which the case's fault is met, or when the new version is delivered, whichever comes first.
 */
import { newId } from "../../../worker/installation.js";
import type { Lane } from "../house/lane.js";
import type { Seen } from "../seam/witness.js";
import type { RawDocument } from "../worlds/world.js";
import { inputOf } from "./persons.js";

const delivery = /^deliver\.store\.promote\./;

/** Reports once, and again as long as nobody has answered. */
export class Reporter {
  readonly #lane: Lane;
  readonly #workflow: string;
  readonly #leaked: RawDocument;
  #due = false;
  #asking: Promise<void> | null = null;
  #saidAt: number | null = null;
  #heard = false;

  constructor(lane: Lane, workflow: string, leaked: RawDocument) {
    this.#lane = lane;
    this.#workflow = workflow;
    this.#leaked = leaked;
  }

  /** When it was first said, in ms since the epoch, of a report that was heard; null where the rotation was over before. */
  get reportedAt(): number | null {
    return this.#heard ? this.#saidAt : null;
  }

  /** Takes in what was seen; whoever waits for the rotation is not held up by the answer. */
  watch(news: readonly Seen[]): void {
    this.#due ||= news.some(
      ({ what, point }) => what === "planted" || (what === "end" && delivery.test(point)),
    );
    if (!this.#due || this.#heard || this.#asking !== null) return;
    this.#asking = this.#report().finally(() => {
      this.#asking = null;
    });
  }

  /** Resolves once no report is under way any more. */
  async over(): Promise<void> {
    await this.#asking;
  }

  async #report(): Promise<void> {
    const { emergency } = await inputOf(this.#lane, "emergency", this.#leaked);
    if (emergency === undefined) throw new Error("an emergency has a report");
    this.#saidAt ??= Date.now();
    // Whoever reports says it again until somebody has heard it; when the rotation is over there is nobody.
    const receipt = await this.#lane.rotations
      .expedite(this.#workflow, emergency, newId("msg"))
      .catch(() => null);
    this.#heard ||= receipt?.accepted === true;
  }
}
