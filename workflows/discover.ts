/** Reads sources for as long as it takes: one activity after the other, until each source is read to its end. */
import { proxyActivities } from "@temporalio/workflow";
import type { ScanReport } from "../domain/discovery/report.js";
import type { HouseWork } from "../domain/rotation/work.js";
import { refuseUnsealed } from "./listen.js";
import { houseWork, readingSources, sentenceOfFailure } from "./proxies.js";

const { scan } = proxyActivities<Pick<HouseWork, "scan">>(readingSources);

/** Reads one source, or all of the estate. One that fails does not keep the others from being read. */
export async function discover(only: string | null): Promise<readonly ScanReport[]> {
  refuseUnsealed([only]);
  const names = only === null ? await houseWork.sources() : [only];
  return Promise.all(names.map(wholly));
}

async function wholly(source: string): Promise<ScanReport> {
  try {
    for (;;) {
      const report = await scan({ source });
      if (report.endedAt !== null) return report;
    }
  } catch (failure) {
    const nothing = { records: 0, claims: 0, copies: 0, malformed: 0, malformedFirst: [], gaps: [] };
    const why = { failure: sentenceOfFailure(failure), scan: "", startedAt: Date.now(), endedAt: null };
    return { source, ...why, ...nothing, covered: null };
  }
}
