/** The frame of every activity: a deadline for outside calls, a heartbeat while they last, and errors as our own words. */
import { ApplicationFailure, Context } from "@temporalio/activity";
import type { Call } from "../adapters/ports.js";
import { RekeyError } from "../domain/errors.js";
import { clearedAfter } from "./in-hand.js";

const heartbeatEveryMs = 3_000;

const callTimeoutMs = 30_000;

/** What is left of an activity's time when its last call has to have ended: for an answer's way, and a late start of ours. */
const marginMs = 10_000;

/** When the frame of an activity was entered, by a clock that nobody sets. */
const entered = new WeakMap<Context, number>();

/**
 * A call that ends at the deadline, or when the activity is cancelled or its worker shuts down; in any case before the
 * activity's own time is over, however much of it went by before the call. Temporal gives an activity whose time is
 * over to somebody else, so a call that lasted longer would act beside the next attempt (H3).
 *
 * Who is cut off from Temporal is given up sooner, by the heartbeats that are missed, and cannot know it: a call that is
 * under way then ends at its deadline and no earlier.
 */
export function callWithin(timeoutMs: number = callTimeoutMs): Call {
  const context = Context.current();
  const now = performance.now();
  const leftMs = callMs(timeoutMs, context.info.startToCloseTimeoutMs, now - (entered.get(context) ?? now));
  const over = leftMs > 0 ? AbortSignal.timeout(leftMs) : AbortSignal.abort(noTimeLeft());
  return { signal: AbortSignal.any([context.cancellationSignal, over]) };
}

/** For how long a call may last of an activity that has `activityMs` and has used up `usedMs` of them. Whole ms, 0 for none. */
export function callMs(wantedMs: number, activityMs: number, usedMs: number): number {
  const leftMs = activityMs - Math.min(marginMs, activityMs / 4) - usedMs;
  return Math.max(0, Math.floor(Math.min(wantedMs, leftMs)));
}

/** As a deadline that has passed says it. */
function noTimeLeft(): DOMException {
  return new DOMException("The activity has no time left for a call.", "TimeoutError");
}

/**
 * Runs the body with heartbeats, clears every value that it had in hand, and turns what it throws into a failure that carries our code and sentence
 * and nothing of a provider: no cause, no stack, no text that could quote a value (H40).
 */
export async function framed<T>(body: () => Promise<T>): Promise<T> {
  entered.set(Context.current(), performance.now());
  const beat = setInterval(() => Context.current().heartbeat(), heartbeatEveryMs);
  try {
    return await clearedAfter(body);
  } catch (error) {
    throw toFailure(error);
  } finally {
    clearInterval(beat);
  }
}

/** The failure that travels through Temporal. An error that is none of ours is reported without its text. */
export function toFailure(error: unknown): unknown {
  if (Context.current().cancellationSignal.aborted) return Context.current().cancellationSignal.reason;
  const known = asRekeyError(error);
  return ApplicationFailure.create({
    message: known.message,
    type: known.code,
    nonRetryable: known.retry === "never",
  });
}

/** The error as one of ours; a foreign one becomes `unknown-outcome` with the name of its class only. */
export function asRekeyError(error: unknown): RekeyError {
  if (error instanceof RekeyError) return error;
  const name = error instanceof Error ? error.constructor.name : typeof error;
  return new RekeyError("unknown-outcome", `An outside call ended in an unexpected way (${name}).`);
}
