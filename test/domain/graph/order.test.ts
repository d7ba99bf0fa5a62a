/** H26: a new value must not be made within reach of a leaked one, so the order is held against what reaches what. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { orderOf } from "../../../domain/graph/order.js";
import { Adjacency, reach } from "../../../domain/graph/reach.js";
import { anyMap, mapOf } from "./maps.js";

describe("H26: the order of a set", () => {
  test("what unlocks or mints others comes before them, through whatever is in between", () => {
    const map = mapOf(
      "c-root mints c-vault",
      "c-vault can-read l-shop",
      "c-db stored-in l-shop",
      "c-mail stored-in l-shop",
      "s-1 uses c-other",
    );
    expect(orderOf(map, ["c-mail", "c-db", "c-root", "c-other"])).toEqual({
      strata: [
        ["c-other", "c-root"],
        ["c-db", "c-mail"],
      ],
      rings: [],
    });
  });

  test("those that lead to one another share a stratum, and are named", () => {
    const map = mapOf("c-a mints c-b", "c-b can-read l-1", "c-a stored-in l-1", "c-b mints c-c");
    expect(orderOf(map, ["c-a", "c-b", "c-c"])).toEqual({
      strata: [["c-a", "c-b"], ["c-c"]],
      rings: [["c-a", "c-b"]],
    });
  });

  test("whatever leads to another one is never behind it", () => {
    fc.assert(
      fc.property(anyMap, fc.uniqueArray(fc.nat(8)), (map, numbers) => {
        const ids = numbers.map((number) => `c${number}`);
        const { strata, rings } = orderOf(map, ids);
        expect(strata.flat().sort()).toEqual([...ids].sort());
        const at = new Map(strata.flatMap((stratum, index) => stratum.map((id) => [id, index] as const)));
        const adjacency = new Adjacency(map);
        const leads = new Map(ids.map((id) => [id, reach(adjacency, [id], "exposure")]));
        for (const a of ids)
          for (const b of ids) {
            if (a === b || !leads.get(a)?.has(b)) continue;
            const mutual = leads.get(b)?.has(a) === true;
            expect(rings.some((ring) => ring.includes(a) && ring.includes(b))).toBe(mutual);
            if (mutual) expect(at.get(a)).toBe(at.get(b));
            else expect(at.get(a)).toBeLessThan(at.get(b) as number);
          }
      }),
    );
  });

  test("a chain of a hundred thousand exhausts no stack", () => {
    const map = mapOf(...Array.from({ length: 100_000 }, (_, index) => `c${index} mints c${index + 1}`));
    expect(orderOf(map, ["c100000", "c0"]).strata).toEqual([["c0"], ["c100000"]]);
  });
});

test("rings are named in the order of their first, whichever is met first", () => {
  const map = mapOf("c3 mints c4", "c4 mints c3", "c1 mints c2", "c2 mints c1");
  expect(orderOf(map, ["c4", "c3", "c2", "c1"]).rings).toEqual([
    ["c1", "c2"],
    ["c3", "c4"],
  ]);
});
