/** When a wave counts as adopted: a claim that is believed too early revokes what somebody still holds. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { firstRed, isFresh, isUnheld, standing } from "../../domain/adoption.js";
import { fold } from "../../domain/rotation/fold.js";
import type { ConsumerState, InstanceState, RotationState, Wave } from "../../domain/rotation/state.js";
import { begin, originIn, policy, tick, versionIn } from "./begin.js";
import { factsOf, leak, look, on, upTo } from "./walk.js";

const wave: Wave = { place: "main", consumers: ["app", "job"] };
const issued = { life: "delivered", issuer: "enabled", proved: true, delivered: true } as const;
const now = 5 * tick;

const seenOn = (version: string | null, more: Partial<ConsumerState> = {}): ConsumerState => ({
  at: now,
  instances: on(version, "1", "2"),
  stable: 2,
  since: now - 2 * tick,
  lostAt: null,
  ...more,
});

/** The wave was told a tick ago, and both consumers were just seen. */
function toldState(
  consumers: Readonly<Record<string, ConsumerState>> = {},
  more: Partial<RotationState> = {},
): RotationState {
  const told = {
    liveVersion: "new",
    told: "new",
    toldTo: wave.consumers,
    toldAt: now - tick,
    unknown: false,
  };
  return begin({
    versions: { old: originIn("a"), new: versionIn("b", "new", issued) },
    places: { main: { tag: "tag", ...told } },
    changedAt: now - tick,
    surveyedAt: now,
    consumers: { app: seenOn("new"), job: seenOn("new"), ...consumers },
    ...more,
  });
}

const waiting = { is: "wait", watch: true, until: now + tick };

describe("H10: a wave is adopted", () => {
  test("on the way back as it is, where it was told of nothing else and nobody can say that it is elsewhere", () => {
    const unsaid = (more: object = {}): ConsumerState =>
      seenOn(null, {
        instances: [{ instance: "person", version: null, working: true, ...more }],
        since: null,
      });
    const back = (consumer: ConsumerState, place: object = {}) =>
      standing(
        toldState(
          { app: seenOn("old"), job: consumer },
          {
            target: "old",
            places: {
              main: {
                ...{ tag: "tag", liveVersion: "old", told: "old", toldTo: [], toldAt: null, unknown: false },
                ...place,
              },
            },
          },
        ),
        wave,
        now,
      ).is;
    expect(back(unsaid())).toBe("pass");
    for (const other of [
      unsaid({ version: "new" }),
      unsaid({ working: false }),
      seenOn(null, { instances: [] }),
    ])
      expect(back(other)).not.toBe("pass");
    for (const place of [{ toldAt: now - tick }, { liveVersion: "new" }, { unknown: true }])
      expect(back(unsaid(), place)).not.toBe("pass");
    // Whoever takes it from the issuer was told when it was made valid.
    const { consumers } = toldState({ app: seenOn("new"), job: unsaid() });
    expect(standing(toldState(consumers), { ...wave, place: null }, now).is).not.toBe("pass");
  });

  test("when every instance of every consumer works on the target, in two equal listings, through its soak", () => {
    expect(standing(toldState(), wave, now)).toEqual({ is: "pass" });
  });

  test.each<readonly [string, Partial<ConsumerState>]>([
    [
      "one instance is on the old version",
      { instances: [...on("new", "1"), ...on("old", "2")], since: null },
    ],
    ["one does not say what it is on", { instances: [...on("new", "1"), ...on(null, "2")], since: null }],
    ["one does not work", { instances: [{ instance: "1", version: "new", working: false }], since: null }],
    ["none was listed", { instances: [], since: null }],
    ["only one listing named these instances", { stable: 1 }],
    ["it was seen before the wave was told", { at: now - 2 * tick }],
  ])("not while %s", (_name, job) => {
    const verdict = standing(toldState({ job: seenOn("new", job) }), wave, now);
    expect(verdict).toMatchObject({ ...waiting, who: "the owner of job" });
  });

  test("not while a consumer was never seen at all", () => {
    const state = toldState();
    const { app } = state.consumers;
    if (app === undefined) throw new Error("no app");
    expect(standing({ ...state, consumers: { app } }, wave, now)).toMatchObject({
      ...waiting,
      for: "adoption. Consumer job was not seen working on version new.",
    });
  });

  test("another set of instances counts its listings anew", () => {
    const { state, now: at } = upTo("disable");
    const grown = look(state, at, {
      observations: { app: on("new", "app-1", "app-2", "app-3"), job: on("new", "job-1", "job-2") },
    });
    expect(grown.consumers.app?.stable).toBe(1);
    expect(standing(grown, wave, at).is).toBe("wait");
    const again = fold(grown, {
      type: "surveyed",
      at,
      facts: factsOf(grown, {
        observations: { app: on("new", "app-3", "app-2", "app-1"), job: on("new", "job-1", "job-2") },
      }),
    });
    expect(standing(again, wave, at)).toEqual({ is: "pass" });
  });

  test("absence of news is not news: facts of before the last change, or too old ones, are looked at again", () => {
    const survey = { is: "do", step: { do: "survey" } };
    expect(standing(toldState({}, { stale: true }), wave, now)).toEqual(survey);
    expect(standing(toldState({}, { surveyedAt: null }), wave, now)).toEqual(survey);
    expect(standing(toldState(), wave, now + policy.observationMaxAgeMs + 1)).toEqual(survey);
    expect(isFresh(toldState(), now + policy.observationMaxAgeMs)).toBe(true);
  });

  test("through its soak, counted for the last consumer to come; an emergency has none", () => {
    const late = { job: seenOn("new", { since: now - 1 }) };
    expect(standing(toldState(late), wave, now)).toEqual({
      is: "wait",
      until: now - 1 + policy.adoptionSoakMs,
      for: "the soak of this wave",
      who: "time",
      watch: true,
    });
    const { emergency } = leak(0, ["old"]);
    expect(standing(toldState(late, { emergency }), wave, now)).toEqual({ is: "pass" });
  });

  test("every instance: one that is elsewhere is enough to deny it", () => {
    const some = fc.array(
      fc.record({
        instance: fc.constantFrom("1", "2", "3"),
        version: fc.constantFrom("new", "new", "old", null),
        working: fc.constantFrom(true, true, false),
      }),
      { maxLength: 5 },
    );
    fc.assert(
      fc.property(some, (instances: readonly InstanceState[]) => {
        const all =
          instances.length > 0 && instances.every(({ version, working }) => version === "new" && working);
        const { is } = standing(toldState({ app: seenOn("new", { instances }) }), wave, now);
        expect(is === "pass").toBe(all);
      }),
    );
  });
});

