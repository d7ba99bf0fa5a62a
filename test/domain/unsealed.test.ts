/** What was never sealed is known by a mark that no program of ours sends (H7). */
import { expect, test } from "vitest";
import { isUnsealed, unsealedMark, unsealedSentence } from "../../domain/unsealed.js";

test("H7: the mark is known again after it travelled, and nothing else is taken for it", () => {
  expect(isUnsealed(unsealedMark)).toBe(true);
  expect(isUnsealed(JSON.parse(JSON.stringify(unsealedMark)))).toBe(true);
  for (const other of [null, undefined, "rekey-unsealed", [], {}, { unsealed: true }])
    expect([other, isUnsealed(other)]).toEqual([other, false]);
  expect(unsealedSentence).toMatch(/was not sealed/);
});
