/**
 * The one bounded retry, because "try again" written anew in each adapter is how a read outlives its step or
 * a change is made twice. Only reads are repeated here; a change is settled by asking (protocol.md, Fences).
 */
import { setTimeout as sleep } from "node:timers/promises";
import { RekeyError } from "../../domain/errors.js";
import type { Call } from "../ports.js";

/** How often and how long. All times in milliseconds; `random` is in [0, 1). */
export interface RetryPolicy {
  readonly attempts: number;
  readonly attemptTimeoutMs: number;
  readonly pauseMs: number;
  readonly pauseMsMax: number;
  readonly random?: () => number;
}

/** Enough for a restart of a load balancer, short enough for a step: three tries, well under a second of pauses. */
export const readRetry: RetryPolicy = {
  attempts: 3,
  attemptTimeoutMs: 5_000,
  pauseMs: 50,
  pauseMsMax: 1_000,
};

/** The same call with a deadline of its own: its signal fires at the caller's or after `ms`, whichever is first. */
export function within(call: Call, ms: number): Call {
  return { signal: AbortSignal.any([call.signal, AbortSignal.timeout(ms)]) };
}

/** The pause before try number `attempt` (from 1): full jitter over a doubling ceiling, so that a herd spreads. */
export function pauseBefore(attempt: number, policy: RetryPolicy): number {
  const ceiling = Math.min(policy.pauseMsMax, policy.pauseMs * 2 ** (attempt - 1));
  return Math.floor((policy.random ?? Math.random)() * ceiling);
}

/** Waits `ms` milliseconds; ends at once with `unreachable` when the call is over. */
export async function pause(ms: number, call: Call, what: string): Promise<void> {
  try {
    await sleep(ms, undefined, { signal: call.signal });
  } catch {
    throw tooLate(what);
  }
}

/**
 * The promise's outcome, or `error()` as soon as the signal fires, also where the work itself cannot be
 * stopped. The late outcome is swallowed; it must be harmless, as a read or a fenced change is.
 */
export async function orWhenOver<T>(
  work: Promise<T>,
  signal: AbortSignal,
  error: () => RekeyError,
): Promise<T> {
  work.catch(() => undefined);
  if (signal.aborted) throw error();
  let end = () => {};
  const over = new Promise<never>((_, reject) => {
    end = () => reject(error());
  });
  signal.addEventListener("abort", end, { once: true });
  try {
    return await Promise.race([work, over]);
  } finally {
    signal.removeEventListener("abort", end);
  }
}

/**
 * Runs a read until it succeeds, its tries are used up or the call is over. Only `unreachable` is tried
 * again: every other answer was an answer. `what` names the system in the error, never a value.
 */
export async function retryRead<T>(
  call: Call,
  what: string,
  read: (call: Call) => Promise<T>,
  policy: RetryPolicy = readRetry,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    if (call.signal.aborted) throw tooLate(what);
    const frame = within(call, policy.attemptTimeoutMs);
    try {
      return await orWhenOver(read(frame), frame.signal, () => tooLate(what));
    } catch (error) {
      const worthwhile = error instanceof RekeyError && error.code === "unreachable";
      if (!worthwhile || attempt >= policy.attempts || call.signal.aborted) throw error;
    }
    await pause(pauseBefore(attempt, policy), call, what);
  }
}

function tooLate(what: string): RekeyError {
  return new RekeyError("unreachable", `${what} did not answer in time.`);
}
