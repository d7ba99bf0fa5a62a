/** Whether this run may still act: a newer epoch, or a reset of the workflow, has taken its place (H7, H8). */
import { Context } from "@temporalio/activity";
import { RekeyError } from "../domain/errors.js";
import type { RotationState } from "../domain/rotation/state.js";
import { type RotationSummary, rotationSummary } from "../inventory/rotations.js";
import type { ActivityDeps } from "./deps.js";

/**
 * The rotation's record, if this run still holds it. Throws `superseded` for an old epoch, `already-closed` for
 * one that has ended, `run-reset` for a run that the records do not know as the holder.
 */
export async function checkRun(
  deps: Pick<ActivityDeps, "db">,
  state: RotationState,
): Promise<RotationSummary> {
  const { workflowId, runId } = ownRun();
  const record = await rotationSummary(deps.db, state.id);
  if (record.epoch !== state.epoch) {
    throw new RekeyError("superseded", `Epoch ${record.epoch} has taken over rotation ${state.id}.`);
  }
  if (record.workflowId !== workflowId || record.runId !== runId) {
    throw new RekeyError("run-reset", `Rotation ${state.id} is held by another run of its workflow.`);
  }
  return record;
}

/** The run of the workflow that this activity was scheduled by. */
export function ownRun(): { readonly workflowId: string; readonly runId: string } {
  const execution = Context.current().info.workflowExecution;
  if (!execution) throw new RekeyError("internal", "The activity was not scheduled by a workflow.");
  return execution;
}
