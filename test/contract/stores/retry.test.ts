/** Holds the one bounded retry to its promise: reads only, bounded in number and time, and never past the call. */
import { describe, expect, it } from "vitest";
import { orWhenOver, pauseBefore, type RetryPolicy, retryRead } from "../../../adapters/shared/retry.js";
import { RekeyError } from "../../../domain/errors.js";

const quick: RetryPolicy = { attempts: 3, attemptTimeoutMs: 50, pauseMs: 2, pauseMsMax: 8 };
const call = (ms = 2_000) => ({ signal: AbortSignal.timeout(ms) });
const unreachable = () => new RekeyError("unreachable", "down");

describe("retryRead", () => {
  it("tries again while the system is unreachable, and returns the first answer", async () => {
    let tries = 0;
    const answer = await retryRead(
      call(),
      "the store",
      async () => {
        if (++tries < 3) throw unreachable();
        return "answer";
      },
      quick,
    );
    expect([answer, tries]).toEqual(["answer", 3]);
  });

  it("stops after the last try with the last error", async () => {
    let tries = 0;
    const read = async () => {
      tries++;
      throw unreachable();
    };
    await expect(retryRead(call(), "the store", read, quick)).rejects.toMatchObject({ code: "unreachable" });
    expect(tries).toBe(3);
  });

  it.each(["fenced", "not-permitted", "unknown-outcome", "conflict"] as const)(
    "does not try again after %s: that was an answer, or a change",
    async (code) => {
      let tries = 0;
      const read = async () => {
        tries++;
        throw new RekeyError(code);
      };
      await expect(retryRead(call(), "the store", read, quick)).rejects.toMatchObject({ code });
      expect(tries).toBe(1);
    },
  );

  it("ends a try that never answers, and ends for good before the call does", async () => {
    let tries = 0;
    const begun = performance.now();
    const read = () => {
      tries++;
      return new Promise<never>(() => {});
    };
    const patient = call(30_000);
    await expect(retryRead(patient, "the store", read, quick)).rejects.toMatchObject({ code: "unreachable" });
    expect(tries).toBe(3);
    expect(performance.now() - begun).toBeLessThan(15_000);
  });

  it("does not outlive a call that is over, however many tries are left", async () => {
    let tries = 0;
    const read = () => {
      tries++;
      return new Promise<never>(() => {});
    };
    const many = { ...quick, attempts: 1_000, attemptTimeoutMs: 10_000 };
    await expect(retryRead(call(40), "the store", read, many)).rejects.toMatchObject({ code: "unreachable" });
    expect(tries).toBe(1);
  });
});

describe("pauseBefore", () => {
  it("doubles the ceiling up to the longest pause and takes a random part of it", () => {
    const policy = { ...quick, pauseMs: 100, pauseMsMax: 300, random: () => 0.5 };
    expect([1, 2, 3, 4].map((attempt) => pauseBefore(attempt, policy))).toEqual([50, 100, 150, 150]);
  });
});

describe("orWhenOver", () => {
  it("gives the outcome of work that is done in time, and the error otherwise", async () => {
    await expect(orWhenOver(Promise.resolve(1), call().signal, unreachable)).resolves.toBe(1);
    await expect(orWhenOver(Promise.resolve(1), AbortSignal.abort(), unreachable)).rejects.toThrow("down");
    await expect(orWhenOver(new Promise(() => {}), call(10).signal, unreachable)).rejects.toThrow("down");
  });
});
