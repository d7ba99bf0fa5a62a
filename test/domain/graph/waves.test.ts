/** H39: a consumer is moved by one rotation at a time, so what shares one is in different waves, and nothing waits without a reason. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { wavesOfSet } from "../../../domain/graph/waves.js";

const asked = (uses: Readonly<Record<string, readonly string[]>>) =>
  wavesOfSet(Object.keys(uses), (id) => new Set(uses[id]));

describe("H39: the waves of a stratum", () => {
  test("hold those that share no consumer, and say whom an earlier one moves", () => {
    const waves = asked({
      billing: ["checkout"],
      mail: [],
      orders: ["checkout", "report"],
      stock: ["report"],
    });
    expect(waves).toEqual([
      { credentials: ["mail", "orders"], after: { mail: [], orders: [] } },
      { credentials: ["billing", "stock"], after: { billing: ["checkout"], stock: ["report"] } },
    ]);
  });

  test("are one where nobody is shared, and none where there is nothing", () => {
    expect(asked({ a: ["one"], b: ["two"] }).map(({ credentials }) => credentials)).toEqual([["a", "b"]]);
    expect(asked({})).toEqual([]);
  });

  test("have each credential once, share nobody within one, and let none wait without a reason", () => {
    const uses = fc.dictionary(fc.stringMatching(/^c[0-9]$/), fc.uniqueArray(fc.stringMatching(/^s[0-5]$/)));
    fc.assert(
      fc.property(uses, (given) => {
        const waves = asked(given);
        expect(waves.flatMap(({ credentials }) => credentials).sort()).toEqual(Object.keys(given).sort());
        for (const [index, { credentials, after }] of waves.entries()) {
          const moved = credentials.flatMap((id) => given[id] ?? []);
          expect(new Set(moved).size).toBe(moved.length);
          for (const id of credentials) expect((after[id] ?? []).length > 0).toBe(index > 0);
        }
      }),
    );
  });
});
