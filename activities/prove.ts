/** Gate 5: logs in with the target at every node; a login is a proof only when the server says whom it let in (H9, H13). */
import { mayAct } from "../domain/decide.js";
import type { RotationEvent } from "../domain/rotation/events.js";
import type { StepRequest, StepResult } from "../domain/rotation/work.js";
import { appendEvent } from "../inventory/events.js";
import { asRekeyError, callWithin, framed } from "./calls.js";
import type { ActivityDeps } from "./deps.js";
import { heldBy } from "./run-check.js";
import { keptDocument } from "./survey.js";

/** Proves a version. A node that answers otherwise is named in the failure. */
export function proveActivity(deps: ActivityDeps) {
  return ({ state: given, step }: StepRequest): Promise<StepResult> =>
    framed(async () => {
      const { state } = await heldBy(deps, given);
      if (step.do !== "prove" || !mayAct(state, step, deps.now())) return { events: [] };
      const systems = await deps.systems(state.credential);
      const call = callWithin();
      const event = await (async (): Promise<RotationEvent> => {
        try {
          const document = await keptDocument(systems, step.version, call);
          const proofs = await systems.issuer.prove(step.slot, document, call);
          const missing = proofs.filter((proof) => !proof.ok);
          if (proofs.length > 0 && missing.length === 0)
            return { type: "proved", at: deps.now(), version: step.version };
          const sentence =
            missing.map(({ node, sentence }) => `${node}: ${sentence}`).join("; ") ||
            "No node could be asked.";
          return failed(sentence, "proof-failed", true);
        } catch (error) {
          const known = asRekeyError(error);
          return failed(known.message, known.code, known.retry !== "never");
        }
      })();
      await appendEvent(deps.db, state.id, state.epoch, event);
      return { events: [event] };

      function failed(sentence: string, code: string, again: boolean): RotationEvent {
        return {
          type: "failed",
          at: deps.now(),
          step,
          change: null,
          code,
          sentence,
          outcome: "not-done",
          again,
        };
      }
    });
}
