/** Gate 9 again: tries a value that is off, or was replaced, at every node once more, because nodes may hear of it late (H27). */
import { mayAct } from "../domain/decide.js";
import type { RotationEvent } from "../domain/rotation/events.js";
import { isDisplaced } from "../domain/rotation/moves.js";
import type { StepRequest, StepResult } from "../domain/rotation/work.js";
import { appendEvent } from "../inventory/events.js";
import { asRekeyError, callWithin, framed } from "./calls.js";
import type { ActivityDeps } from "./deps.js";
import { documentOf, unrefused } from "./revoke.js";
import { heldBy } from "./run-check.js";

/** The activity `probe`. A node that lets the value in is named in the failure, and the refusals are counted anew. */
export function probeActivity(deps: ActivityDeps) {
  return ({ state: given, step }: StepRequest): Promise<StepResult> =>
    framed(async () => {
      const { state } = await heldBy(deps, given);
      if (step.do !== "probe" || !mayAct(state, step, deps.now())) return { events: [] };
      const systems = await deps.systems(state.credential);
      const call = callWithin();
      const failed = (code: string, sentence: string, again: boolean): RotationEvent => {
        const at = deps.now();
        return { type: "failed", at, step, change: null, code, sentence, outcome: "not-done", again };
      };
      const event = await (async (): Promise<RotationEvent> => {
        try {
          // What is live is the version that took its place, and has its slot.
          const document = isDisplaced(state, step.version)
            ? await systems.stores.main.staged(step.version, call)
            : await documentOf(systems, step, call);
          const refused = { type: "refused", at: deps.now(), version: step.version } as const;
          if (document === null) return { ...refused, untried: true };
          const open = await unrefused(systems, step.slot, document, call);
          return open === null ? { ...refused, at: deps.now() } : failed("proof-failed", open, true);
        } catch (error) {
          const known = asRekeyError(error);
          return failed(known.code, known.message, known.retry !== "never");
        }
      })();
      await appendEvent(deps.db, state.id, state.epoch, event);
      return { events: [event] };
    });
}
