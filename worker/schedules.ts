/** Keeps Temporal's schedules in agreement with the estate in force, also after it changes while the worker runs. */
import { Client, Connection } from "@temporalio/client";
import type { DataConverter } from "@temporalio/common";
import type { Database } from "../inventory/database.js";
import { listEntries } from "../inventory/estate.js";
import { currentRevision } from "../inventory/estate-load.js";
import { noteSealingKey } from "../inventory/processes.js";
import type { CodecRing } from "./codec-ring.js";
import type { TemporalLogin } from "./installation.js";
import { agreeSchedules, scheduledPolicies, scheduledSources } from "./schedule-agreement.js";

const everyMs = 15_000;
const agreeMsMax = 10_000;
/** Also without a change they are looked at now and then: somebody may have deleted one. */
const againMs = 60 * 60_000;

/** What the keeper needs. */
export interface ScheduleKeeperOptions {
  readonly db: Database;
  readonly login: TemporalLogin;
  readonly namespace: string;
  readonly dataConverter: DataConverter;
  /** Where it changes, what the schedules carry is sealed anew. */
  readonly ring: CodecRing;
  /** Takes one sentence about an attempt that failed; the next one follows by itself. */
  readonly warn: (sentence: string) => void;
}

/** Looks at the estate now and then, and agrees the schedules when it has changed, and once an hour. The answer stops it. */
export function keepSchedules({
  db,
  login,
  namespace,
  dataConverter,
  ring,
  warn,
}: ScheduleKeeperOptions): () => Promise<void> {
  const connection = Connection.lazy(login);
  const client = new Client({ connection, namespace, dataConverter });
  let agreed = { revision: -1, at: 0, seals: "" };

  const agree = async (): Promise<void> => {
    const revision = await currentRevision(db);
    const number = revision?.number ?? 0;
    const { seals } = await ring.known();
    if (number === agreed.revision && seals === agreed.seals && Date.now() < agreed.at + againMs) return;
    const [policies, sources] = await Promise.all([listEntries(db, "policies"), listEntries(db, "sources")]);
    const wanted = { policies: scheduledPolicies(policies), sources: scheduledSources(sources) };
    const replaced = await connection.withDeadline(Date.now() + agreeMsMax, () =>
      agreeSchedules(client, wanted, seals),
    );
    agreed = { revision: number, at: Date.now(), seals };
    // What they started until now was sealed with the key that they carried.
    for (const former of replaced) await noteSealingKey(db, former);
  };

  let last: Promise<void> = Promise.resolve();
  const look = () => {
    last = last.then(agree).catch(() => warn("The schedules could not be brought up to date; trying again."));
  };
  look();
  const timer = setInterval(look, everyMs);
  return async () => {
    clearInterval(timer);
    await last;
    await connection.close();
  };
}
