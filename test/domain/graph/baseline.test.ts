/** What is usual: one line for each guise, and what is new is marked. */
import { expect, test } from "vitest";
import { baselineOf, type Sighting } from "../../../domain/graph/baseline.js";

const hour = 3_600_000;
const seen = (more: Partial<Sighting> = {}): Sighting => ({
  ...{ reader: "orders-api", type: "consumer", traits: { address: "10.0.0.1" }, source: "log" },
  ...{ count: 3, first: 0, last: 2 * hour, times: 0b1 },
  ...more,
});

test("C24: two sources that saw one guise are one line, another guise is another", () => {
  const lines = baselineOf(
    [
      seen(),
      seen({ source: "sessions", first: 10 * hour, last: 12 * hour, count: 1, times: 0b10 }),
      seen({ traits: { address: "10.0.0.2" }, count: 1, first: 20 * hour, last: 20 * hour }),
    ],
    15 * hour,
  );
  expect(lines).toMatchObject([
    { sources: ["log", "sessions"], count: 4, first: 0, last: 12 * hour, times: 0b11, intervalMs: 4 * hour },
    { traits: { address: "10.0.0.2" }, intervalMs: null, isNew: true },
  ]);
  expect(lines[0]?.isNew).toBe(false);
});

test("the busiest comes first, and of equals the first by name", () => {
  const lines = baselineOf(
    [seen({ reader: "b" }), seen({ reader: "a" }), seen({ reader: "c", count: 9 })],
    0,
  );
  expect(lines.map(({ reader }) => reader)).toEqual(["c", "a", "b"]);
});
