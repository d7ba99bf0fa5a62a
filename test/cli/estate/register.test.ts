/** Pieces that are known: crossed off once, whatever they are called, and the rest is left. */
import { createHash } from "node:crypto";
import fc from "fast-check";
import { expect, it } from "vitest";
import { Register } from "../../../client/estate/register.js";

const hashOf = (i: number) => createHash("sha256").update(String(i)).digest("base64url");

/** Hashes, and texts that begin or end alike, or are one another's beginning. */
const hash = fc.oneof(
  fc.nat(40).map(hashOf),
  fc.nat(40).map((i) => hashOf(0).slice(0, i)),
  fc.nat(40).map((i) => `${hashOf(0).slice(0, 12)}${hashOf(i).slice(12)}`),
);

it("crosses off what a set would, and tells what was and what was not", () => {
  fc.assert(
    fc.property(fc.uniqueArray(hash), fc.uniqueArray(hash), fc.array(hash), (known, others, asked) => {
      const mine = known.map((one) => `now:${one}`);
      const theirs = others.map((one) => `then:${one}`);
      const register = new Register([...mine, ...theirs].join(" "), "now:");
      const left = new Set(known);
      const met = new Set<string>();
      for (const one of asked) {
        const isKnown = left.delete(one);
        if (isKnown) met.add(one);
        expect(register.cross(one)).toBe(isKnown);
      }
      expect(register.met).toEqual(known.filter((one) => met.has(one)));
      expect(register.left.sort()).toEqual([...theirs, ...[...left].map((one) => `now:${one}`)].sort());
    }),
    { numRuns: 500 },
  );
});

it("tells apart many that are looked up in another order than they came", () => {
  const known = Array.from({ length: 5_000 }, (_, i) => hashOf(i));
  const register = new Register(known.map((one) => `now:${one}`).join(" "), "now:");
  for (let i = 9_999; i >= 0; i--) expect(register.cross(hashOf(i))).toBe(i < 5_000);
  expect(register.met).toEqual(known);
  expect(register.left).toEqual([]);
});
