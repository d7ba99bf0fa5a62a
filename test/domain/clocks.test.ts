/** Clocks: what is told of one that is off, to the second, and what the journey to the inventory explains. */
import { expect, test } from "vitest";
import { clockFindings } from "../../domain/clocks.js";

const at = Date.parse("2026-03-01T09:00:00Z");
const told = (before: number, after: number) =>
  clockFindings({ whose: "This clock", before: at + before, inventory: at, after: at + after }).map(
    ({ severity, sentence }) => [severity, sentence],
  );

test("H38: a clock is warned of beyond 5 s and refused beyond 30 s, whichever side it is on", () => {
  expect([told(0, 0), told(5_000, 5_100), told(-5_100, -5_000)]).toEqual([[], [], []]);
  expect(told(5_001, 5_001)).toEqual([["warn", "This clock is 5 s ahead of the inventory's."]]);
  expect(told(-30_100, -30_000)).toEqual([["warn", "This clock is 30 s behind the inventory's."]]);
  expect(told(30_001, 30_001)).toEqual([["refuse", "This clock is 30 s ahead of the inventory's."]]);
  expect(told(-600_000, -600_000)).toEqual([["refuse", "This clock is 10 min behind the inventory's."]]);
});

test("an answer that was long on its way proves nothing", () => {
  expect([told(-60_000, 0), told(0, 60_000), told(-40_000, 40_000)]).toEqual([[], [], []]);
});
