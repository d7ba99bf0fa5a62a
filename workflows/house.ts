/** The short workflows: a dry run, a check of the installation, and what schedules start. */
import { WorkflowExecutionAlreadyStartedError } from "@temporalio/common";
import { ParentClosePolicy, startChild } from "@temporalio/workflow";
import type { StockTaking } from "../domain/reconcile.js";
import type { Diagnosis, OpenRotation, Preview, PreviewRequest } from "../domain/rotation/work.js";
import {
  emergencyQueue,
  type Receipt,
  type RotateInput,
  rotationWorkflowId,
  type TendOrder,
} from "./messages.js";
import { houseWork } from "./proxies.js";
import { rotate } from "./rotate.js";
import { refuseUnsealed } from "./unsealed.js";

/** What a rotation or an emergency would do now, and why it may not begin. Changes nothing. */
export async function preview(request: PreviewRequest): Promise<Preview> {
  refuseUnsealed([request]);
  return houseWork.preview(request);
}

/** What every issuer, store and consumer of the estate lacks for a safe rotation, and every source for its next reading. Changes nothing. */
export async function doctor(): Promise<readonly Diagnosis[]> {
  return houseWork.diagnose();
}

/** What exists at issuers and in stores against what is known of it, of one credential or of all. Changes nothing. */
export async function reconcile(credential: string | null): Promise<readonly StockTaking[]> {
  refuseUnsealed([credential]);
  return houseWork.takeStock({ credential });
}

/** Takes in a person's signed word that restored records are gone on with. */
export async function acceptRestored(document: string): Promise<Receipt> {
  return houseWork.acceptRestored({ document });
}

/** Takes in an owner's signature for what an emergency did, after its rotation has ended. */
export async function signOff(credential: string, document: string): Promise<Receipt> {
  refuseUnsealed([credential, document]);
  return houseWork.signOff({ credential, document });
}

/**
 * Starts the rotations that are due under a policy, and ends. A schedule appends a time stamp to its ids, so it
 * starts this one, and this one starts the stable ids; a rotation that runs already is left alone.
 */
export async function launch(policy: string): Promise<number> {
  refuseUnsealed([policy]);
  let started = 0;
  for (const credential of await houseWork.due({ policy })) {
    const workflow = rotationWorkflowId(credential);
    const why = "due by its policy";
    if (await isStarted({ credential, workflow, emergency: false }, "ALLOW_DUPLICATE", why)) started += 1;
  }
  return started;
}

/**
 * Starts the workflows of rotations that are open and have lost theirs, whatever their policies (H8), and ends.
 * Whoever opens one adopts it; an emergency goes where emergencies are worked on. A person orders it for one credential.
 */
export async function tend(order?: TendOrder): Promise<number> {
  refuseUnsealed([order]);
  let started = 0;
  const open = await houseWork.openRotations();
  const asked = open.filter(({ credential }) => order === undefined || credential === order.credential);
  for (const one of asked) {
    const why = "its workflow was lost";
    // Not where it has ended in the meantime: that would begin another one.
    if (await isStarted(one, "ALLOW_DUPLICATE_FAILED_ONLY", why, order?.requestedBy)) started += 1;
  }
  return started;
}

/** Starts the workflow; false where one of that id runs, or has ended well and is not to be repeated. */
async function isStarted(
  { credential, workflow, emergency }: OpenRotation,
  workflowIdReusePolicy: "ALLOW_DUPLICATE" | "ALLOW_DUPLICATE_FAILED_ONLY",
  reason: string,
  requestedBy = "schedule",
): Promise<boolean> {
  const input: RotateInput = { credential, requestedBy, reason };
  try {
    await startChild(rotate, {
      workflowId: workflow,
      workflowIdReusePolicy,
      args: [input],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      searchAttributes: { RekeyPhase: ["planning"], RekeyEmergency: [emergency] },
      // Others stay on the queue of whoever started this.
      ...(emergency ? { taskQueue: emergencyQueue, priority: { priorityKey: 1 } } : {}),
    });
    return true;
  } catch (failure) {
    if (failure instanceof WorkflowExecutionAlreadyStartedError) return false;
    throw failure;
  }
}
