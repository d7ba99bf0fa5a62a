/** Which steps change the world, and before which ones it is looked at again: a step left out here would act unfenced. */
import { describe, expect, test } from "vitest";
import { changes, needsFreshFacts, type Step, sameStep } from "../../domain/rotation/steps.js";

describe("a step", () => {
  const on = { version: "v1", slot: "a" };
  const rows: readonly (readonly [Step, boolean, boolean])[] = [
    [{ do: "survey" }, false, false],
    [{ do: "ask", digests: [], reminder: false }, false, false],
    [{ do: "seize", slots: [], places: [] }, true, false],
    [{ do: "issue", ...on }, true, true],
    [{ do: "enable", ...on }, true, false],
    [{ do: "prove", ...on }, false, false],
    [{ do: "deliver", version: "v1", place: "main", consumers: [] }, true, true],
    [{ do: "renew", ...on }, true, true],
    [{ do: "probe", ...on }, false, false],
    [{ do: "disable", ...on }, true, true],
    [{ do: "destroy", ...on }, true, true],
    [{ do: "turn", target: "v1", slot: null, reason: "" }, false, false],
    [{ do: "hold", reason: "" }, false, false],
    [{ do: "close", outcome: "rotated", reason: "" }, false, false],
  ];

  test.each(rows)(
    "%j: whether it changes the world, and whether it needs fresh facts (H10, H17)",
    (step, changing, fresh) => {
      expect([changes(step), needsFreshFacts(step)]).toEqual([changing, fresh]);
    },
  );

  test("is the same as another when it is the same act on the same thing", () => {
    expect(sameStep({ do: "issue", ...on }, { do: "issue", ...on })).toBe(true);
    expect(sameStep({ do: "issue", ...on }, { do: "enable", ...on })).toBe(false);
    expect(sameStep({ do: "issue", ...on }, { do: "issue", ...on, slot: "b" })).toBe(false);
  });
});
