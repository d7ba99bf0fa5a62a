/** "Nobody uses it" is only believed where somebody could have been seen, and for as long as a consumer remembers. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type CountedSessions, quietFrom, quietNeededMs, quietSpan, sessionsOf } from "../../domain/drain.js";
import { fold, foldAll } from "../../domain/rotation/fold.js";
import type { RotationState } from "../../domain/rotation/state.js";
import { begin, originIn, planFor, policy, tick, traits, versionIn } from "./begin.js";
import { gateOf } from "./gate.js";
import { factsOf, failure, leak, look, on, plan, told, upTo } from "./walk.js";

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

describe("H21: from when on a reading of the sources tells", () => {
  const draining = () => upTo("disable", remembering(9 * tick)).state;

  test("is the end of the quiet period of whatever is to be taken away", () => {
    const state = draining();
    const from = quietFrom(state, versionIn("a", "old")) ?? Number.NaN;
    expect(quietSpan(state)).toEqual({ from, until: from + 9 * tick });
  });

  test("is not yet while one of them is in use, or the target is with nobody", () => {
    const state = draining();
    const used = look(state, (state.surveyedAt ?? 0) + tick, { sessions: { old: 1 } });
    expect(quietSpan(used)).toBeNull();
    expect(quietSpan(begin({ uses: draining().uses }))).toBeNull();
  });

  test("is asked neither on the way back, nor in an emergency, nor of what is off or was held by nobody", () => {
    const state = draining();
    expect(quietSpan({ ...state, target: state.origin })).toBeNull();
    expect(quietSpan(fold(state, leak(0, ["old"])))).toBeNull();
    const { old: origin } = state.versions;
    if (origin === undefined) throw new Error("there is no old version");
    for (const change of [{ issuer: "disabled" as const }, { delivered: false }])
      expect(
        quietSpan({ ...state, versions: { ...state.versions, old: { ...origin, ...change } } }),
      ).toBeNull();
  });
});

describe("H21: before a version is destroyed", () => {
  const patient = { ...policy, disableSoakMs: 20 * tick };
  const soaking = () => upTo("destroy", begin({ policy: patient })).state;
  const offAt = (state: RotationState) => state.versions.old?.disabledAt ?? Number.NaN;

  test("the sources have to have shown its soak: who read it then can still have it back", () => {
    const state = soaking();
    const from = offAt(state);
    expect(quietSpan(state)).toEqual({ from, until: from + 20 * tick });
  });

  test("is nothing where nobody waits for it: without a soak, on the way back, for a leak, and for what nobody held", () => {
    const state = soaking();
    expect(quietSpan({ ...state, policy: { ...patient, disableSoakMs: 0 } })).toBeNull();
    expect(quietSpan({ ...state, target: state.origin })).toBeNull();
    expect(quietSpan(fold(state, leak(offAt(state), ["old"])))).toBeNull();
    const { old: origin } = state.versions;
    if (origin === undefined) throw new Error("there is no old version");
    for (const change of [{ leaked: true }, { delivered: false }, { disabledAt: null }])
      expect(
        quietSpan({ ...state, versions: { ...state.versions, old: { ...origin, ...change } } }),
      ).toBeNull();
  });

  test("a source that cannot be read calls an operator, and moves nobody back onto what is off", () => {
    const state = soaking();
    const at = offAt(state) + 20 * tick;
    const source = { id: "src_1", name: "reads", begunAt: null, tellsFrom: at };
    const finding = {
      code: "last-reading",
      severity: "refuse" as const,
      sentence: "The source reads is silent.",
    };
    const seen = look(state, at, { unread: [source], findings: [finding] });
    expect(gateOf("assessed").check(seen, at)).toMatchObject({ is: "wait", watch: true });
    const late = at + patient.stallTimeoutMs;
    expect(gateOf("assessed").check(seen, late)).toEqual({ is: "hold", reason: finding.sentence });
    // Before it is off, and for any other reason, everybody goes back to what they had.
    const { old: origin } = seen.versions;
    if (origin === undefined) throw new Error("there is no old version");
    const valid = { ...seen, versions: { ...seen.versions, old: { ...origin, issuer: "enabled" as const } } };
    expect(gateOf("assessed").check(valid, late)).toMatchObject({ is: "stuck" });
    const other = { ...seen, findings: [finding, { ...finding, code: "unmapped-reader" }] };
    expect(gateOf("assessed").check(other, late)).toMatchObject({ is: "stuck" });
  });

  test("records that rightly come late count as no stall until they can be there", () => {
    const state = upTo("disable").state;
    const [at, lateMs] = [state.surveyedAt ?? 0, 15 * 60_000];
    const source = { id: "src_1", name: "trail", begunAt: null, tellsFrom: at + lateMs };
    const finding = {
      code: "last-reading",
      severity: "refuse" as const,
      sentence: "The source trail is late.",
    };
    const seen = look(state, at + tick, { unread: [source], findings: [finding] });
    const stalled = at + lateMs + policy.stallTimeoutMs;
    expect(gateOf("assessed").check(seen, stalled - 1)).toMatchObject({ is: "wait", until: stalled });
    expect(gateOf("assessed").check(seen, stalled)).toMatchObject({ is: "stuck" });
  });
});

describe("H21: what is counted as quiet", () => {
  test("begins anew with a read of the old version, by whomever: who has no session may use it all the same", () => {
    const patient = { ...policy, drainTimeoutMs: 90 * tick };
    const { state } = upTo("disable", { ...remembering(9 * tick), policy: patient });
    const from = quietFrom(state, old) ?? Number.NaN;
    const at = from + 8 * tick;
    const read = { reads: { old: { at, by: "orders" } } };
    const seen = look(state, from + 9 * tick, { sessions: { old: 0 }, ...read });
    expect(drained.check(seen, from + 9 * tick)).toMatchObject({ is: "wait", who: "its consumers" });
    expect(quietSpan(seen)).toEqual({ from: at, until: at + 9 * tick });
    const still = look(seen, at + 9 * tick - 1, { sessions: { old: 0 }, ...read });
    expect(drained.check(still, at + 9 * tick - 1)).toMatchObject({ is: "wait" });
    const over = look(still, at + 9 * tick, { sessions: { old: 0 }, ...read });
    expect(drained.check(over, at + 9 * tick)).toEqual({ is: "pass" });
  });

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

describe("H23: sessions that do not tell versions", () => {
  const blindTraits = { ...traits, sessionsTellVersions: false };
  const start = begin({ traits: blindTraits });
  const since = (id: string, at: number | null) => ({
    [id]: { at: 5 * tick, instances: on("new", `${id}-1`), stable: 2, since: at, lostAt: null },
  });
  const adopting = (app: number | null, job: number | null) =>
    begin({ traits: blindTraits, plan, consumers: { ...since("app", app), ...since("job", job) } });
  const group = (more: Partial<CountedSessions> = {}): CountedSessions => ({
    slot: null,
    consumer: "app",
    count: 1,
    oldestAt: 2 * tick,
    ...more,
  });

  test("H23: a session is of the old version unless it began after its own consumer had adopted", () => {
    const state = adopting(2 * tick, 4 * tick);
    const count = (...sessions: CountedSessions[]) => sessionsOf(state, old, sessions);
    expect(count(group())).toBe(0);
    expect(count(group({ oldestAt: 2 * tick - 1, count: 3 }))).toBe(3);
    expect(count(group({ consumer: "job", oldestAt: 3 * tick }))).toBe(1);
    expect(count(group({ consumer: "job", oldestAt: 4 * tick }))).toBe(0);
    // Nobody's session is judged by whoever adopted last.
    expect(count(group({ consumer: null, oldestAt: 3 * tick }), group({ consumer: "gone" }))).toBe(2);
    expect(count(group({ consumer: null, oldestAt: 4 * tick }))).toBe(0);
  });

  test("H23: before adoption every session may be, and of what nobody was given none is", () => {
    const late = group({ oldestAt: 99 * tick });
    expect(sessionsOf(adopting(tick, null), old, [late, { ...late, consumer: "job" }])).toBe(1);
    expect(sessionsOf(adopting(tick, null), old, [{ ...late, consumer: null }])).toBe(1);
    expect(sessionsOf(start, old, [late])).toBe(1);
    expect(sessionsOf(start, versionIn("b", "new", { issuer: "enabled" }), [late])).toBe(0);
    const back = { ...start, target: "old", versions: { ...start.versions, new: versionIn("b", "new") } };
    expect(sessionsOf(back, versionIn("b", "new", { delivered: true }), [late])).toBe(1);
    expect(sessionsOf(back, old, [late])).toBe(0);
  });

  test("H23: where sessions tell versions, only the slot counts", () => {
    const state = begin({ plan, consumers: { ...since("app", tick), ...since("job", tick) } });
    expect(sessionsOf(state, old, [group({ slot: "a", oldestAt: 99 * tick }), group({ slot: "b" })])).toBe(1);
  });

  test("H23: the walk begins them anew while both versions are valid, and only then counts the quiet time", () => {
    const renewing = upTo("disable", start);
    // The walk's world has sessions by what consumers hold, so nobody is left who would have to be renewed.
    expect(told(renewing.events)).not.toContain("renewed old");
    const { state, now } = renewing;
    const seen = look(state, now, { sessions: { old: 3, new: 0 } });
    const step = { do: "renew", version: "old", slot: "a" } as const;
    expect(drained.check(seen, now)).toEqual({ is: "do", step });
    const renewed = fold(seen, { type: "renewed", at: now, version: "old", change: seen.change + 1 });
    expect(renewed.versions).toEqual(seen.versions);
    expect(drained.check(renewed, now)).toEqual({ is: "do", step: { do: "survey" } });
    const quiet = look(renewed, now);
    expect(drained.check(quiet, now)).toMatchObject({ is: "wait", until: now + tick });
    expect(drained.check(look(quiet, now + tick), now + tick)).toEqual({ is: "pass" });
  });

  test("H23: nothing is ended on the strength of a look that could not see, nor where sessions tell", () => {
    const { state, now } = upTo("disable", start);
    const blind = look(state, now, { sessions: { old: 3, new: 0 }, watermarkSeen: false });
    expect(drained.check(blind, now)).not.toMatchObject({ step: { do: "renew" } });
    const telling = upTo("disable");
    const used = look(telling.state, telling.now, { sessions: { old: 3, new: 0 } });
    expect(drained.check(used, telling.now)).toMatchObject({ is: "wait" });
  });

  test("H23: an answer that was lost leaves the version as it stands, because the next look counts", () => {
    const { state, now } = upTo("disable", start);
    const step = { do: "renew", version: "old", slot: "a" } as const;
    const lost = fold(state, failure(step, now, { outcome: "unknown", change: state.change + 1 }));
    expect(lost.versions).toEqual(state.versions);
    expect(lost.stale).toBe(true);
  });
});
