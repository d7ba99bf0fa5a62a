/** When a rotation is due and may start: windows over midnight and over clock changes, and freezes. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { dueAt, isOpen, startableAt } from "../../domain/due.js";
import type { Policy, Weekday, Window } from "../../domain/estate/types.js";

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const everyDay: readonly Weekday[] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

const utc = (text: string) => Date.parse(`${text}Z`);
const iso = (at: number | null) => (at === null ? null : new Date(at).toISOString().slice(0, 16));

function window(from: string, to: string, days = everyDay, timezone = "UTC"): Window {
  return { days, from, to, timezone };
}

function freeze(from: string, until: string): Policy["freezes"][number] {
  return { from: `${from}:00.000Z`, until: `${until}:00.000Z`, reason: "a sale" };
}

const start = (now: string, open?: Window, freezes: Policy["freezes"] = []) =>
  iso(startableAt({ window: open, freezes }, utc(now)));

describe("due", () => {
  test("an interval after the last end, after the first sight of one never rotated, or never", () => {
    expect(dueAt({ intervalMs: day }, 5, 1)).toBe(5 + day);
    expect(dueAt({ intervalMs: day }, 0, 1)).toBe(day);
    expect(dueAt({ intervalMs: day }, null, 1)).toBe(1 + day);
    expect(dueAt({}, 5, 1)).toBeNull();
  });
});

describe("a window", () => {
  test("holds its first minute and not its last, on its days", () => {
    const open = window("09:00", "17:30", ["wed"]);
    const at = ["04T08:59:59.999", "04T09:00", "04T17:29:59.999", "04T17:30", "05T12:00"];
    expect(at.map((time) => isOpen(open, utc(`2026-03-${time}`)))).toEqual([false, true, true, false, false]);
  });

  test("over midnight belongs to the day on which it opened", () => {
    const open = window("22:00", "02:00", ["sat"]);
    const at = ["07T00:30", "07T21:59", "07T22:00", "08T00:00", "08T01:59", "08T02:00", "08T22:00"];
    expect(at.map((time) => isOpen(open, utc(`2026-03-${time}`)))).toEqual([
      false,
      false,
      true,
      true,
      true,
      false,
      false,
    ]);
  });

  test("over midnight from Sunday reaches into Monday", () => {
    const open = window("23:00", "01:00", ["sun"]);
    expect([utc("2026-03-09T00:30"), utc("2026-03-10T00:30")].map((at) => isOpen(open, at))).toEqual([
      true,
      false,
    ]);
  });

  test("with equal ends is a whole day from there", () => {
    const open = window("06:00", "06:00", ["mon"]);
    const at = ["09T05:59", "09T06:00", "10T05:59", "10T06:00"];
    expect(at.map((time) => isOpen(open, utc(`2026-03-${time}`)))).toEqual([false, true, true, false]);
  });

  test("is in its own time zone, halves of hours and another date included", () => {
    expect(isOpen(window("05:30", "06:00", ["thu"], "Asia/Kolkata"), utc("2026-03-05T00:00"))).toBe(true);
    expect(isOpen(window("23:00", "23:30", ["wed"], "America/New_York"), utc("2026-03-05T04:00"))).toBe(true);
    expect(isOpen(window("00:00", "00:30", ["thu"], "UTC"), utc("2026-03-05T00:15"))).toBe(true);
  });
});

describe("a start", () => {
  test("is now where nothing forbids it", () => {
    expect(startableAt({ freezes: [] }, 12_345)).toBe(12_345);
    expect(startableAt({ window: window("00:00", "00:00"), freezes: [] }, 12_345)).toBe(12_345);
  });

  test("waits for the window, to the minute, also from within a minute", () => {
    expect(start("2026-03-04T12:00", window("09:00", "10:00", ["wed"]))).toBe("2026-03-11T09:00");
    expect(startableAt({ window: window("09:00", "10:00"), freezes: [] }, utc("2026-03-04T08:59:30.5"))).toBe(
      utc("2026-03-04T09:00"),
    );
  });

  test("waits for the end of a freeze, and of the one that begins before it ends", () => {
    const freezes = [
      freeze("2026-03-04T00:00", "2026-03-06T00:00"),
      freeze("2026-03-05T00:00", "2026-03-07T12:00"),
      freeze("2026-03-07T12:00", "2026-03-07T13:00"),
    ];
    expect(start("2026-03-03T23:59", undefined, freezes)).toBe("2026-03-03T23:59");
    expect(start("2026-03-04T00:00", undefined, freezes)).toBe("2026-03-07T13:00");
  });

  test("of two freezes that hold now, waits for the one that ends last", () => {
    const freezes = [
      freeze("2026-03-04T00:00", "2026-03-09T00:00"),
      freeze("2026-03-04T00:00", "2026-03-05T00:00"),
    ];
    expect(start("2026-03-04T12:00", undefined, freezes)).toBe("2026-03-09T00:00");
  });

  test("waits for a freeze inside the window, and starts in what is left of it", () => {
    const frozen = [freeze("2026-03-04T08:00", "2026-03-04T09:30")];
    expect(start("2026-03-04T08:30", window("09:00", "10:00"), frozen)).toBe("2026-03-04T09:30");
  });

  test("waits for the next window where the freeze outlasts this one", () => {
    const frozen = [freeze("2026-03-04T08:00", "2026-03-04T10:00")];
    expect(start("2026-03-04T08:30", window("09:00", "10:00"), frozen)).toBe("2026-03-05T09:00");
  });

  test("is null where nothing opens within the horizon", () => {
    expect(start("2026-03-04T00:00", undefined, [freeze("2026-01-01T00:00", "2028-01-01T00:00")])).toBeNull();
    expect(start("2026-03-04T00:00", window("09:00", "10:00", []))).toBeNull();
  });

  test("keeps to the local clock when the clocks go forward, and skips a window that they skip", () => {
    // In Berlin the night of 29 March 2026 has no 02:00 to 03:00.
    const skipped = window("02:15", "02:45", everyDay, "Europe/Berlin");
    expect(start("2026-03-28T02:00", skipped)).toBe("2026-03-30T00:15");
    expect(start("2026-03-28T12:00", window("03:00", "04:00", everyDay, "Europe/Berlin"))).toBe(
      "2026-03-29T01:00",
    );
  });

  test("finds a window twice in the night in which the clocks go back", () => {
    // In Berlin the night of 25 October 2026 has 02:00 to 03:00 twice.
    const twice = window("02:15", "02:45", everyDay, "Europe/Berlin");
    expect(start("2026-10-25T00:00", twice)).toBe("2026-10-25T00:15");
    expect(start("2026-10-25T00:45", twice)).toBe("2026-10-25T01:15");
    expect(start("2026-10-25T01:45", twice)).toBe("2026-10-26T01:15");
  });
});

describe("C13: whatever the policy, a start", () => {
  const from = utc("2026-10-20T00:00");
  const clock = fc
    .tuple(fc.integer({ min: 0, max: 23 }), fc.integer({ min: 0, max: 59 }))
    .map((parts) => parts.map((part) => `${part}`.padStart(2, "0")).join(":"));
  const windows = fc.option(
    fc.record({
      days: fc.uniqueArray(fc.constantFrom(...everyDay), { minLength: 1, maxLength: 3 }),
      from: clock,
      to: clock,
      timezone: fc.constantFrom(
        "UTC",
        "Europe/Berlin",
        "Asia/Kolkata",
        "America/New_York",
        "Australia/Lord_Howe",
      ),
    }),
    { nil: undefined },
  );
  const freezes = fc.array(
    fc.tuple(fc.integer({ min: -2, max: 9 }), fc.integer({ min: 1, max: 300 })).map(([days, hours]) => ({
      from: new Date(from + days * day).toISOString(),
      until: new Date(from + days * day + hours * hour).toISOString(),
      reason: "a sale",
    })),
    { maxLength: 3 },
  );
  const isLegal = ({ window: open, freezes: frozen }: Pick<Policy, "window" | "freezes">, at: number) =>
    (open === undefined || isOpen(open, at)) &&
    frozen.every((one) => at < Date.parse(one.from) || at >= Date.parse(one.until));

  test("is legal, not in the past, found again from there, and the first that is legal", () => {
    const policies = fc.record({ window: windows, freezes });
    const moments = fc.integer({ min: 0, max: 7 * 24 * 60 }).map((minutes) => from + minutes * minute);
    fc.assert(
      fc.property(policies, moments, fc.double({ min: 0, max: 1, noNaN: true }), (policy, now, part) => {
        const at = startableAt(policy, now) ?? Number.NaN;
        expect(at).toBeGreaterThanOrEqual(now);
        expect(isLegal(policy, at)).toBe(true);
        expect(startableAt(policy, at)).toBe(at);
        const before = now + Math.floor(((at - now) / minute) * part) * minute;
        if (before < at) {
          expect(isLegal(policy, before)).toBe(false);
          expect(startableAt(policy, before)).toBe(at);
        }
      }),
    );
  });
});
