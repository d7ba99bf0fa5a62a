/** A use by whom nobody says: explained by a consumer that was seen at that time, and otherwise somebody whom nobody knows. */
import { expect, test } from "vitest";
import { useWindowMs } from "../../domain/graph/current.js";
import { Adjacency } from "../../domain/graph/reach.js";
import type { GraphEdge } from "../../domain/graph/types.js";
import { usersOf } from "../../domain/graph/use.js";
import { unexplainedUses, useFindings } from "../../domain/unexplained.js";
import { edgeOf, evidenceOf, mapOf, nodeNamed, t0 } from "./graph/maps.js";

const day = 86_400_000;
const now = t0 + 200 * day;
const seen = (kind: "read" | "session" | "declared" | "potential", first: number, last: number) => ({
  ...evidenceOf(kind, t0 + last * day),
  firstSeen: t0 + first * day,
});

/** What stays unexplained of a use after so many days, with these edges on the map. */
function left(afterDays: number, edges: readonly GraphEdge[], expected: readonly string[] = ["s-web"]) {
  const graph = mapOf("c-db stored-in l-db", ...edges);
  const nodes = new Map(graph.nodes).set("s-slow", nodeNamed("s-slow", { cadenceMs: 60 * day }));
  const users = usersOf(new Adjacency({ ...graph, nodes }), "c-db");
  const use = { source: "src_1", sentence: "For s3.", last: t0 + afterDays * day };
  return unexplainedUses({ nodes }, users, [use], {
    expected: new Set(expected),
    names: new Map([["src_1", "keys"]]),
    fading: { windowMs: useWindowMs, now },
  });
}

test("C7: a use that no declared consumer was seen for is named with its source, and is as grave as a stranger", () => {
  const found = left(199, [edgeOf("s-web uses c-db")]);
  expect(found.map(({ source }) => source)).toEqual([{ id: "src_1", name: "keys" }]);
  for (const severity of ["refuse", "warn"] as const)
    expect(useFindings(found, severity)).toMatchObject([
      {
        ...{ code: "unexplained-use", severity, subject: "keys" },
        sentence:
          "Somebody uses it, and no declared consumer was seen using it at that time. Used on 2024-05-31 22:13 UTC, by whom is not said (source keys). For s3.",
      },
    ]);
});

test.each([
  ["seen before and after it", seen("read", 100, 199.5), true],
  ["seen before, and still counting as a user then", seen("session", 100, 180), true],
  ["seen too long before", seen("read", 100, 120), false],
  ["seen for the first time after it", seen("read", 199.5, 199.9), false],
  ["only written down", seen("declared", 100, 199.5), false],
  ["only able to", seen("potential", 100, 199.5), false],
])("a declared consumer %s: explained %o", (_name, evidence, isExplained) => {
  expect(left(199, [edgeOf("s-web uses c-db", evidence)])).toHaveLength(isExplained ? 0 : 1);
  // Where it was seen at a copy it holds the value as well.
  expect(left(199, [edgeOf("s-web uses l-db", evidence)])).toHaveLength(isExplained ? 0 : 1);
});

test("a consumer counts by the moment of the use, and not by now", () => {
  expect(left(170, [edgeOf("s-web uses c-db", seen("read", 100, 140))])).toEqual([]);
  expect(left(199, [edgeOf("s-web uses c-db", seen("read", 100, 140))])).toHaveLength(1);
});

test("a stranger, a consumer of something else and a right to read explain nothing", () => {
  const evidence = seen("read", 100, 199.5);
  expect(left(199, [edgeOf("i-psql uses c-db", evidence)])).toHaveLength(1);
  expect(left(199, [edgeOf("s-other uses c-db", evidence)])).toHaveLength(1);
  expect(left(199, [edgeOf("s-web can-read l-db", evidence)])).toHaveLength(1);
});

test("a slow consumer explains for as long as it may be silent", () => {
  const edge = edgeOf("s-slow uses c-db", seen("read", 100, 115));
  expect(left(199, [edge], ["s-slow"])).toEqual([]);
  expect(left(199, [edgeOf("s-web uses c-db", seen("read", 100, 115))])).toHaveLength(1);
});

test("what lies back longer than a use counts is none any more, and of one source the last use counts", () => {
  expect(left(164, [])).toEqual([]);
  expect(left(166, [])).toHaveLength(1);
  const uses = [150, 190, 170].map((days) => ({
    source: "src_1",
    sentence: `${days}.`,
    last: t0 + days * day,
  }));
  const found = unexplainedUses(mapOf("c-db stored-in l-db"), [], uses, {
    expected: new Set(),
    names: new Map(),
    fading: { windowMs: useWindowMs, now },
  });
  expect(found).toEqual([
    { source: { id: "src_1", name: "src_1" }, sentence: expect.stringContaining("190.") },
  ]);
});
