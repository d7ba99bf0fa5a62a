/** The tree against its definition, for any number of entries, and proofs that must not show what is not so (I9). */
import fc from "fast-check";
import { expect, test } from "vitest";
import { leafHash } from "../../audit/hash.js";
import { beginsWith, includes } from "../../audit/proofs.js";
import {
  Edge,
  edgeTiles,
  rangeHash,
  type TileKey,
  TileMissing,
  tileKey,
  tilesFor,
} from "../../audit/tiles.js";
import { consistencyRanges, inclusionRanges, subtreesOf } from "../../audit/tree.js";
import { naivePath, naiveProof, naiveRoot } from "./naive.js";

/** Sizes around the edges of tiles are where mistakes are. */
const size = fc.oneof(
  fc.integer({ min: 1, max: 40 }),
  fc.integer({ min: 250, max: 262 }),
  fc.integer({ min: 510, max: 700 }),
);

function texts(n: number): string[] {
  return Array.from({ length: n }, (_, i) => `entry ${i}`);
}

function grown(all: readonly string[]): { readonly edge: Edge; readonly tiles: Map<TileKey, Buffer> } {
  const edge = new Edge();
  const tiles = new Map<TileKey, Buffer>();
  for (const text of all) {
    edge.append(leafHash(text), (level, number, hashes) => tiles.set(tileKey(level, number), hashes));
  }
  for (const { level, number, hashes } of edge.tiles()) tiles.set(tileKey(level, number), hashes);
  return { edge, tiles };
}

const all = texts(700);
const { tiles } = grown(all);

test("the known answers of RFC 6962's test vectors", () => {
  expect(naiveRoot([]).toString("hex")).toBe(new Edge().root().toString("hex"));
  expect(leafHash("").toString("hex")).toBe(
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
  );
});

test("the root is the defined one, however many entries there are, and also when the edge was put away meanwhile", () => {
  fc.assert(
    fc.property(size, fc.nat({ max: 300 }), (n, more) => {
      const { edge, tiles: kept } = grown(all.slice(0, n));
      expect(edge.root().equals(naiveRoot(all.slice(0, n)))).toBe(true);
      expect(edgeTiles(n).every((key) => kept.has(key))).toBe(true);
      const again = new Edge(n, kept);
      for (const text of all.slice(n, n + more)) again.append(leafHash(text), () => undefined);
      expect(again.size).toBe(Math.min(n + more, all.length));
      expect(again.root().equals(naiveRoot(all.slice(0, n + more)))).toBe(true);
    }),
    { numRuns: 60 },
  );
});

test("a range is made of complete subtrees, without gap or overlap", () => {
  fc.assert(
    fc.property(fc.nat({ max: 5000 }), fc.nat({ max: 5000 }), (a, b) => {
      const parts = subtreesOf({ start: 0, end: a + b });
      let at = 0;
      for (const { level, index } of parts) {
        expect(index * 2 ** level).toBe(at);
        at += 2 ** level;
      }
      expect(at).toBe(a + b);
    }),
  );
});

test("an inclusion proof is the defined one, is accepted, and shows nothing else", () => {
  fc.assert(
    fc.property(size, fc.nat(), fc.nat(), (n, at, other) => {
      const [m, x] = [at % n, other % n];
      const tree = { size: n, root: naiveRoot(all.slice(0, n)) };
      const ranges = inclusionRanges(m, n);
      const proof = ranges.map((range) => rangeHash(tiles, range));
      expect(proof).toEqual(naivePath(m, all.slice(0, n)));
      const leaf = leafHash(all[m] ?? "");
      expect(includes({ ...tree, index: m }, leaf, proof)).toBe(true);
      expect(includes({ ...tree, index: m }, leafHash("forged"), proof)).toBe(false);
      expect(includes({ ...tree, index: n }, leaf, proof)).toBe(false);
      expect(includes({ ...tree, index: m }, leaf, [...proof, leaf])).toBe(false);
      if (x !== m) expect(includes({ ...tree, index: x }, leaf, proof)).toBe(false);
      if (proof.length > 0) expect(includes({ ...tree, index: m }, leaf, proof.slice(1))).toBe(false);
      const flipped = proof.map((part, i) =>
        i === other % proof.length ? Buffer.from(part.map((b) => b ^ 1)) : part,
      );
      if (proof.length > 0) expect(includes({ ...tree, index: m }, leaf, flipped)).toBe(false);
    }),
    { numRuns: 200 },
  );
});

test("a consistency proof is the defined one, is accepted, and joins no forked tree", () => {
  fc.assert(
    fc.property(size, fc.nat(), fc.nat(), (n, earlier, spoiled) => {
      const m = earlier % (n + 1);
      const proof = consistencyRanges(m, n).map((range) => rangeHash(tiles, range));
      expect(proof).toEqual(naiveProof(m, all.slice(0, n)));
      const [former, later] = [m, n].map((count) => ({ size: count, root: naiveRoot(all.slice(0, count)) }));
      if (!former || !later) throw new Error("two heads were made");
      expect(beginsWith(former, later, proof)).toBe(true);
      if (m > 0) {
        const forked = all.slice(0, m).map((text, i) => (i === spoiled % m ? "forked" : text));
        expect(beginsWith({ size: m, root: naiveRoot(forked) }, later, proof)).toBe(false);
        expect(beginsWith(former, later, [...proof, Buffer.alloc(32)])).toBe(false);
      }
      if (m < n) expect(beginsWith(later, former, proof)).toBe(false);
    }),
    { numRuns: 200 },
  );
});

test("a proof among ten million entries reads a few tiles and has as many hashes as the tree is high", () => {
  fc.assert(
    fc.property(fc.nat({ max: 9_999_999 }), fc.integer({ min: 1, max: 9_999_999 }), (index, former) => {
      expect(inclusionRanges(index, 10_000_000).length).toBeLessThanOrEqual(24);
      expect(tilesFor(inclusionRanges(index, 10_000_000)).length).toBeLessThanOrEqual(6);
      expect(tilesFor(consistencyRanges(former, 10_000_000)).length).toBeLessThanOrEqual(6);
    }),
  );
});

test("a tile that is missing or too short is named, and nothing is made of it", () => {
  const short = new Map(tiles).set("0/1", (tiles.get("0/1") as Buffer).subarray(0, 32));
  expect(() => rangeHash(short, { start: 0, end: 512 })).not.toThrow();
  expect(() => rangeHash(short, { start: 256, end: 260 })).toThrow(TileMissing);
  expect(() => rangeHash(new Map(), { start: 0, end: 1 })).toThrow("tile 0/0");
  expect(() => new Edge(300, new Map([["0/1", Buffer.alloc(32)]]))).toThrow(TileMissing);
});
