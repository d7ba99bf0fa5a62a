/**
 * Reads a source for as long as it takes: one activity after the other, until it is read to its end. Each source has one
 * stable workflow id, so that whoever asks while it is read waits for the same reading, and none takes the cursor of another.
 */
import { WorkflowExecutionAlreadyStartedError } from "@temporalio/common";
import { ParentClosePolicy, proxyActivities, startChild, workflowInfo } from "@temporalio/workflow";
import type { ScanReport } from "../domain/discovery/report.js";
import type { HouseWork } from "../domain/rotation/work.js";
import { readingWorkflowId } from "./messages.js";
import { readingSources, sentenceOfFailure } from "./proxies.js";
import { refuseUnsealed } from "./unsealed.js";

const { scan, findings } = proxyActivities<Pick<HouseWork, "scan" | "findings">>(readingSources);

/**
 * Reads the source of this name to its end, and finds what follows from that. One that cannot be read says why; what was read
 * until then is kept. `anew`: from its beginning, and counted anew.
 */
export async function discover(source: string, anew = false): Promise<ScanReport> {
  refuseUnsealed([source, anew]);
  const report = await wholly(anew ? { source, anew: workflowInfo().runId } : { source });
  try {
    const told = await findings();
    const untold = typeof told === "number" ? null : told.untold;
    return untold === null ? report : { ...report, untold };
  } catch (failure) {
    const why = `The findings were not brought up to date: ${sentenceOfFailure(failure)}`;
    return { ...report, failure: report.failure ?? why };
  }
}

async function wholly(request: Parameters<typeof scan>[0]): Promise<ScanReport> {
  try {
    for (;;) {
      const report = await scan(request);
      if (report.endedAt !== null) return report;
    }
  } catch (failure) {
    const nothing = { records: 0, claims: 0, copies: 0, malformed: 0, malformedFirst: [], gaps: [] };
    const why = { failure: sentenceOfFailure(failure), scan: "", startedAt: Date.now(), endedAt: null };
    return { source: request.source, ...why, ...nothing, covered: null };
  }
}

/**
 * Starts the reading that is due, and ends; false where the source is being read. A schedule appends a time stamp to its
 * ids, so it starts this one, and this one starts the stable id. `id` is the entry's in the estate.
 */
export async function discoverDue(source: string, id: string): Promise<boolean> {
  refuseUnsealed([source]);
  try {
    await startChild(discover, {
      ...{ workflowId: readingWorkflowId(id), args: [source], parentClosePolicy: ParentClosePolicy.ABANDON },
    });
    return true;
  } catch (failure) {
    if (failure instanceof WorkflowExecutionAlreadyStartedError) return false;
    throw failure;
  }
}
