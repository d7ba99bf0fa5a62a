/** Where a walk may turn to: a wrong answer here is a way back that is not there. */
import { describe, expect, test } from "vitest";
import { RekeyError } from "../../domain/errors.js";
import { onwards } from "../../domain/rotation/course.js";
import { failedWith } from "../../domain/rotation/failed.js";
import { fold } from "../../domain/rotation/fold.js";
import {
  foldFailure,
  forwardTarget,
  holdOf,
  isPastReturn,
  leakIsOpen,
  legalExits,
  mayEndUnchanged,
  stepName,
  targetOf,
  thirdVersion,
  turnedBack,
  turnTarget,
} from "../../domain/rotation/moves.js";
import type { RotationState } from "../../domain/rotation/state.js";
import type { Step } from "../../domain/rotation/steps.js";
import { begin, originIn, traits, versionIn } from "./begin.js";
import { gateOf } from "./gate.js";
import { failure, leak, look, on, plan, upTo } from "./walk.js";

const { state, now } = upTo("disable");
const leaked = { ...originIn("a"), leaked: true };

test("a state without its target is an error, and without a known one the course stays", () => {
  const lost = { ...begin(), target: "who" };
  expect(() => targetOf(lost)).toThrow("The rotation has no target.");
  expect(onwards(lost, 0)).toBe(lost);
});

describe("a turn", () => {
  test("leads to the origin, once, and never past the point of no return", () => {
    expect(turnTarget(state)).toEqual({ target: "old", slot: null });
    expect(turnTarget({ ...state, turned: { at: 0, reason: "so" } })).toBeNull();
    expect(turnTarget({ ...state, irreversible: true })).toBeNull();
    expect(turnTarget({ ...state, target: "old" })).toBeNull();
  });

  test("H5, H25: never to a leaked origin: to a third one where there is a slot and an id", () => {
    const alarmed = { ...state, versions: { ...state.versions, old: leaked }, freeSlots: ["c"] };
    expect(turnTarget(alarmed)).toEqual({ target: "third", slot: "c" });
    expect(turnTarget({ ...alarmed, freeSlots: [] })).toBeNull();
    expect(thirdVersion({ ...alarmed, spareIds: [] })).toBeNull();
    const turned = turnedBack(alarmed, { at: now, target: "third", slot: "c", reason: "so" });
    expect(turned).toMatchObject({ target: "third", freeSlots: [], acceptable: ["old", "new", "third"] });
    expect(thirdVersion({ ...turned, freeSlots: ["d"] })).toBeNull();
  });

  test("what was adopted for the former target says nothing about the other one", () => {
    const turned = turnedBack(state, { at: now, target: "old", slot: null, reason: "so" });
    for (const consumer of Object.values(turned.consumers))
      expect(consumer).toMatchObject({ stable: 0, since: null });
    expect(Object.keys(turned.consumers)).toEqual(["app", "job"]);
  });
});

describe("H30: the exits", () => {
  test("are legal now: back before the point of no return, forward only from the way back", () => {
    expect(legalExits(state)).toEqual(["retry", "back"]);
    expect(legalExits({ ...state, irreversible: true })).toEqual(["retry"]);
    expect(legalExits({ ...state, target: "old" })).toEqual(["retry", "forward"]);
    expect(legalExits({ ...begin(), target: "old" })).toEqual(["retry"]);
    expect(forwardTarget({ ...state, acceptable: ["old", "new", "gone"] })).toBe("new");
  });
});

describe("H29: past the point of no return", () => {
  const gone = { ...state, irreversible: true };
  const stubborn = {
    ...upTo("deliver").state,
    plan: { ...plan, consumers: plan.consumers.map((consumer) => ({ ...consumer, reversible: false })) },
  };
  const given = (from: RotationState) =>
    fold(from, {
      type: "delivered",
      at: now,
      version: "new",
      place: "main",
      consumers: ["app", "job"],
      change: from.change + 1,
      tag: "t",
    });

  test("is where somebody was given a version from whom it cannot be taken back", () => {
    expect(given(stubborn)).toMatchObject({ irreversible: true, target: "new" });
    expect(given({ ...stubborn, plan })).toMatchObject({ irreversible: false });
  });

  test("is the issue itself, where two versions cannot be valid together", () => {
    const traits = { ...state.traits, overlap: "none" as const };
    expect(isPastReturn({ ...begin(), traits })).toBe(false);
    expect(isPastReturn({ ...state, traits })).toBe(true);
    expect(isPastReturn(state)).toBe(false);
  });

  test("a cancellation that came while that was under way turns nothing, and is kept as an objection", () => {
    const cancelled = fold(stubborn, { type: "cancelled", at: now, by: "ann", reason: "no" });
    expect(cancelled).toMatchObject({ target: "old", turned: { by: "ann" } });
    expect(given(cancelled)).toMatchObject({
      target: "new",
      turned: null,
      irreversible: true,
      objections: ["ann: cancelled: no"],
    });
    // A turn that nobody ordered is nobody's objection.
    const turn = { type: "turned", at: now, target: "old", slot: null, reason: "so" } as const;
    expect(given(fold(stubborn, turn))).toMatchObject({ target: "new", turned: null, objections: [] });
  });

  test("neither a turn that was overtaken, nor an operator, nor a leak leads to the origin", () => {
    const turn = { type: "turned", at: now, target: "old", slot: null, reason: "so" } as const;
    expect(fold(gone, turn)).toBe(gone);
    const held = fold(gone, { type: "held", at: now, reason: "so" });
    expect(fold(held, { type: "resumed", at: now, exit: "back", by: "ann" })).toBe(held);
    const free = fold({ ...gone, freeSlots: ["c"] }, leak(now, ["new"]));
    expect(free).toMatchObject({ target: "third", irreversible: true });
    expect(free.versions.third?.slot).toBe("c");
  });

  test("H25: a leak then makes room in the origin's slot, and waits for whoever is still there", () => {
    const adopted = look(gone, now);
    const third = fold(adopted, leak(now, ["new"]));
    expect(third.versions.third?.slot).toBe("a");
    expect(gateOf("issued").check(third, now)).toMatchObject({ step: { do: "disable", version: "old" } });
    const late = now + third.policy.adoptionTimeoutMs;
    const held = (at: number) =>
      gateOf("issued").check(look(third, at, { observations: { app: on("old", "1") } }), at);
    expect(held(now)).toMatchObject({ is: "wait", until: late });
    expect(held(late)).toMatchObject({ is: "hold" });
  });
});

