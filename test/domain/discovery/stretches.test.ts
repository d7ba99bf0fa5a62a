/** C7: a hole inside of one reading is a hole: when there were records in a log is kept as stretches, in little room. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  atEnds,
  mergedStretches,
  pauseMsMin,
  type Stretch,
  StretchTally,
  stretchesMax,
} from "../../../domain/discovery/stretches.js";

const hour = pauseMsMin;
const day = 24 * hour;
const tallied = (...times: readonly number[]): Stretch[] => {
  const tally = new StretchTally();
  for (const at of times) tally.add(at);
  return tally.take();
};

describe("stretches of records", () => {
  test("end where the next record is more than an hour away", () => {
    expect(tallied(0, hour, 2 * hour + 1, 90 * day)).toEqual([
      [0, hour],
      [2 * hour + 1, 2 * hour + 1],
      [90 * day, 90 * day],
    ]);
    expect(tallied()).toEqual([]);
  });

  test("are the same in whatever order records and parts come", () => {
    const times = fc.array(fc.integer({ min: 0, max: 40 * hour }), { maxLength: 30 });
    fc.assert(
      fc.property(times, fc.array(times, { maxLength: 4 }), (first, others) => {
        const all = [first, ...others];
        const inOrder = tallied(...all.flat().sort((a, b) => a - b));
        expect(tallied(...all.flat())).toEqual(inOrder);
        expect(mergedStretches(...all.map((list) => tallied(...list)))).toEqual(inOrder);
        expect(mergedStretches(...all.toReversed().map((list) => tallied(...list)))).toEqual(inOrder);
      }),
    );
  });

  test("that overlap are one, and one within another adds nothing", () => {
    expect(mergedStretches([[5, 9 * day]], [[day, 2 * day]], [[0, 6]])).toEqual([[0, 9 * day]]);
  });

  test("are no more than are kept: the shortest pause of less than a day is forgotten", () => {
    const times = Array.from({ length: stretchesMax + 1 }, (_, index) => index * 20 * hour);
    const [late] = [times.at(-1) ?? 0];
    const short = late + 2 * hour;
    const kept = tallied(...times, short, short + 30 * day);
    expect(kept).toHaveLength(stretchesMax);
    expect(kept.at(-1)).toEqual([short + 30 * day, short + 30 * day]);
    expect(kept.at(-2)).toEqual([late, short]);
  });

  test("of a log in which every pause is long the oldest are forgotten: it is said to have watched for less, never for more", () => {
    const times = Array.from({ length: 5 * stretchesMax }, (_, index) => index * 2 * day);
    for (const order of [times, times.toReversed()])
      expect(tallied(...order)).toEqual(times.slice(-stretchesMax).map((at) => [at, at]));
  });

  test("are known at the ends alone where nobody has told of the time between", () => {
    expect(atEnds(null)).toEqual([]);
    expect(atEnds({ from: 0, until: hour })).toEqual([[0, hour]]);
    expect(atEnds({ from: 0, until: 9 * day })).toEqual([
      [0, 0],
      [9 * day, 9 * day],
    ]);
  });
});
