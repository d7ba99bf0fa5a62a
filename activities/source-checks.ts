/** What each source of the estate finds before it is read: rights, settings and places, a few sources at a time. */
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import type { Call, Source } from "../adapters/ports.js";
import { RekeyError } from "../domain/errors.js";
import { type Finding, refusalOf } from "../domain/finding.js";
import type { Diagnosis } from "../domain/rotation/work.js";
import { listEntries } from "../inventory/estate.js";
import { asRekeyError, callWithin } from "./calls.js";
import type { ActivityDeps } from "./deps.js";

/** Sources at a time: each may hold connections, and the check-up of everything else runs beside them. */
const sourcesMax = 16;

/** For one source, where nothing is read: a connection, a listing of one object, a look at a folder. */
const lookMsMax = 20_000;

const afterDeadlineMs = 500;

/** What is asked here. */
export type SourceChecks = Pick<ActivityDeps, "db" | "source">;

/** One for each source, in the order of their names. One that cannot be asked, or does not answer in time, says why. */
export async function sourceDiagnoses(deps: SourceChecks, lookMs = lookMsMax): Promise<Diagnosis[]> {
  const names = (await listEntries(deps.db, "sources")).map(({ name }) => name);
  const found = new Map<string, readonly Finding[]>();
  const waiting = names.values();
  const lookers = Array.from({ length: Math.min(sourcesMax, names.length) }, async () => {
    // They share one list: whoever is done takes the next.
    for (const name of waiting) found.set(name, await findingsOf(deps, name, lookMs));
  });
  await Promise.all(lookers);
  return names.map((name) => ({ subject: `source ${name}`, findings: found.get(name) ?? [] }));
}

async function findingsOf(deps: SourceChecks, name: string, lookMs: number): Promise<readonly Finding[]> {
  try {
    const { source } = await deps.source(name);
    try {
      return await asked(name, source, lookMs);
    } finally {
      await source.close();
    }
  } catch (error) {
    return [refusalOf(asRekeyError(error))];
  }
}

/** Its preflight; a folder on a disk that hangs hears of no deadline, so that is not left to the source. */
async function asked(name: string, source: Source, lookMs: number): Promise<readonly Finding[]> {
  const call = callWithin(lookMs);
  const over = new AbortController();
  try {
    const found = await Promise.race([source.preflight(call), lateness(call, over.signal)]);
    if (found !== null) return found;
    throw new RekeyError(
      "unreachable",
      `The source ${name} did not answer in time.`,
      "See whether what it reads answers, and run `rekey doctor` again.",
    );
  } finally {
    over.abort();
  }
}

/** Null a moment after the call's deadline: whoever heard of it has said by then what was waited for. */
async function lateness({ signal }: Call, over: AbortSignal): Promise<null> {
  try {
    if (!signal.aborted) await once(signal, "abort", { signal: over });
    return await sleep(afterDeadlineMs, null, { signal: over });
  } catch {
    // It has answered.
    return null;
  }
}
