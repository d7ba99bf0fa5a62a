/** How a credential is read, wherever it is kept: one function, one deadline, a bounded number of tries. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Credential } from "./credential.js";
import { asTrouble, Trouble } from "./trouble.js";

/** Reads the whole credential in one call. It may stop when `signal` fires; the kit goes on without it in any case. */
export type Load = (signal: AbortSignal) => Promise<Credential>;

/** `timeoutMs` is for one try (10 s); `attempts` counts the first one too (3); `pauseMs` lies between two (200 ms). */
export interface LoadOptions {
  readonly timeoutMs?: number;
  readonly attempts?: number;
  readonly pauseMs?: number;
}

/** Reads the credential. Throws the last try's `Trouble`; a document that is wrong or refused is not tried again. */
export async function load(source: Load, options: LoadOptions = {}): Promise<Credential> {
  const attempts = options.attempts ?? 3;
  for (let attempt = 1; ; attempt++) {
    try {
      const signal = AbortSignal.timeout(options.timeoutMs ?? 10_000);
      return await within(signal, source(signal));
    } catch (error) {
      const trouble = asTrouble(error, "unreachable", "The credential could not be read from its store.");
      if (trouble.code !== "unreachable" || attempt >= attempts) throw trouble;
      await sleep(options.pauseMs ?? 200);
    }
  }
}

/** The promise's outcome, or `Trouble("unreachable")` once the signal fires: a source that hangs cannot hang the kit. */
export async function within<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
  const late = new Trouble("unreachable", "The store did not answer in time.");
  if (signal.aborted) {
    promise.catch(() => {});
    throw late;
  }
  let stop = () => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(late);
    signal.addEventListener("abort", stop, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
