/** What an activity throws ends up in Temporal's history, so nothing of a provider's words may be in it. */
import { ApplicationFailure, asyncLocalStorage, CancelledFailure, Context } from "@temporalio/activity";
import { DefaultFailureConverter, defaultPayloadConverter } from "@temporalio/common";
import { afterEach, describe, expect, test, vi } from "vitest";
import { asRekeyError, callWithin, framed, toFailure } from "../../activities/calls.js";
import { type ErrorCode, RekeyError } from "../../domain/errors.js";

const quoted = "password hunter2-canary is wrong";

/** Runs the body as an activity, with the parts of its context that the frame uses. */
function inActivity<T>(body: (heartbeats: () => number, cancel: (reason: Error) => void) => T): T {
  const cancellation = new AbortController();
  const heartbeat = vi.fn();
  const context = Object.create(Context.prototype, {
    cancellationSignal: { value: cancellation.signal },
    heartbeat: { value: heartbeat },
  }) as Context;
  return asyncLocalStorage.run(context, () =>
    body(
      () => heartbeat.mock.calls.length,
      (reason) => cancellation.abort(reason),
    ),
  );
}

/** The failure as it is written into the history. */
function written(error: unknown): string {
  return JSON.stringify(new DefaultFailureConverter().errorToFailure(error, defaultPayloadConverter));
}

class ProviderError extends Error {
  readonly detail = quoted;
}

afterEach(() => {
  vi.useRealTimers();
});

describe("an error that is none of ours", () => {
  const foreign: Readonly<Record<string, [unknown, string]>> = {
    "an error": [new Error(quoted), "Error"],
    "an error of a class of its own": [new ProviderError(quoted), "ProviderError"],
    "an error with a cause": [new TypeError(quoted, { cause: new Error(quoted) }), "TypeError"],
    "an error that gave itself a name": [Object.assign(new Error("no"), { name: quoted }), "Error"],
    "a text": [quoted, "string"],
    "an object": [{ message: quoted }, "object"],
    nothing: [undefined, "undefined"],
  };

  test.each(Object.entries(foreign))("H40: %s is reported by its class only", (_what, [error, name]) => {
    const known = asRekeyError(error);
    expect(known.code).toBe("unknown-outcome");
    expect(known.message).toBe(`An outside call ended in an unexpected way (${name}).`);
    expect(known.cause).toBeUndefined();
  });

  test.each(Object.entries(foreign))("H40: of %s nothing is written into the history", (_what, [error]) => {
    const failure = inActivity(() => toFailure(error)) as ApplicationFailure;
    expect(failure).toBeInstanceOf(ApplicationFailure);
    expect([failure.cause ?? null, failure.details ?? null]).toEqual([null, null]);
    expect(written(failure)).not.toContain("hunter2");
    expect(written(failure)).toContain("unknown-outcome");
  });
});

describe("an error of ours", () => {
  test("stays itself", () => {
    const error = new RekeyError("fenced", "Slot a has another tag.");
    expect(asRekeyError(error)).toBe(error);
  });

  test.each<[ErrorCode, boolean]>([
    ["fenced", true],
    ["needs-operator", true],
    ["unreachable", false],
    ["unknown-outcome", false],
  ])("%s keeps its code and its sentence, and says whether trying again helps", (code, nonRetryable) => {
    const failure = inActivity(() => toFailure(new RekeyError(code, "Our sentence.")));
    expect(failure).toMatchObject({ type: code, message: "Our sentence.", nonRetryable });
  });

  test("H40: does not take its cause along", () => {
    const error = new RekeyError("unreachable", "The store does not answer.");
    error.cause = new ProviderError(quoted);
    expect(written(inActivity(() => toFailure(error)))).not.toContain("hunter2");
  });
});

describe("a frame", () => {
  test("gives back what the body gives, and throws what was made of an error", async () => {
    expect(await inActivity(() => framed(async () => 7))).toBe(7);
    const failed = inActivity(() => framed(() => Promise.reject(new ProviderError(quoted))));
    await expect(failed).rejects.toMatchObject({ type: "unknown-outcome", nonRetryable: false });
  });

  test("a cancelled activity ends as cancelled, whatever its call threw because of it", async () => {
    const reason = new CancelledFailure("CANCELLED");
    const cancelled = inActivity((_heartbeats, cancel) =>
      framed(async () => {
        cancel(reason);
        throw new ProviderError(quoted);
      }),
    );
    await expect(cancelled).rejects.toBe(reason);
  });

  test("shows that it lives while the body lasts, and not after it", async () => {
    vi.useFakeTimers();
    const seen = await inActivity(async (heartbeats) => {
      const body = framed(() => new Promise((done) => setTimeout(done, 10_000)));
      await vi.advanceTimersByTimeAsync(10_000);
      await body;
      const during = heartbeats();
      await vi.advanceTimersByTimeAsync(10_000);
      return [during, heartbeats()];
    });
    expect(seen).toEqual([3, 3]);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("a call", () => {
  test("H3: ends at its deadline", async () => {
    const { signal } = inActivity(() => callWithin(1));
    await vi.waitFor(() => expect(signal.aborted).toBe(true));
    expect(signal.reason).toMatchObject({ name: "TimeoutError" });
  });

  test("ends with its activity, and not before", () => {
    inActivity((_heartbeats, cancel) => {
      const { signal } = callWithin();
      expect(signal.aborted).toBe(false);
      cancel(new CancelledFailure("CANCELLED"));
      expect(signal.reason).toBeInstanceOf(CancelledFailure);
    });
  });
});
