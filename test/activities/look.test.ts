/** A watch of days must not fill the history: of equal looks the first and the last are kept, of others all. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { kept } from "../../activities/look.js";
import type { RotationEvent } from "../../domain/rotation/events.js";
import { planFor } from "../domain/begin.js";

type Seen = Extract<RotationEvent, { type: "surveyed" }>;

/** A look at `at` that saw `count` sessions; the plan is made anew each time, as every look does. */
function look(at: number, count: number, digest = "plan"): Seen {
  return {
    type: "surveyed",
    at,
    facts: {
      slots: [],
      places: [],
      findings: [],
      notBefore: null,
      observations: {},
      sessions: { old: count },
      watermarkSeen: true,
      plan: { ...planFor({ main: ["one"] }, digest), madeAt: at },
    },
  };
}

const keep = (looks: readonly Seen[]) => looks.reduce<Seen[]>(kept, []);
const times = (looks: readonly Seen[]) => keep(looks).map(({ at }) => at);
/** What was seen each time, one number a look. */
const series = (...counts: number[]) => counts.map((count, at) => look(at, count));

describe("the looks that are kept", () => {
  test("are the first and the last of a run of equal ones, and every change", () => {
    expect(times(series(5))).toEqual([0]);
    expect(times(series(5, 5))).toEqual([0, 1]);
    expect(times(series(5, 5, 5, 5))).toEqual([0, 3]);
    expect(times(series(5, 5, 5, 4, 4, 4, 5))).toEqual([0, 2, 3, 5, 6]);
    expect(times(series(1, 2, 1, 2))).toEqual([0, 1, 2, 3]);
  });

  test("are told apart by the plan's digest, and not by when it was made", () => {
    expect(times([look(0, 5), look(1, 5), look(2, 5)])).toEqual([0, 2]);
    expect(times([look(0, 5), look(1, 5), look(2, 5, "other"), look(3, 5, "other")])).toEqual([0, 1, 2, 3]);
  });

  test("leave nothing out that was seen: each change, when it began and that it lasted", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 2 }), { maxLength: 15 }), (counts) => {
        const looks = series(...counts);
        const isEnd = (at: number) => counts[at] !== counts[at - 1] || counts[at] !== counts[at + 1];
        expect(keep(looks)).toEqual(looks.filter(({ at }) => isEnd(at)));
      }),
    );
  });

  test("are at most forty, the latest", () => {
    const many = times(series(...Array.from({ length: 100 }, (_, index) => index)));
    expect([many.length, many[0], many.at(-1)]).toEqual([40, 60, 99]);
  });
});
