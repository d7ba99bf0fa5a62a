/** "Nobody uses it" is only believed where somebody could have been seen, and for as long as a consumer remembers. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { quietFrom, quietNeededMs } from "../../domain/drain.js";
import { fold, foldAll } from "../../domain/rotation/fold.js";
import type { RotationState } from "../../domain/rotation/state.js";
import { begin, originIn, planFor, policy, tick, versionIn } from "./begin.js";
import { gateOf } from "./gate.js";
import { factsOf, leak, look, upTo } from "./walk.js";

const drained = gateOf("drained");
const old = originIn("a");

function remembering(...memories: readonly number[]): RotationState {
  const made = planFor({ main: memories.map((_, index) => `c${index}`) });
  const consumers = made.consumers.map((consumer, index) => ({
    ...consumer,
    memoryMs: memories[index] ?? 0,
  }));
  return begin({ plan: { ...made, consumers } });
}

describe("H22: the quiet period", () => {
  test("is the policy's, and never less than the longest memory of a consumer", () => {
    expect(quietNeededMs(begin(), old)).toBe(policy.quietPeriodMs);
    expect(quietNeededMs(remembering(0, 1), old)).toBe(policy.quietPeriodMs);
    expect(quietNeededMs(remembering(2 * tick, 9 * tick, 3 * tick), old)).toBe(9 * tick);
  });

  test("follows the last amendment and not the first plan", () => {
    const amendment = { ...remembering(7 * tick).plan, digest: "more" };
    const state = { ...remembering(tick), amendments: [amendment] } as RotationState;
    expect(quietNeededMs(state, old)).toBe(7 * tick);
  });

  test("is nothing for what nobody was ever given, or for what leaked", () => {
    expect(quietNeededMs(remembering(9 * tick), versionIn("b", "new"))).toBe(0);
    const alarmed = fold(remembering(9 * tick), leak(0, ["old"]));
    expect(quietNeededMs(alarmed, { ...old, leaked: true })).toBe(0);
    expect(quietNeededMs(alarmed, old)).toBe(9 * tick);
  });

  test("is never shorter than what any consumer remembers", () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 50 * tick }), { maxLength: 6 }), (memories) => {
        const needed = quietNeededMs(remembering(...memories), old);
        for (const memory of memories) expect(needed).toBeGreaterThanOrEqual(memory);
        expect(needed).toBeGreaterThanOrEqual(policy.quietPeriodMs);
      }),
    );
  });

  test("is waited for by the gate, and the wait names who can end it", () => {
    const state = upTo("disable", remembering(9 * tick)).state;
    const from = quietFrom(state, old) ?? 0;
    const seen = look(
      { ...state, uses: { old: { quietSince: from, watermarkAt: from, sessions: 0 } } },
      from + tick,
    );
    expect(drained.check(seen, from + tick)).toMatchObject({ is: "wait", who: "its consumers", watch: true });
    expect(drained.check(look(seen, from + 9 * tick), from + 9 * tick)).toEqual({ is: "pass" });
  });
});

describe("H21: what is counted as quiet", () => {
  test("begins when the version was first seen unused, and not before the last wave was told", () => {
    const use = { quietSince: 3 * tick, watermarkAt: 5 * tick, sessions: 0 };
    const state = begin({ uses: { old: use } });
    expect(quietFrom(begin(), old)).toBeNull();
    expect(quietFrom(begin({ uses: { old: { ...use, quietSince: null } } }), old)).toBeNull();
    expect(quietFrom(state, old)).toBe(3 * tick);
    const main = state.places.main;
    if (main === undefined) throw new Error("no main place");
    const places = { main: { ...main, toldAt: tick }, own: { ...main, toldAt: 4 * tick } };
    expect(quietFrom({ ...state, places }, old)).toBe(4 * tick);
  });

  test("without our own mark in the listing there is no evidence, however long nothing was seen", () => {
    const { state, now } = upTo("disable");
    const blind = Array.from({ length: 3 }, (_, index) => now + index * tick).map((at) => ({
      type: "surveyed" as const,
      at,
      facts: factsOf(state, { watermarkSeen: false }),
    }));
    const end = foldAll({ ...state, uses: {} }, blind);
    expect(end.uses.old).toEqual({ quietSince: null, watermarkAt: null, sessions: 0 });
    expect(drained.check({ ...end, changedAt: now }, now + 2 * tick).is).not.toBe("pass");
  });

  test("a last look that was blind does not count, although an earlier one saw enough", () => {
    const { state, now } = upTo("disable");
    expect(drained.check(state, now)).toEqual({ is: "pass" });
    const blind = look(state, now + tick, { watermarkSeen: false });
    expect(drained.check({ ...blind, changedAt: now + tick }, now + tick)).toMatchObject({ is: "wait" });
    const unlisted = look(state, now + tick, { sessions: {} });
    expect(drained.check({ ...unlisted, changedAt: now + tick }, now + tick)).toMatchObject({ is: "wait" });
  });

  test("a single session begins it anew", () => {
    const { state, now } = upTo("disable");
    const used = look(state, now + tick, { sessions: { old: 1, new: 2 } });
    expect(quietFrom(used, old)).toBeNull();
    expect(quietFrom(look(used, now + 2 * tick), old)).toBe(now + 2 * tick);
  });

  test("what is in use past the deadline turns the walk round, and old facts are never reason enough", () => {
    const { state, now } = upTo("disable");
    const late = now + 10 * tick;
    expect(drained.check(state, late)).toEqual({ is: "do", step: { do: "survey" } });
    expect(drained.check(look(state, late, { sessions: { old: 1 } }), late)).toEqual({
      is: "stuck",
      reason: "Version old is still in use.",
    });
  });

  test("looks again at the very moment at which enough would have been seen", () => {
    const { state, now } = upTo("disable");
    const from = now + tick;
    const seen: RotationState = {
      ...state,
      changedAt: from,
      surveyedAt: from,
      uses: { old: { quietSince: from, watermarkAt: from, sessions: 0 } },
    };
    expect(drained.check(seen, from)).toMatchObject({ is: "wait", until: from + tick });
    expect(drained.check(seen, from + tick)).toEqual({ is: "do", step: { do: "survey" } });
  });
});
