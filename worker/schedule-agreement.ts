/**
 * Scheduled runs: one Temporal schedule for each policy with an interval, which starts what is due; one for each source that
 * is read by the clock; and one that looks after rotations that have lost their workflow. None of them knows a credential.
 */
import {
  type Client,
  ScheduleAlreadyRunning,
  type ScheduleDescription,
  ScheduleNotFoundError,
  type ScheduleOptions,
  ScheduleOverlapPolicy,
} from "@temporalio/client";
import type { Policy, SourceConfig } from "../domain/estate/types.js";
import type { Entry } from "../inventory/estate.js";
import { rotationQueue } from "../workflows/messages.js";
import { sealingKeyOf } from "./codec.js";

/** What is due is looked for this often, or as often as it becomes due; a window is at least that wide in practice. */
const dueEveryMsMax = 15 * 60_000;
/** How long a rotation can be without its workflow before it is taken up again. */
const tendEveryMs = 5 * 60_000;
/** After an outage one late run is enough: it starts everything that became due or was lost meanwhile. */
const catchupMs = 60 * 60_000;
/** So that many policies do not launch in the same second. */
const jitterMsMax = 60_000;
const prefix = "rekey-due/";
const readingPrefix = "rekey-read/";

/** Id of the schedule that looks after lost rotations. */
export const tendScheduleId = "rekey-tend";

/** Id of a policy's schedule. It carries the policy's opaque id, not its name (H40). */
export function scheduleId(policyId: string): string {
  return `${prefix}${policyId}`;
}

/** Id of a source's schedule, by its opaque id. */
export function readingScheduleId(sourceId: string): string {
  return `${readingPrefix}${sourceId}`;
}

/** A source of the estate that is read by the clock. */
export interface ScheduledSource {
  readonly id: string;
  readonly name: string;
  readonly everyMs: number;
}

/** The sources that want a schedule. */
export function scheduledSources(sources: readonly Pick<Entry, "id" | "name" | "body">[]): ScheduledSource[] {
  return sources.flatMap(({ id, name, body }) => {
    const { every: everyMs } = body as unknown as SourceConfig;
    return everyMs === undefined ? [] : [{ id, name, everyMs }];
  });
}

/** A policy of the estate in force. */
export interface ScheduledPolicy {
  readonly id: string;
  readonly name: string;
  readonly intervalMs: number;
}

/** The policies that want a schedule. */
export function scheduledPolicies(
  policies: readonly Pick<Entry, "id" | "name" | "body">[],
): ScheduledPolicy[] {
  return policies.flatMap(({ id, name, body }) => {
    const { intervalMs } = body as unknown as Policy;
    return intervalMs === undefined ? [] : [{ id, name, intervalMs }];
  });
}

/**
 * Makes Temporal's schedules agree with these policies and sources: missing ones are created, others are set to what is
 * wanted, ours that are not wanted any more end. One that somebody has paused stays paused. What one carries is sealed
 * with the key `seals` afterwards; answers with the ids of the keys that were replaced there.
 */
export async function agreeSchedules(
  client: Client,
  {
    policies,
    sources,
  }: { readonly policies: readonly ScheduledPolicy[]; readonly sources: readonly ScheduledSource[] },
  seals: string,
): Promise<string[]> {
  const wanted = [
    scheduleOf(tendScheduleId, tendEveryMs, "tend", []),
    ...policies.map(({ id, name, intervalMs }) =>
      scheduleOf(scheduleId(id), Math.min(dueEveryMsMax, intervalMs), "launch", [name]),
    ),
    ...sources.map(({ id, name, everyMs }) => ({
      ...scheduleOf(readingScheduleId(id), everyMs, "discoverDue", [name, id]),
      // Nothing is known until it was read once; the next time may be a day away.
      state: { triggerImmediately: true },
    })),
  ];
  const replaced = new Set<string>();
  for (const schedule of wanted) for (const key of await agree(client, schedule, seals)) replaced.add(key);
  const wantedIds = new Set(wanted.map((schedule) => schedule.scheduleId));
  for await (const { scheduleId: id } of client.schedule.list()) {
    const isOurs = id.startsWith(prefix) || id.startsWith(readingPrefix);
    if (isOurs && !wantedIds.has(id)) await remove(client, id);
  }
  return [...replaced];
}

type Wanted = ReturnType<typeof scheduleOf> & Pick<ScheduleOptions, "state">;

function scheduleOf(id: string, everyMs: number, workflowType: string, args: string[]) {
  return {
    scheduleId: id,
    spec: { intervals: [{ every: everyMs }], jitter: Math.min(jitterMsMax, Math.floor(everyMs / 2)) },
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: catchupMs },
    action: { type: "startWorkflow" as const, workflowType, args, taskQueue: rotationQueue },
  } satisfies ScheduleOptions;
}

/** Ids of other keys than the one that seals now, which what it carried was sealed with. */
async function agree(client: Client, wanted: Wanted, seals: string): Promise<string[]> {
  const handle = client.schedule.getHandle(wanted.scheduleId);
  const found = await handle.describe().catch((failure: unknown) => {
    if (failure instanceof ScheduleNotFoundError) return null;
    throw failure;
  });
  if (found === null) {
    await create(client, wanted);
    return [];
  }
  const payloads = found.raw.schedule?.action?.startWorkflow?.input?.payloads ?? [];
  const former = payloads.map(sealingKeyOf).filter((id) => id !== null && id !== seals);
  if (isAsWanted(found, wanted) && former.length === 0) return [];
  const { scheduleId: _, state: __, ...rest } = wanted;
  await handle.update(({ state }) => ({ ...rest, state }));
  return former.filter((id) => id !== null);
}

function isAsWanted({ spec, policies, action }: ScheduleDescription, wanted: Wanted): boolean {
  const [interval, ...more] = spec.intervals ?? [];
  return (
    more.length === 0 &&
    interval?.every === wanted.spec.intervals[0]?.every &&
    spec.jitter === wanted.spec.jitter &&
    policies.catchupWindow === wanted.policies.catchupWindow &&
    policies.overlap === wanted.policies.overlap &&
    action.workflowType === wanted.action.workflowType &&
    action.taskQueue === wanted.action.taskQueue &&
    JSON.stringify(action.args ?? []) === JSON.stringify(wanted.action.args)
  );
}

async function create(client: Client, wanted: Wanted): Promise<void> {
  try {
    await client.schedule.create(wanted);
  } catch (failure) {
    // Another process was quicker; its schedule is the same.
    if (!(failure instanceof ScheduleAlreadyRunning)) throw failure;
  }
}

async function remove(client: Client, id: string): Promise<void> {
  try {
    await client.schedule.getHandle(id).delete();
  } catch (failure) {
    if (!(failure instanceof ScheduleNotFoundError)) throw failure;
  }
}
