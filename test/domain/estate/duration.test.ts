/** Durations: what is written comes back, and what has no unit is refused. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { formatDuration, parseDuration } from "../../../domain/duration.js";
import { duration, withMs } from "../../../domain/estate/duration.js";

describe("durations", () => {
  it("reads every unit", () => {
    const written = ["500ms", "30s", "15m", "24h", "7d", "0s", "0ms", "3650d"];
    const ms = [500, 30_000, 900_000, 86_400_000, 604_800_000, 0, 0, 315_360_000_000];
    expect(written.map(parseDuration)).toEqual(ms);
  });

  it("refuses what is not one", () => {
    const wrong = [
      "",
      "30",
      "s",
      "-1s",
      "1.5h",
      "1h30m",
      " 1s",
      "1s\n",
      "01s",
      "1w",
      "3651d",
      "9999999999999s",
      "1S",
    ];
    expect(wrong.filter((text) => parseDuration(text) !== undefined)).toEqual([]);
  });

  it("writes the shortest exact form, which reads as the same number", () => {
    expect([0, 1, 1_500, 90_000, 7_200_000, 172_800_000].map(formatDuration)).toEqual([
      "0s",
      "1ms",
      "1500ms",
      "90s",
      "2h",
      "2d",
    ]);
    fc.assert(
      fc.property(fc.nat({ max: 315_360_000_000 }), (ms) => parseDuration(formatDuration(ms)) === ms),
    );
  });

  it("says what it expects", () => {
    const field = duration({ positive: true });
    const messages = [5, "5", "4000d", "0s"].map((value) => field.safeParse(value).error?.issues[0]?.message);
    expect(messages).toEqual([
      "expected a duration with its unit, such as 500ms, 30s, 15m, 24h or 7d",
      "expected a duration with its unit, such as 500ms, 30s, 15m, 24h or 7d",
      "expected a duration of at most 3650d",
      "expected a duration longer than zero",
    ]);
    expect(duration().parse("0s")).toBe(0);
  });

  it("carries the unit in the name of the parsed field", () => {
    const schema = withMs(
      z.strictObject({ wait: duration(), note: z.string(), rest: duration().optional() }),
      ["wait", "rest"],
    );
    const parsed: { waitMs: number; note: string; restMs?: number | undefined } = schema.parse({
      wait: "2s",
      note: "x",
    });
    expect(parsed).toEqual({ waitMs: 2_000, note: "x" });
  });
});
