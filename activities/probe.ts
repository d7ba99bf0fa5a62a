/** Gate 9 again: tries a value that is off, or was replaced, at every node once more, because nodes may hear of it late (H27). */
import { RekeyError } from "../domain/errors.js";
import { isDisplaced } from "../domain/rotation/moves.js";
import type { Step } from "../domain/rotation/steps.js";
import { askingActivity } from "./asking.js";
import type { ActivityDeps } from "./deps.js";
import { documentOf, unrefused } from "./revoke.js";

type Probe = Extract<Step, { do: "probe" }>;

/** The activity `probe`. A node that lets the value in is named in the failure, and the refusals are counted anew. */
export function probeActivity(deps: ActivityDeps) {
  return askingActivity<Probe>(deps, "probe", async ({ systems, state, step, call }) => {
    // What is live is the version that took its place, and has its slot.
    const document = isDisplaced(state, step.version)
      ? await systems.stores.main.staged(step.version, call)
      : await documentOf(systems, step, call);
    if (document === null) return { type: "refused", at: deps.now(), version: step.version, untried: true };
    const open = await unrefused(systems, step.slot, document, call);
    if (open !== null) throw new RekeyError("proof-failed", open);
    return { type: "refused", at: deps.now(), version: step.version };
  });
}
