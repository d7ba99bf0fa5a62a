/**
 * Whether this run may still act, and on what: a newer epoch or a reset may have taken its place (H7, H8), and
 * what allows or forbids a change is read from the records, because whoever can write to Temporal's namespace
 * can start this workflow with a state of their own making.
 */
import { Context } from "@temporalio/activity";
import { RekeyError } from "../domain/errors.js";
import { foldAll } from "../domain/rotation/fold.js";
import type { RotationState } from "../domain/rotation/state.js";
import { type LoadedRotation, loadRotation } from "../inventory/rotations.js";
import type { ActivityDeps } from "./deps.js";

/** The rotation's record, and the state with everything that people decided taken from there. */
export interface Held {
  readonly record: LoadedRotation;
  readonly state: RotationState;
}

/**
 * The rotation, if this run still holds it. Throws `superseded` for an old epoch, `already-closed` for one that
 * has ended, `run-reset` for a run that the records do not know as the holder.
 */
export async function heldBy(deps: Pick<ActivityDeps, "db">, state: RotationState): Promise<Held> {
  const { workflowId, runId } = ownRun();
  const record = await loadRotation(deps.db, state.id);
  if (record.epoch !== state.epoch) {
    throw new RekeyError("superseded", `Epoch ${record.epoch} has taken over rotation ${state.id}.`);
  }
  if (record.workflowId !== workflowId || record.runId !== runId) {
    throw new RekeyError("run-reset", `Rotation ${state.id} is held by another run of its workflow.`);
  }
  return { record, state: withRecordedDecisions(state, foldAll(record.initial, record.events)) };
}

/** What people and policies have said comes from the records; what was observed meanwhile stays as it was observed. */
function withRecordedDecisions(state: RotationState, kept: RotationState): RotationState {
  const { credential, installation, nonce, policy, traits, emergency, origin, acceptable } = kept;
  const { plan, amendments, decisions, asked, askedAt, irreversible, closed } = kept;
  return {
    ...state,
    ...{ credential, installation, nonce, policy, traits, emergency, origin, acceptable },
    ...{ plan, amendments, decisions, asked, askedAt, irreversible, closed },
  };
}

/** The run of the workflow that this activity was scheduled by. */
export function ownRun(): { readonly workflowId: string; readonly runId: string } {
  const execution = Context.current().info.workflowExecution;
  if (!execution) throw new RekeyError("internal", "The activity was not scheduled by a workflow.");
  return execution;
}
