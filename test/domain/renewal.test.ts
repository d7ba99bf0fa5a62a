/** When a rotation of the key that seals its own history goes on in a new run. */
import { expect, test } from "vitest";
import type { IssuerTraits } from "../../domain/kinds.js";
import { isOutgrown, lookMsMaxOf } from "../../domain/renewal.js";
import type { RotationState } from "../../domain/rotation/state.js";

const dayMs = 24 * 60 * 60_000;
const memoryMs = 15_000;
const adopted = 1_000_000;
const settled = adopted + 2 * memoryMs;

const traits = {
  sealsHistories: true,
  roles: [
    { role: "opener", takes: "issuer", memoryMs },
    { role: "sealer", takes: "store", memoryMs },
  ],
} as unknown as IssuerTraits;

function stateWith(since: readonly (number | null)[], more: Partial<RotationState> = {}): RotationState {
  const consumers = since.map((_, index) => ({ id: `c${index}` }));
  return {
    traits,
    plan: { consumers },
    amendments: [],
    closed: null,
    consumers: Object.fromEntries(since.map((time, index) => [`c${index}`, { since: time }])),
    ...more,
  } as unknown as RotationState;
}

const both = stateWith([adopted - 5_000, adopted]);

test.each([
  ["a run from before, once everybody seals with the new key", both, adopted - 1, settled, true],
  ["one that began in the time in which somebody may not have known it", both, settled - 1, settled, true],
  ["not before that time is over", both, adopted - 1, settled - 1, false],
  ["not one that began afterwards", both, settled, settled + dayMs - 1, false],
  ["one that began afterwards, after a day", both, settled, settled + dayMs, true],
  ["not while one is not on it", stateWith([adopted, null]), 0, settled + dayMs, false],
  ["not where nobody is declared", stateWith([]), 0, settled + dayMs, false],
  ["not before there is a plan", stateWith([adopted], { plan: null }), 0, settled + dayMs, false],
  ["not at the end", stateWith([adopted], { closed: "rotated" }), 0, settled + dayMs, false],
  [
    "not where histories are sealed with something else",
    stateWith([adopted], { traits: { ...traits, sealsHistories: false } }),
    ...([0, settled + dayMs, false] as const),
  ],
] as const)("H26: %s", (_, state, begunAt, now, expected) => {
  expect(isOutgrown(state, begunAt, now)).toBe(expected);
});

test.each([
  ["as ever, before it was delivered", { delivered: false }, [null], 0, 300_000],
  ["short, until everybody seals with it", { delivered: true }, [adopted, null], 0, 2 * memoryMs],
  ["short, until the run is followed by another", { delivered: true }, [adopted], settled - 1, 2 * memoryMs],
  ["as ever, in the run that follows", { delivered: true }, [adopted], settled, 300_000],
] as const)("a look lasts %s", (_, target, since, begunAt, expected) => {
  const state = stateWith(since, { target: "v2", versions: { v2: target } } as unknown as RotationState);
  expect(lookMsMaxOf(state, begunAt, 300_000)).toBe(expected);
});
