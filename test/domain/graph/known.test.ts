/** How sure an edge is: by its strongest evidence, and a way by its weakest link. */
import { expect, test } from "vitest";
import { bestKnown, byKnown, lastSeenUse, strongest, weakest } from "../../../domain/graph/known.js";
import type { EvidenceKind, GraphEdge } from "../../../domain/graph/types.js";

const known = (...kinds: readonly EvidenceKind[]): GraphEdge => ({
  ...{ from: "a", type: "uses", to: "b", firstSeen: 0, learntAt: 0, endedAt: null },
  evidence: kinds.map((kind, index) => ({
    ...{
      kind,
      source: `source ${index}`,
      count: 1,
      sentence: "It is so.",
      firstSeen: 0,
      learntAt: 0,
      lastSeen: index,
    },
  })),
});

test("an edge is known as well as the best of its evidence, and of equals by the latest", () => {
  expect(bestKnown(known())).toBe("potential");
  expect(bestKnown(known("session", "declared", "read"))).toBe("session");
  expect(strongest(known("read", "read", "declared").evidence)?.source).toBe("source 1");
});

test("of what was only written down, a source's row says more than the estate, which says the same of every use", () => {
  const { evidence } = known("declared", "declared");
  const [row, own] = evidence.map((one, index) => ({ ...one, source: index === 0 ? "src_1" : "estate" }));
  expect([row, own].map((one) => one?.lastSeen)).toEqual([0, 1]);
  for (const order of [
    [row, own],
    [own, row],
  ])
    expect(strongest(order.flatMap((one) => (one === undefined ? [] : [one])))?.source).toBe("src_1");
});

test("a way is as sure as its weakest link, and edges are ordered by that", () => {
  expect(weakest([known("session"), known("declared"), known("read")])).toBe("declared");
  expect(weakest([])).toBe("session");
  const edges = [known("session"), known(), known("read", "potential"), known("declared")];
  expect(edges.sort(byKnown).map(bestKnown)).toEqual(["potential", "declared", "read", "session"]);
});

test("what was written down or could be was not seen in use", () => {
  expect(lastSeenUse(known("declared", "potential"))).toBeNull();
  expect(lastSeenUse(known("read", "declared"))).toBe(0);
});