describe("a wave that is not adopted in its time", () => {
  const stray = { app: seenOn("old", { since: null }) };

  test("turns the walk round, and says which instance is where", () => {
    const late = now - tick + policy.adoptionTimeoutMs;
    const state = toldState({ app: seenOn("old", { at: late, since: null }) }, { surveyedAt: late });
    expect(standing(state, wave, late - 1).is).toBe("wait");
    expect(standing(state, wave, late)).toEqual({
      is: "stuck",
      reason: "Consumer app: instance 1 is on version old.",
    });
  });

  test.each<readonly [string, Partial<RotationState>]>([
    ["an operator resumed it", { resumedAt: now }],
    ["it turned", { turned: { at: now, reason: "so" } }],
  ])("has its time anew from when %s", (_name, more) => {
    expect(standing(toldState(stray, more), wave, now)).toMatchObject({
      until: now + policy.adoptionTimeoutMs,
    });
  });

  test("has its time anew from when a consumer was lost", () => {
    const lost = { app: seenOn("new", { since: null, lostAt: now, instances: [] }) };
    expect(standing(toldState(lost), wave, now)).toMatchObject({ until: now + policy.adoptionTimeoutMs });
  });

  const off = { old: { ...originIn("a"), issuer: "disabled", life: "disabled" } as const };
  const disabled = { versions: { ...off, new: versionIn("b", "new", issued) } };

  test("is reason enough at once when the old version is off already", () => {
    expect(standing(toldState(stray, disabled), wave, now)).toMatchObject({ is: "stuck" });
    const { emergency } = leak(0, ["old"]);
    expect(standing(toldState(stray, { ...disabled, emergency }), wave, now - 1).is).toBe("wait");
  });

  test("is given one look's age when the old version is off and nobody is seen elsewhere", () => {
    const silent = { app: seenOn("new", { since: null, instances: [] }) };
    expect(standing(toldState(silent, disabled), wave, now - 1)).toMatchObject({
      is: "wait",
      until: now - tick + policy.observationMaxAgeMs,
    });
    expect(standing(toldState(silent, disabled), wave, now).is).toBe("stuck");
  });

  test("counts from the start of the rotation where the place was never told", () => {
    const places = {
      main: { tag: "t", liveVersion: "old", told: "old", toldTo: [], toldAt: null, unknown: false },
    };
    expect(standing(toldState(stray, { places, startedAt: now }), wave, now)).toMatchObject({
      until: now + policy.adoptionTimeoutMs,
    });
  });
});

describe("H39: who is red before a wave", () => {
  test("is whoever has no instance, or one that does not work", () => {
    const red = { instances: [...on("old", "1"), { instance: "2", version: "old", working: false }] };
    expect(firstRed(toldState(), ["app", "job"])).toBeNull();
    expect(firstRed(toldState({ job: seenOn("old", red) }), ["app", "job"])).toBe("Consumer job");
    expect(firstRed(toldState({ app: seenOn("old", { instances: [] }) }), ["app", "job"])).toBe(
      "Consumer app",
    );
    expect(firstRed(toldState(), ["never-seen"])).toBe("Consumer never-seen");
    expect(firstRed(toldState(), [])).toBeNull();
  });
});

describe("H25: a version that nobody holds", () => {
  const use = { quietSince: now, watermarkAt: now, sessions: 0 };
  const state = toldState({}, { uses: { old: use, new: use } });
  const old = originIn("a");

  test("is one that a fresh look saw with nobody, and that no place gives out", () => {
    expect(isUnheld(state, old, now)).toBe(true);
  });

  test.each<readonly [string, RotationState]>([
    ["the look is stale", { ...state, stale: true }],
    ["nobody looked at its use", { ...state, uses: {} }],
    ["it has a session", { ...state, uses: { old: { ...use, sessions: 1 } } }],
    ["the last look was blind", { ...state, uses: { old: { ...use, watermarkAt: now - 1 } } }],
    ["no look ever saw our mark", { ...state, uses: { old: { ...use, watermarkAt: null } } }],
    ["an instance has it", { ...state, consumers: { app: seenOn("old") } }],
    ["an instance does not say what it has", { ...state, consumers: { app: seenOn(null) } }],
  ])("not where %s", (_name, other) => {
    expect(isUnheld(other, old, now)).toBe(false);
  });

  test("not where a place gives it out", () => {
    expect(isUnheld({ ...state, consumers: {} }, versionIn("b", "new", issued), now)).toBe(false);
  });
});