test("a rotation ends unchanged only while nothing was made and no leak is open", () => {
  expect(mayEndUnchanged(begin())).toBe(true);
  expect(mayEndUnchanged(state)).toBe(false);
  expect(mayEndUnchanged(begin({ versions: { ...begin().versions, old: leaked } }))).toBe(false);
  const left = versionIn("c", "left", { life: "retiring", issuer: "enabled" });
  expect(mayEndUnchanged(begin({ versions: { ...begin().versions, left } }))).toBe(true);
});

test("H5: a leak is open until the version is gone, or refused at every node", () => {
  const at = (more: object) => leakIsOpen(begin({ versions: { old: { ...leaked, ...more } } }));
  expect([at({}), at({ issuer: "unknown" }), at({ issuer: "disabled" })]).toEqual([true, true, true]);
  expect([
    at({ issuer: "disabled", refused: true }),
    at({ issuer: "destroyed" }),
    at({ issuer: "absent" }),
    at({ leaked: false }),
  ]).toEqual([false, false, false, false]);
});

describe("a failure", () => {
  test("is counted under one name a version, and its age is kept", () => {
    expect(stepName({ do: "survey" })).toBe("survey");
    const issue: Step = { do: "issue", version: "new", slot: "b" };
    expect(stepName(issue)).toBe("issue:new");
    const twice = foldFailure(foldFailure(begin(), failure(issue, 1)), failure(issue, 5));
    expect(twice.trouble).toMatchObject({ since: 1, attempts: 2 });
    expect(foldFailure(twice, failure({ do: "survey" }, 9)).trouble).toMatchObject({ since: 9, attempts: 1 });
    expect(twice.change).toBe(0);
  });

  test("H3: leaves what it acted on unknown when its answer was lost, and nothing else", () => {
    const unknown = (step: Step) => foldFailure(begin(), failure(step, 1, { outcome: "unknown", change: 4 }));
    expect(unknown({ do: "seize", slots: [], places: [] })).toMatchObject({ seized: false, change: 4 });
    expect(unknown({ do: "issue", version: "new", slot: "b" }).versions.new?.issuer).toBe("unknown");
    expect(unknown({ do: "issue", version: "who", slot: "b" }).versions).toEqual(begin().versions);
    expect(unknown({ do: "deliver", version: "new", place: "who", consumers: [] }).places).toEqual(
      begin().places,
    );
    expect(
      unknown({ do: "deliver", version: "new", place: "main", consumers: [] }).places.main?.unknown,
    ).toBe(true);
    expect(unknown({ do: "survey" }).versions).toEqual(begin().versions);
  });
});

test("a hold is known by when an operator was first called, however often they were since", () => {
  expect(holdOf(begin())).toBe(0);
  expect(holdOf(begin({ operator: { since: 7, reason: "x" } }))).toBe(7);
  expect(holdOf(begin({ operator: { since: 7, reason: "x", first: 3 } }))).toBe(3);
});

test("a failure is tried again where its error allows that, and where records have to be accepted first", () => {
  const what = { at: 1, step: { do: "survey" }, change: null, outcome: "not-done" } as const;
  const again = (code: "unreachable" | "not-permitted" | "restored") =>
    failedWith(what, new RekeyError(code, "Why."));
  expect(again("unreachable")).toEqual({
    ...{ type: "failed", ...what, code: "unreachable", sentence: "Why.", again: true },
  });
  expect(again("not-permitted").again).toBe(false);
  expect(again("restored").again).toBe(true);
});

test("H11: where one replaces the other, a lost answer to issue leaves neither known", () => {
  const inPlace = begin({
    traits: { ...traits, overlap: "none", capacity: 1 },
    versions: { old: originIn("a"), new: versionIn("a", "new") },
  });
  const step: Step = { do: "issue", version: "new", slot: "a" };
  const after = foldFailure(inPlace, failure(step, 1, { change: 1, outcome: "unknown" }));
  expect([after.versions.old?.issuer, after.versions.new?.issuer]).toEqual(["unknown", "unknown"]);
  const beside = foldFailure(begin(), failure({ ...step, slot: "b" }, 1, { change: 1, outcome: "unknown" }));
  expect([beside.versions.old?.issuer, beside.versions.new?.issuer]).toEqual(["enabled", "unknown"]);
});
