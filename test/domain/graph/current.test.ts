/** How long somebody who was seen counts as a user. */
import { expect, test } from "vitest";
import { isCurrent, readIntervalMs, silenceMsMax } from "../../../domain/graph/current.js";

const day = 86_400_000;
const seen = { kind: "read", count: 1, firstSeen: 0, lastSeen: 0 } as const;

test("who was seen counts for the window, and what is written down does not fade", () => {
  const fading = { windowMs: 35 * day, now: 35 * day };
  expect(isCurrent(seen, fading)).toBe(true);
  expect(isCurrent(seen, { ...fading, now: 35 * day + 1 })).toBe(false);
  expect(isCurrent({ ...seen, kind: "declared" }, { ...fading, now: 900 * day })).toBe(true);
});

test("C21: who comes back at longer intervals counts for one and a half of them", () => {
  const yearly = { ...seen, count: 3, lastSeen: 730 * day };
  expect(silenceMsMax(yearly, 35 * day, 0)).toBe(1.5 * 365 * day);
  expect(silenceMsMax({ ...yearly, count: 1 }, 35 * day, 0)).toBe(35 * day);
  expect(silenceMsMax(seen, 35 * day, 90 * day)).toBe(135 * day);
});

test("H22: how far apart reads lie is told by all logs together, and not by what was connected", () => {
  const monthly = { ...seen, count: 2, lastSeen: 30 * day };
  expect(readIntervalMs([monthly, { ...seen, count: 1, firstSeen: 60 * day, lastSeen: 60 * day }])).toBe(
    30 * day,
  );
  expect(readIntervalMs([seen])).toBeNull();
  expect(readIntervalMs([monthly, { ...seen, kind: "session" }])).toBeNull();
  expect(readIntervalMs([{ ...monthly, kind: "declared" }])).toBeNull();
});
