/** How each kind of step is called: deadlines, retries and heartbeats, chosen by what the step does to the world. */
import {
  ActivityFailure,
  type ActivityOptions,
  ApplicationFailure,
  proxyActivities,
  TimeoutFailure,
  workflowInfo,
} from "@temporalio/workflow";
import type { Step } from "../domain/rotation/steps.js";
import { changes } from "../domain/rotation/steps.js";
import type { HouseWork, RotationWork } from "../domain/rotation/work.js";
import { emergencyQueue, rotationQueue } from "./messages.js";

/** Tried again ever more slowly, except what the activity itself calls final; for ever without `maximumAttempts`. */
function retrying(initialInterval: Wait, maximumInterval: Wait, maximumAttempts?: number) {
  const retry = { initialInterval, maximumInterval, backoffCoefficient: 2 };
  return maximumAttempts === undefined ? retry : { ...retry, maximumAttempts };
}

type Wait = `${number}ms` | `${number}s`;

/** Reads and records: repeated quickly, because twice is as good as once. */
const reading: ActivityOptions = {
  startToCloseTimeout: "60s",
  heartbeatTimeout: "15s",
  retry: retrying("200ms", "10s", 6),
};

/** A look lasts as long as there is something to wait for; its heartbeat says that its worker is alive. */
const looking: ActivityOptions = {
  startToCloseTimeout: "10m",
  heartbeatTimeout: "15s",
  cancellationType: "TRY_CANCEL",
  retry: retrying("200ms", "10s", 6),
};

/**
 * Changes: an attempt whose answer was lost finds its own intent and settles it, so a repetition is safe. Calls end
 * before the time of their activity is over, whatever went before them (`activities/calls.ts`), so an attempt that has
 * run out of time does not act beside the next one (H3). One whose heartbeats do not arrive may, for as long as a call
 * lasts: then the fence holds, and where a provider compares nothing the call's deadline does.
 */
const changing: ActivityOptions = {
  startToCloseTimeout: "90s",
  heartbeatTimeout: "15s",
  retry: retrying("500ms", "10s", 5),
};

/** The lock is waited for as long as it takes: nothing has been done yet, and an outage only delays (I10). */
const opening: ActivityOptions = {
  startToCloseTimeout: "90s",
  heartbeatTimeout: "15s",
  retry: retrying("500ms", "30s"),
};

/**
 * Where the work of an emergency is queued, also of one that began as an ordinary rotation: never behind the looks of
 * others (H24). On a queue of another name there is no other one, and priority alone is left.
 */
function urgently(options: ActivityOptions): ActivityOptions {
  const own = workflowInfo().taskQueue;
  return {
    ...options,
    taskQueue: own === rotationQueue ? emergencyQueue : own,
    priority: { priorityKey: 1 },
  };
}

/** What people say is taken in as long as it takes: a word that was given is not lost in an outage. */
export const messageWork = proxyActivities<RotationWork>({
  startToCloseTimeout: "60s",
  heartbeatTimeout: "15s",
  retry: retrying("200ms", "30s"),
});

/**
 * A report may have to be matched with what is in the store. While that is away for long its sender is told, and can
 * report again, or to another rotation: one that has ended does not stay open for the answer.
 */
const reporting: ActivityOptions = {
  startToCloseTimeout: "60s",
  scheduleToCloseTimeout: "5m",
  heartbeatTimeout: "15s",
  retry: retrying("200ms", "30s"),
};

/** The proxy for a report: urgent before anybody knows whether it is one. */
export function reportWork(): Pick<RotationWork, "report"> {
  return proxyActivities<RotationWork>(urgently(reporting));
}

/** Reading a source lasts as long as there is something to read; each attempt goes on where the last one came to. */
export const readingSources: ActivityOptions = {
  startToCloseTimeout: "15m",
  heartbeatTimeout: "15s",
  retry: retrying("1s", "30s", 4),
};

/** The activities of the short workflows. */
export const houseWork = proxyActivities<HouseWork>({
  startToCloseTimeout: "90s",
  retry: retrying("200ms", "10s", 3),
});

/** The proxy for a step; `null` opens the rotation. `isUrgent`: a leak was reported. */
export function workFor(step: Step | null, isUrgent: boolean): RotationWork {
  const options = optionsFor(step);
  return proxyActivities<RotationWork>(isUrgent ? urgently(options) : options);
}

function optionsFor(step: Step | null): ActivityOptions {
  if (step === null) return opening;
  if (step.do === "survey") return looking;
  return changes(step) ? changing : reading;
}

/** Our code in a failure that came out of an activity; `unknown-outcome` when there is none. */
export function codeOf(failure: unknown): string {
  const cause = failure instanceof ActivityFailure ? failure.cause : failure;
  return cause instanceof ApplicationFailure && cause.type ? cause.type : "unknown-outcome";
}

/** What to tell people about a failure. Our own sentences only: an activity's error is already one of them. */
export function sentenceOfFailure(failure: unknown): string {
  const cause = failure instanceof ActivityFailure ? failure.cause : failure;
  if (cause instanceof ApplicationFailure) return cause.message;
  if (cause instanceof TimeoutFailure) return "The step did not answer in its time.";
  return "The step did not answer.";
}
