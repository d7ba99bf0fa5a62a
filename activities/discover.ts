/**
 * Reads a source and keeps what it says, part by part. An attempt goes on where the one before has come to, so that a worker
 * which dies in the middle of a large log costs the part that it was reading.
 */
import { Context } from "@temporalio/activity";
import type { Source } from "../adapters/ports.js";
import type { ScanReport } from "../domain/discovery/report.js";
import type { HouseWork } from "../domain/rotation/work.js";
import { read } from "../inventory/database.js";
import type { ScanRef } from "../inventory/discovery-keep.js";
import { bringFindings } from "../inventory/finding-keep.js";
import { declaredIn } from "../inventory/rematch.js";
import { beginScan, breakOff, endScan, notePart, type Scan } from "../inventory/scans.js";
import { asRekeyError, callWithin, framed } from "./calls.js";
import type { ActivityDeps } from "./deps.js";
import { tellOfFindings } from "./finding-notices.js";

/** After so long an activity hands on to the next one: what it has in hand is cleared, and it can be cancelled. */
const readMsMax = 5 * 60_000;

/** The activities that read sources. */
export function discoverWork(deps: ActivityDeps): Pick<HouseWork, "scan" | "findings"> {
  return {
    scan: ({ source, anew }) => framed(() => scan(deps, source, anew)),
    findings: () =>
      framed(async () => {
        const at = deps.now();
        const { looked } = await bringFindings(deps.db, deps.shapes, at);
        // Where somebody else has looked meanwhile, they tell.
        return { untold: looked ? await tellOfFindings(deps, at) : null };
      }),
  };
}

async function scan(deps: ActivityDeps, name: string, anew?: string): Promise<ScanReport> {
  const { id, shows, settings, source } = await deps.source(name);
  try {
    const begun = await beginScan(deps.db, {
      ...{ source: id, shows, settings, anew, now: deps.now() },
      newId: () => deps.newId("scn"),
    });
    const ref: ScanRef = { id: begun.id, source: id, shows, settings };
    try {
      const isWhole = await readOn(deps, ref, begun, source);
      return reportOf(name, isWhole ? await endScan(deps.db, ref, deps.now()) : begun);
    } catch (error) {
      // A worker that stops says nothing of the source; another one goes on.
      if (!Context.current().cancellationSignal.aborted)
        await breakOff(deps.db, begun.id, asRekeyError(error).message, deps.now());
      throw error;
    }
  } finally {
    await source.close();
  }
}

/** Reads until the end, or until it is time to hand on; says whether that was the end. */
async function readOn(
  deps: ActivityDeps,
  ref: ScanRef,
  begun: Scan,
  source: Pick<Source, "scan">,
): Promise<boolean> {
  const declared = await read(deps.db, (tx) => declaredIn(tx, deps.shapes));
  const until = performance.now() + readMsMax;
  let cursor = begun.cursorAfter;
  for await (const part of source.scan(cursor, callWithin(2 * readMsMax))) {
    await notePart(deps.db, ref, cursor, part, declared, deps.now());
    cursor = part.cursor;
    if (performance.now() > until) return false;
  }
  return true;
}

function reportOf(source: string, scan: Scan): ScanReport {
  const { coveredFrom: from, coveredUntil: until } = scan;
  const { startedAt, endedAt, failure, records, claims, copies, malformed, malformedFirst, gaps } = scan;
  return {
    ...{ source, scan: scan.id, startedAt, endedAt, failure, records, claims, copies },
    ...{ malformed, malformedFirst: malformedFirst.slice(0, 10), gaps },
    covered: from === null || until === null ? null : { from, until },
  };
}
