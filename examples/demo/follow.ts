/** Follows a rotation by its query, and tells each new line of its timeline. */
import { setTimeout as pause } from "node:timers/promises";
import { listEntries } from "../../inventory/estate.js";
import type { Progress } from "../../workflows/messages.js";
import type { Scene } from "./scene.js";
import type { Story } from "./story.js";

const everyMs = 100;
/** A demo that takes longer has failed, and must say so. */
const followMsMax = 60_000;

/** One rotation, followed from its start to its end. */
export class Followed {
  readonly #scene: Scene;
  readonly #workflow: string;
  readonly #story: Story;
  #told = 0;

  constructor(scene: Scene, workflow: string, story: Story) {
    this.#scene = scene;
    this.#workflow = workflow;
    this.#story = story;
  }

  /**
   * Waits until `reached` holds, telling what happens meanwhile; answers with where the rotation stands then.
   * Throws when that takes longer than a minute.
   */
  async until(reached: (progress: Progress) => boolean): Promise<Progress> {
    const latest = Date.now() + followMsMax;
    for (;;) {
      const progress = await this.#scene.rotations.progress(this.#workflow);
      await this.#tell(progress);
      if (reached(progress)) return progress;
      if (Date.now() > latest) throw new Error(`it still stands at ${progress.gate}: ${progress.sentence}`);
      await pause(everyMs);
    }
  }

  /** Until the owners are asked. */
  untilAsked(): Promise<Progress> {
    return this.until(({ gate, standing }) => gate === "approved" && standing === "waiting");
  }

  /** Until it has ended, or nobody but an operator can end it. */
  untilEnded(): Promise<Progress> {
    return this.until(({ standing }) => standing === "done" || standing === "needs-operator");
  }

  async #tell({ timeline }: Progress): Promise<void> {
    const fresh = timeline.slice(this.#told);
    if (fresh.length === 0) return;
    this.#told = timeline.length;
    const names = await this.#names();
    for (const entry of fresh) this.#story.step(entry, names);
  }

  async #names(): Promise<Map<string, string>> {
    const consumers = await listEntries(this.#scene.db, "consumers");
    const { state } = await this.#scene.rotations.facts(this.#workflow);
    const versions = Object.keys(state.versions).map(
      (id) => [id, id === state.origin ? "(old)" : "(new)"] as const,
    );
    return new Map([...consumers.map((entry) => [entry.id, entry.name] as const), ...versions]);
  }
}
