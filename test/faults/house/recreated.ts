/**
 * Temporal's namespace is deleted with all that was in it and made anew, while a worker is in the middle of
 * something; then the house does what docs/operations.md says: workers anew, and the rotation is taken up.
 */
import { setTimeout as pause } from "node:timers/promises";
import { isGrpcServiceError, NamespaceNotFoundError, WorkflowNotFoundError } from "@temporalio/client";
import { msToTs } from "@temporalio/common/lib/time.js";
import { listRotations } from "../../../inventory/rotations.js";
import type { RotateInput } from "../../../workflows/messages.js";
import type { Lane } from "./lane.js";

const knownMsMax = 120_000;
const retentionMs = 24 * 3_600_000;
/** gRPC's number for it. */
const notFound = 5;
/** `IndexedValueType` of Temporal's API: Keyword and Bool. */
const searchAttributes = { RekeyPhase: 2, RekeyEmergency: 5 };

/** Deletes the namespace and makes one of its name; resolves once the server knows nothing any more of the workflow. */
export async function recreateNamespace({ temporal }: Lane, workflow: string): Promise<void> {
  const { namespace } = temporal.options;
  const { operatorService, workflowService } = temporal.connection;
  await operatorService.deleteNamespace({ namespace });
  await workflowService.registerNamespace({
    namespace,
    workflowExecutionRetentionPeriod: msToTs(retentionMs),
  });
  await until("Temporal does not learn of the namespace", () =>
    operatorService.addSearchAttributes({ namespace, searchAttributes }).then(
      () => true,
      (error: unknown) => {
        if (isGrpcServiceError(error) && Number(error.code) === notFound) return false;
        throw error;
      },
    ),
  );
  const handle = temporal.workflow.getHandle(workflow);
  // For a second or two some of the server goes on with the old one, or has none.
  await until("Temporal goes on with the namespace that was deleted", () =>
    handle.describe().then(
      () => false,
      (error: unknown) => {
        if (error instanceof NamespaceNotFoundError) return false;
        if (error instanceof WorkflowNotFoundError) return true;
        throw error;
      },
    ),
  );
}

/** `rekey adopt-rotation`; where no rotation was open yet, whoever wanted one asks for it again. */
export async function takeUp({ rotations, db, credential }: Lane, input: RotateInput): Promise<void> {
  const open = await listRotations(db, { credential, open: true });
  const started = open.length === 0 ? 0 : await rotations.tend({ credential, requestedBy: "operator" });
  if (started === 0) await rotations.start(input);
}

async function until(otherwise: string, holds: () => Promise<boolean>): Promise<void> {
  const last = Date.now() + knownMsMax;
  while (!(await holds())) {
    if (Date.now() > last) throw new Error(otherwise);
    await pause(100);
  }
}
