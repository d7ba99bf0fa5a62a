/** The frame of every activity: a deadline for outside calls, a heartbeat while they last, and errors as our own words. */
import { ApplicationFailure, Context } from "@temporalio/activity";
import type { Call } from "../adapters/ports.js";
import { RekeyError } from "../domain/errors.js";
import { clearedAfter } from "./in-hand.js";

const heartbeatEveryMs = 3_000;

/** Shorter than every activity's start-to-close time, so that a call that is given up does not act later (H3). */
const callTimeoutMs = 30_000;

/** A call that ends at the deadline, or when the activity is cancelled or its worker shuts down. */
export function callWithin(timeoutMs: number = callTimeoutMs): Call {
  return { signal: AbortSignal.any([Context.current().cancellationSignal, AbortSignal.timeout(timeoutMs)]) };
}

/**
 * Runs the body with heartbeats, clears every value that it had in hand, and turns what it throws into a failure that carries our code and sentence
 * and nothing of a provider: no cause, no stack, no text that could quote a value (H40).
 */
export async function framed<T>(body: () => Promise<T>): Promise<T> {
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
