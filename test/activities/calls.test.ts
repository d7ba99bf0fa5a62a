/** What an activity throws ends up in Temporal's history, so nothing of a provider's words may be in it. */
import { setTimeout as pause } from "node:timers/promises";
import { ApplicationFailure, asyncLocalStorage, CancelledFailure, Context } from "@temporalio/activity";
import { DefaultFailureConverter, defaultPayloadConverter } from "@temporalio/common";
import { afterEach, describe, expect, test, vi } from "vitest";
import { asRekeyError, callMs, callWithin, framed, toFailure } from "../../activities/calls.js";
import { type ErrorCode, RekeyError } from "../../domain/errors.js";

const quoted = "password hunter2-canary is wrong";

/** Runs the body as an activity, with the parts of its context that the frame uses. */
function inActivity<T>(
  body: (heartbeats: () => number, cancel: (reason: Error) => void) => T,
  startToCloseTimeoutMs = 90_000,
): T {
  const cancellation = new AbortController();
  const heartbeat = vi.fn();
  const context = Object.create(Context.prototype, {
    cancellationSignal: { value: cancellation.signal },
    heartbeat: { value: heartbeat },
    info: { value: { startToCloseTimeoutMs } },
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
    await expect.poll(() => signal.aborted).toBe(true);
    expect(signal.reason).toMatchObject({ name: "TimeoutError" });
  });

  const [s30, s90] = [30_000, 90_000];
  test.each<[string, number, number, number, number]>([
    ["in the beginning it has its own time", s30, s90, 0, s30],
    ["an early one has its own time, too", s30, s90, 50_000, s30],
    ["behind three slow records it has what is left but the margin", s30, s90, 60_000, 20_000],
    ["one second before the margin it has that second", s30, s90, 79_000, 1_000],
    ["within the margin it has none", s30, s90, 80_000, 0],
    ["when the time is over it has none", s30, s90, 95_000, 0],
    ["one that wants less has less", 10_000, s90, 0, 10_000],
    ["of a short activity the margin is a quarter", s30, 1_000, 0, 750],
    ["it has whole milliseconds", s30, s90, 60_000.4, 19_999],
  ])("H3: %s", (_what, wantedMs, activityMs, usedMs, leftMs) => {
    expect(callMs(wantedMs, activityMs, usedMs)).toBe(leftMs);
  });

  test("H3: whatever it wants and whatever went by, it has ended before its activity's time is over", () => {
    for (const activityMs of [1, 40, 1_000, 60_000, s90, 600_000])
      for (let usedMs = 0; usedMs < activityMs; usedMs += activityMs / 40)
        for (const wantedMs of [1, 10_000, s30, 900_000]) {
          const leftMs = callMs(wantedMs, activityMs, usedMs);
          expect(leftMs === 0 || usedMs + leftMs < activityMs).toBe(true);
        }
  });

  test("H3: ends with its activity's time and not with its own, where that is longer", async () => {
    const { signal } = await inActivity(() => framed(async () => callWithin(3_600_000)), 40);
    await expect.poll(() => signal.aborted).toBe(true);
    expect(signal.reason).toMatchObject({ name: "TimeoutError" });
  });

  test("H3: has ended before it began where its activity has no time left", async () => {
    const call = inActivity(
      () =>
        framed(async () => {
          await pause(40);
          return callWithin();
        }),
      40,
    );
    expect((await call).signal).toMatchObject({ aborted: true, reason: { name: "TimeoutError" } });
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
