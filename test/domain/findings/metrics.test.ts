/** Figures of the programme: a part, its whole, and what is in neither (C31). */
import { expect, test } from "vitest";
import type { CredentialFacts, Picture } from "../../../domain/findings/credential.js";
import { type CredentialTally, figuresOf, type Totals, tallyOf } from "../../../domain/findings/metrics.js";
import { Adjacency } from "../../../domain/graph/reach.js";
import { mapOf, nodeNamed, t0 } from "../graph/maps.js";

const best: CredentialTally = {
  ...{ isDeclared: true, isOwned: true, isVisible: true, isExplained: true },
  ...{ hasEnd: true, isOverdue: false, isProved: true, isDormant: false },
};
const worst: CredentialTally = {
  ...{ isDeclared: false, isOwned: false, isVisible: false, isExplained: false },
  ...{ hasEnd: false, isOverdue: false, isProved: false, isDormant: null },
};
const totals: Totals = {
  ...{ readers: 7, readersOwned: 5, places: 9, placesOutside: 2, left: 6, leftKnown: 4, leftDead: 3 },
  ...{ findings: 11, findingsExcepted: 1 },
};

test("C31: each figure has its whole, and what nobody can say is in neither number", () => {
  const late: CredentialTally = { ...best, isOverdue: true, isProved: false, isDormant: true };
  const strange: CredentialTally = { ...best, isExplained: false, isOwned: false, hasEnd: false };
  const unseen: CredentialTally = { ...best, isVisible: false, isDormant: null };
  const figures = figuresOf([best, late, strange, unseen, worst], totals);
  expect(
    figures.map(({ name, numerator, denominator, leftOut }) => [name, numerator, denominator, leftOut]),
  ).toEqual([
    ["declared", 4, 5, 0],
    ["visible", 3, 5, 0],
    ["owned", 3, 5, 0],
    ["readers-owned", 5, 7, 0],
    ["explained", 2, 3, 1],
    ["overdue", 1, 3, 2],
    ["proved", 3, 4, 1],
    ["dormant", 1, 3, 2],
    ["outside", 2, 9, 0],
    ["offboarded", 3, 4, 2],
    ["excepted", 1, 11, 0],
  ]);
  for (const { what, notCounted } of figures) expect([what, notCounted]).not.toContain("");
});

test("a credential that only a source lists counts for nothing but that it is there", () => {
  const facts: CredentialFacts = {
    ...{ node: nodeNamed("c-db"), declared: null, policy: null, knownSince: t0, rotatedAt: null },
    ...{ expiresAt: null, listedAt: null, listedLast: null, sources: [], met: [], purpose: null },
  };
  const picture: Picture = {
    ...{ adjacency: new Adjacency(mapOf("c-db stored-in l-db")), pastUses: new Map() },
    ...{ anonymous: new Map(), leastWindowMs: 1, now: t0 },
  };
  expect(tallyOf(facts, picture)).toEqual({ ...worst, isExplained: true });
  expect(tallyOf({ ...facts, rotatedAt: t0 }, picture)).toMatchObject({ isProved: true });
});
