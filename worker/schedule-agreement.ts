/**
 * Scheduled runs: one Temporal schedule for each policy with an interval. It starts the thin launcher, which
 * starts what is due; the schedule itself knows no credential.
 */
import {
  type Client,
  ScheduleAlreadyRunning,
  ScheduleNotFoundError,
  ScheduleOverlapPolicy,
} from "@temporalio/client";
import type { Estate } from "../domain/estate/types.js";
import { rotationQueue } from "../workflows/messages.js";

/** What is due is looked for this often; a window is at least that wide in practice. */
const everyMs = 15 * 60_000;
/** After an outage one late launch is enough: it starts everything that became due meanwhile. */
const catchupMs = 60 * 60_000;
/** So that many policies do not launch in the same second. */
const jitterMs = 60_000;
const prefix = "rekey-due/";

/** Id of a policy's schedule. It carries the policy's opaque id, not its name (H40). */
function scheduleId(policyId: string): string {
  return `${prefix}${policyId}`;
}

/** A policy of the estate in force. */
export interface ScheduledPolicy {
  readonly id: string;
  readonly name: string;
}

/** The policies that want a schedule. */
export function scheduledPolicies(estate: Estate, ids: ReadonlyMap<string, string>): ScheduledPolicy[] {
  return Object.entries(estate.policies).flatMap(([name, policy]) => {
    const id = ids.get(name);
    return policy.intervalMs === undefined || id === undefined ? [] : [{ id, name }];
  });
}

/** Makes Temporal's schedules agree with these policies: missing ones are created, ours that are not wanted any more end. */
export async function agreeSchedules(client: Client, wanted: readonly ScheduledPolicy[]): Promise<void> {
  const wantedIds = new Set(wanted.map(({ id }) => scheduleId(id)));
  const present = new Set<string>();
  for await (const { scheduleId: id } of client.schedule.list()) if (id.startsWith(prefix)) present.add(id);
  for (const policy of wanted) if (!present.has(scheduleId(policy.id))) await create(client, policy);
  for (const id of present) if (!wantedIds.has(id)) await remove(client, id);
}

async function create(client: Client, { id, name }: ScheduledPolicy): Promise<void> {
  try {
    await client.schedule.create({
      scheduleId: scheduleId(id),
      spec: { intervals: [{ every: everyMs }], jitter: jitterMs },
      policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: catchupMs },
      action: { type: "startWorkflow", workflowType: "launch", args: [name], taskQueue: rotationQueue },
    });
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
