/**
 * The frame of a step that only asks: it changes nothing, so it needs no intent; what it was answered is an event, and
 * so is that nobody could say.
 */
import type { Call } from "../adapters/ports.js";
import { mayAct } from "../domain/decide.js";
import type { RotationEvent } from "../domain/rotation/events.js";
import { failedWith } from "../domain/rotation/failed.js";
import type { RotationState } from "../domain/rotation/state.js";
import type { Step } from "../domain/rotation/steps.js";
import type { StepRequest, StepResult } from "../domain/rotation/work.js";
import { appendEvent } from "../inventory/events.js";
import { asRekeyError, callWithin, framed } from "./calls.js";
import type { ActivityDeps, Systems } from "./deps.js";
import { heldBy } from "./run-check.js";

/** What is asked with. */
export interface Asking<S extends Step> {
  readonly systems: Systems;
  readonly state: RotationState;
  readonly step: S;
  readonly call: Call;
}

/** The activity for a step that `ask` answers with an event; what it throws is kept as the step's failure. */
export function askingActivity<S extends Step>(
  deps: ActivityDeps,
  does: S["do"],
  ask: (asking: Asking<S>) => Promise<RotationEvent>,
): (request: StepRequest) => Promise<StepResult> {
  return ({ state: given, step }) =>
    framed(async () => {
      const { state } = await heldBy(deps, given);
      if (step.do !== does || !mayAct(state, step, deps.now())) return { events: [] };
      const systems = await deps.systems(state.credential);
      const asking = { systems, state, step: step as S, call: callWithin() };
      const event = await ask(asking).catch((error: unknown) =>
        failedWith({ at: deps.now(), step, change: null, outcome: "not-done" }, asRekeyError(error)),
      );
      await appendEvent(deps.db, state.id, state.epoch, event);
      return { events: [event] };
    });
}
