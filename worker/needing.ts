/** What Temporal keeps that cannot be read without a codec key: runs from when it was in use, and schedules made with it. */
import { Connection } from "@temporalio/client";
import type { Payload } from "@temporalio/common";
import { RekeyError } from "../domain/errors.js";
import type { Database } from "../inventory/database.js";
import { sealingKeyUsedAt } from "../inventory/processes.js";
import { sealingKeyOf } from "./codec.js";
import type { TemporalLogin } from "./installation.js";

const callMsMax = 10_000;

/** Where to count. */
export interface KeptPayloads {
  readonly db: Database;
  readonly login: TemporalLogin;
  readonly namespace: string;
}

/**
 * How many runs, ended ones that Temporal still keeps among them, and schedules need the key. `memoryMs` is how long
 * somebody who tells nobody may have gone on with it. 0 for a key that nobody ever sealed with. Throws `unreachable`.
 */
export async function needingKey(
  { db, login, namespace }: KeptPayloads,
  keyId: string,
  memoryMs: number,
): Promise<number> {
  const usedAt = await sealingKeyUsedAt(db, keyId);
  if (usedAt === null) return 0;
  const until = new Date(usedAt + memoryMs).toISOString();
  const connection = Connection.lazy({ ...login, connectTimeout: callMsMax });
  try {
    return await connection.withDeadline(Date.now() + callMsMax, async () => {
      const query = `StartTime <= "${until}"`;
      const { count } = await connection.workflowService.countWorkflowExecutions({ namespace, query });
      return Number(count ?? 0) + (await schedulesWith(connection, namespace, keyId));
    });
  } catch {
    // What Temporal's client throws is not ours to repeat; not knowing is not nothing.
    throw new RekeyError("unreachable", "Temporal does not say what it keeps.");
  } finally {
    await connection.close();
  }
}

async function schedulesWith(connection: Connection, namespace: string, keyId: string): Promise<number> {
  const service = connection.workflowService;
  let found = 0;
  let nextPageToken: Uint8Array | undefined;
  do {
    const page = await service.listSchedules({
      namespace,
      maximumPageSize: 100,
      ...(nextPageToken === undefined ? {} : { nextPageToken }),
    });
    for (const { scheduleId } of page.schedules ?? []) {
      const { schedule } = await service.describeSchedule({ namespace, scheduleId: scheduleId ?? "" });
      const payloads: readonly Payload[] = schedule?.action?.startWorkflow?.input?.payloads ?? [];
      if (payloads.some((payload) => sealingKeyOf(payload) === keyId)) found += 1;
    }
    nextPageToken = page.nextPageToken?.length ? page.nextPageToken : undefined;
  } while (nextPageToken !== undefined);
  return found;
}
