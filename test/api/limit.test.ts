/** The bucket of each sender: what it allows at once, in the long run, and how much it remembers. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { rateLimit } from "../../client/api/limit.js";

function allowed(limit: ReturnType<typeof rateLimit>, sender: string, at: number): boolean {
  try {
    limit.take(sender, at);
    return true;
  } catch (error) {
    expect(error).toMatchObject({ code: "too-many" });
    return false;
  }
}

test("as many at once as a minute allows, then one for each share of a minute; others are not touched", () => {
  const limit = rateLimit(6);
  expect([1, 2, 3, 4, 5, 6, 7].map(() => allowed(limit, "a", 0))).toEqual([...Array(6).fill(true), false]);
  expect(allowed(limit, "b", 0)).toBe(true);
  expect([9_999, 10_001, 10_002, 20_002].map((at) => allowed(limit, "a", at))).toEqual([
    false,
    true,
    false,
    true,
  ]);
});

test("in no minute more than two minutes' worth, however they are spread", () => {
  const times = fc.array(fc.integer({ min: 0, max: 300_000 }), { maxLength: 200 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), times, (perMinute, at) => {
      const limit = rateLimit(perMinute);
      const taken = [...at].sort((a, b) => a - b).filter((one) => allowed(limit, "a", one));
      for (const from of taken) {
        const within = taken.filter((one) => one >= from && one < from + 60_000).length;
        expect(within).toBeLessThanOrEqual(2 * perMinute);
      }
    }),
  );
});

test("forgets the one that was longest silent when there are too many", () => {
  const limit = rateLimit(1, 2);
  for (const sender of ["a", "b", "c"]) expect(allowed(limit, sender, 0)).toBe(true);
  expect(allowed(limit, "c", 0)).toBe(false);
  expect(allowed(limit, "a", 0)).toBe(true);
});
