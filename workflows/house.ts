/** The short workflows: a dry run, a check of the installation, and the launcher that schedules start. */
import { WorkflowExecutionAlreadyStartedError } from "@temporalio/common";
import { ParentClosePolicy, startChild } from "@temporalio/workflow";
import type { Diagnosis, Preview } from "../domain/rotation/work.js";
import { type Receipt, type RotateInput, rotationWorkflowId } from "./messages.js";
import { houseWork } from "./proxies.js";
import { rotate } from "./rotate.js";

/** What a rotation would do now, and why it may not begin. Changes nothing. */
export async function preview(credential: string): Promise<Preview> {
  return houseWork.preview({ credential });
}

/** What every issuer, store and consumer of the estate lacks for a safe rotation. Changes nothing. */
export async function doctor(): Promise<readonly Diagnosis[]> {
  return houseWork.diagnose();
}

/** Takes in an owner's signature for what an emergency did, after its rotation has ended. */
export async function signOff(credential: string, document: string): Promise<Receipt> {
  return houseWork.signOff({ credential, document });
}

/**
 * Starts the rotations that are due under a policy, and those that are open and have lost their workflow, and
 * ends. A schedule appends a time stamp to its ids, so it starts this one, and this one starts the stable ids;
 * a rotation that runs already is left alone.
 */
export async function launch(policy: string): Promise<number> {
  const open = await houseWork.orphans({ policy });
  const due = await houseWork.due({ policy });
  let started = 0;
  for (const { credential, workflow } of open) {
    // Not where it has ended in the meantime: that would begin another one.
    if (await isStarted(credential, workflow, "ALLOW_DUPLICATE_FAILED_ONLY")) started += 1;
  }
  for (const credential of due) {
    if (await isStarted(credential, rotationWorkflowId(credential), "ALLOW_DUPLICATE")) started += 1;
  }
  return started;
}

/** Starts the workflow; false where one of that id runs, or has ended well and is not to be repeated. */
async function isStarted(
  credential: string,
  workflowId: string,
  workflowIdReusePolicy: "ALLOW_DUPLICATE" | "ALLOW_DUPLICATE_FAILED_ONLY",
): Promise<boolean> {
  const input: RotateInput = { credential, requestedBy: "schedule", reason: "due by its policy" };
  try {
    await startChild(rotate, {
      workflowId,
      workflowIdReusePolicy,
      args: [input],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      searchAttributes: { RekeyPhase: ["planning"], RekeyEmergency: [false] },
    });
    return true;
  } catch (failure) {
    if (failure instanceof WorkflowExecutionAlreadyStartedError) return false;
    throw failure;
  }
}
