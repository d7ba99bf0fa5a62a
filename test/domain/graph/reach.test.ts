/** A walk that misses a way is an outage, so it is held against the plainest one there is. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { across, type Flow, typesAlong, wayOf } from "../../../domain/graph/flows.js";
import { Adjacency, reach, wayTo } from "../../../domain/graph/reach.js";
import { edgeTypes, type Graph } from "../../../domain/graph/types.js";
import { anyMap, mapOf } from "./maps.js";

const flows: readonly Flow[] = ["failure", "exposure", "trust"];

/** What is reached, by looking at every edge until nothing new comes. */
function plainly({ edges }: Graph, start: string, flow: Flow): Set<string> {
  const reached = new Set([start]);
  for (let before = -1; before !== reached.size; ) {
    before = reached.size;
    for (const edge of edges.filter(({ endedAt }) => endedAt === null))
      for (const id of [...reached]) {
        const to = across(flow, edge, id);
        if (to !== null) reached.add(to);
      }
  }
  return reached;
}

describe("a walk along a flow", () => {
  test("reaches what can be reached and nothing else, over ways that are there", () => {
    fc.assert(
      fc.property(anyMap, fc.constantFrom(...flows), fc.nat(8), (map, flow, from) => {
        const start = `c${from}`;
        const reached = reach(new Adjacency(map), [start], flow);
        expect(new Set(reached.keys())).toEqual(plainly(map, start, flow));
        for (const [id, { distance }] of reached) {
          const way = wayTo(reached, id);
          expect(way).toHaveLength(distance);
          let at: string | null = start;
          for (const edge of way) at = at === null ? null : across(flow, edge, at);
          expect(at).toBe(id);
        }
      }),
    );
  });

  test("takes the shortest way", () => {
    const map = mapOf("s1 uses c1", "s2 depends-on s1", "s3 depends-on s2", "s3 uses c1");
    const reached = reach(new Adjacency(map), ["c1"], "failure");
    expect([...reached.values()].map(({ node, distance }) => [node.id, distance])).toEqual([
      ["c1", 0],
      ["s1", 1],
      ["s3", 1],
      ["s2", 2],
    ]);
  });

  test("begins nowhere where the map does not know the node", () => {
    expect(reach(new Adjacency(mapOf("s1 uses c1")), ["c9"], "failure").size).toBe(0);
  });
});

test("each type of edge is passed one way at most, and trust is failure the other way round", () => {
  for (const type of edgeTypes) {
    const [failure, trust] = [wayOf("failure", type), wayOf("trust", type)];
    expect([failure, trust]).toSatisfy(([a, b]) => (a === null ? b === null : a !== b));
  }
  for (const flow of flows) {
    const both = [...typesAlong(flow, "forth"), ...typesAlong(flow, "back")];
    expect(new Set(both).size).toBe(both.length);
  }
});
