/** A reset of a rotation's workflow, as operators of Temporal order it. */
import { randomUUID } from "node:crypto";
import type { WorkflowHandle } from "@temporalio/client";
import type { House } from "./house.js";

/** What `temporal workflow reset --type LastWorkflowTask` does, or to one before that; the handle is the new run's. */
export async function resetToLast(
  { client, workflowId }: House,
  handle: WorkflowHandle,
  before = 0,
): Promise<WorkflowHandle> {
  const { runId } = await handle.describe();
  const { events } = await client.workflow.getHandle(workflowId, runId).fetchHistory();
  const last = events?.filter((event) => event.workflowTaskCompletedEventAttributes).at(-1 - before);
  const { runId: newRunId } = await client.workflowService.resetWorkflowExecution({
    namespace: client.options.namespace,
    workflowExecution: { workflowId, runId },
    reason: "a repair",
    requestId: randomUUID(),
    workflowTaskFinishEventId: last?.eventId as never,
  });
  return client.workflow.getHandle(workflowId, newRunId ?? undefined);
}
