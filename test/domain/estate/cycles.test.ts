/** Who stands in for whom, and which system opens which: a ring of them is found, and each only once. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findCycles } from "../../../domain/estate/cycles.js";

describe("rings", () => {
  it("are found exactly where there are some", () => {
    const edges = fc.array(fc.tuple(fc.nat({ max: 6 }), fc.nat({ max: 6 })), { maxLength: 12 });
    fc.assert(
      fc.property(edges, (pairs) => {
        const next = (node: string) =>
          pairs.filter(([from]) => String(from) === node).map(([, to]) => String(to));
        const nodes = [...new Set(pairs.flat().map(String))];
        const rings = findCycles(nodes, next);
        for (const [i, node, ring] of rings.flatMap((ring) =>
          ring.map((node, i) => [i, node, ring] as const),
        )) {
          expect(next(node)).toContain(ring[(i + 1) % ring.length]);
        }
        expect(rings.length > 0).toBe(nodes.some((node) => reaches(node, node, next)));
      }),
    );
  });

  it("do not exhaust the stack", () => {
    const chain = (node: string) => (node === "200000" ? ["0"] : [String(Number(node) + 1)]);
    expect(findCycles(["0"], chain)[0]).toHaveLength(200_001);
  });

  function reaches(from: string, to: string, next: (node: string) => string[]): boolean {
    const seen = new Set<string>();
    const open = [...next(from)];
    for (let node = open.pop(); node !== undefined; node = open.pop()) {
      if (node === to) return true;
      if (!seen.has(node)) open.push(...next(node));
      seen.add(node);
    }
    return false;
  }
});
