/** Hours and days as bits: right at the edges, and the same as the calendar says. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { timesAt, timesText } from "../../../domain/discovery/times.js";

const hourMs = 3_600_000;

test("a moment's hour and day are those of the calendar, before 1970 too", () => {
  fc.assert(
    fc.property(fc.integer({ min: -4e12, max: 4e12 }), (ms) => {
      const date = new Date(ms);
      expect(timesAt(ms)).toBe((1 << date.getUTCHours()) | (1 << (24 + date.getUTCDay())));
    }),
  );
});

test("people read stretches, not bits", () => {
  const monday = Date.UTC(2026, 0, 5);
  const at = (day: number, hour: number) => timesAt(monday + (day * 24 + hour) * hourMs);
  expect(timesText(0)).toBe("");
  expect(timesText(at(0, 3))).toBe("03:00-03:59 on mon");
  expect(timesText(at(0, 1) | at(0, 2) | at(1, 14) | at(2, 23))).toBe(
    "01:00-02:59, 14:00-14:59, 23:00-23:59 on mon-wed",
  );
  expect(timesText(at(0, 3) | at(3, 3))).toBe("03:00-03:59 on mon, thu");
  const always = Array.from({ length: 7 * 24 }, (_, hour) => at(0, hour)).reduce((a, b) => a | b);
  expect(timesText(always)).toBe("at any hour daily");
});
