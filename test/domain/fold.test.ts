/** The state is the fold of its events, so each event has to change exactly what it says, and an impossible one is an error. */
import { describe, expect, test } from "vitest";
import type { RotationEvent } from "../../domain/rotation/events.js";
import { fold, foldAll } from "../../domain/rotation/fold.js";
import type { Step } from "../../domain/rotation/steps.js";
import { begin, tick } from "./begin.js";
import { failure, look, upTo, walk } from "./walk.js";

const { state, now } = upTo("disable");

describe("an event", () => {
  test("about a version that nobody knows, or that its stage does not allow, is an error", () => {
    const internal = expect.objectContaining({ code: "internal" });
    expect(() => fold(begin(), { type: "proved", at: 0, version: "who" })).toThrow(internal);
    expect(() => fold(begin(), { type: "destroyed", at: 0, version: "old", change: 1, tag: "t" })).toThrow(
      internal,
    );
    expect(() => fold(begin(), { type: "enabled", at: 0, version: "old", change: 1, tag: "t" })).toThrow(
      internal,
    );
  });

  test("H25: of an issue says where it was made, also where its answer was lost", () => {
    const step: Step = { do: "issue", version: "new", slot: "a" };
    const issued = { type: "issued", at: 5, version: "new", slot: "a", change: 3, tag: "t" } as const;
    expect(fold(begin(), issued)).toMatchObject({ versions: { new: { slot: "a" } }, tags: { a: "t" } });
    const lost = fold(begin(), failure(step, 5, { outcome: "unknown", change: 3 }));
    expect(lost.versions.new).toMatchObject({ slot: "a", issuer: "unknown" });
  });

  test("that changes the issuer keeps its tag and makes every fact old", () => {
    const issued = fold(look(begin({ freeSlots: ["b", "c"] }), 0), {
      type: "issued",
      at: 5,
      version: "new",
      change: 3,
      tag: "t",
    });
    expect(issued).toMatchObject({
      change: 3,
      changedAt: 5,
      stale: true,
      freeSlots: ["c"],
      tags: { b: "t" },
    });
    expect(issued.versions.new).toMatchObject({ life: "issued", issuer: "enabled", proved: false });
    expect(fold(issued, { type: "proved", at: 6, version: "new" }).versions.new?.proved).toBe(true);
  });

  test("H29: the origin's end is the point of no return, and its slot is free", () => {
    const off = fold(state, { type: "disabled", at: now, version: "old", change: 8, tag: "t" });
    expect(off).toMatchObject({ irreversible: false });
    const gone = fold(off, { type: "destroyed", at: now, version: "old", change: 9, tag: "u" });
    expect(gone).toMatchObject({ irreversible: true, freeSlots: ["a"] });
    expect(
      fold(
        { ...off, traits: { ...off.traits, disableReversible: false } },
        { type: "disabled", at: now, version: "old", change: 9, tag: "t" },
      ).irreversible,
    ).toBe(true);
    expect(fold(gone, { type: "cancelled", at: now, by: "ann", reason: "no" }).objections).toEqual([
      "ann: no",
    ]);
  });

  test("a destroy that fails each time is not forgotten over the disable that it asks for", () => {
    const off = fold(state, { type: "disabled", at: now, version: "old", change: 8, tag: "t" });
    const destroy: Step = { do: "destroy", version: "old", slot: "a" };
    const lost = fold(off, failure(destroy, now, { outcome: "unknown", change: 9 }));
    expect(lost).toMatchObject({ change: 9, stale: true, versions: { old: { issuer: "unknown" } } });
    const again = fold(
      { ...lost, versions: off.versions },
      { type: "disabled", at: now, version: "old", change: 10, tag: "t" },
    );
    expect(again.trouble?.step).toBe("destroy:old");
  });

  test("a disabled version comes back by enable", () => {
    const off = fold(state, { type: "disabled", at: now, version: "old", change: 8, tag: "t" });
    const on = fold(off, { type: "enabled", at: now, version: "old", change: 9, tag: "t" });
    expect(on.versions.old).toMatchObject({
      life: "issued",
      issuer: "enabled",
      refused: false,
      disabledAt: null,
    });
  });

  test("the end makes the target active and abandons what was never made", () => {
    const end = fold(begin(), { type: "closed", at: 0, outcome: "refused", reason: "no" });
    expect(end).toMatchObject({ closed: "refused" });
    const back = fold(
      { ...begin(), target: "old" },
      { type: "closed", at: 0, outcome: "refused", reason: "no" },
    );
    expect([back.versions.old?.life, back.versions.new?.life]).toEqual(["active", "abandoned"]);
  });
});

describe("a message that comes too late", () => {
  test("H5: a turn that was overtaken is not taken", () => {
    const turn = { type: "turned", at: now, target: "old", slot: null, reason: "so" } as const;
    const turned = fold(state, turn);
    expect(turned).toMatchObject({ target: "old", turned: { reason: "so" } });
    expect(fold(turned, { ...turn, target: "new" })).toBe(turned);
    const old = state.versions.old;
    if (old === undefined) throw new Error("no origin");
    const leaked = { ...state, versions: { ...state.versions, old: { ...old, leaked: true } } };
    expect(fold(leaked, turn)).toBe(leaked);
  });

  test("a cancellation on the way back changes nothing", () => {
    const cancel = { type: "cancelled", at: now, by: "ann", reason: "no" } as const;
    const back = fold(state, cancel);
    expect(back.target).toBe("old");
    expect(fold(back, cancel)).toBe(back);
  });
});

describe("H30: resuming", () => {
  const held = fold(state, { type: "held", at: now, reason: "so" });
  const resume = (exit: "retry" | "back" | "forward") =>
    ({ type: "resumed", at: now + 1, by: "ann", exit }) as const;

  test("looks at everything anew, in the direction that was ordered", () => {
    expect(fold(held, resume("retry"))).toMatchObject({
      operator: null,
      seized: false,
      surveyedAt: null,
      resumedAt: now + 1,
      target: "new",
    });
    const back = fold(held, resume("back"));
    expect(back.target).toBe("old");
    expect(fold({ ...back, operator: held.operator }, resume("forward")).target).toBe("new");
  });

  test("an exit that is not legal now, or where nobody holds, changes nothing", () => {
    expect(fold(held, resume("forward"))).toBe(held);
    expect(fold(state, resume("retry"))).toBe(state);
  });
});

describe("a takeover", () => {
  const adopted = { type: "adopted", at: now, epoch: 5, nonce: "other", openChange: null } as const;

  test("forgets facts, takes every tag again, and never lowers the number of the last change", () => {
    const taken = fold(state, adopted);
    expect(taken).toMatchObject({
      epoch: 5,
      nonce: "other",
      seized: false,
      surveyedAt: null,
      consumers: {},
      uses: {},
    });
    expect(taken.change).toBe(state.change);
    expect(fold(state, { ...adopted, lastChange: state.change + 7 }).change).toBe(state.change + 7);
    expect(fold(state, { ...adopted, lastChange: 0 }).change).toBe(state.change);
  });

  test("H3: what was under way has an unknown outcome", () => {
    const openChange: Step = { do: "deliver", version: "new", place: "main", consumers: [] };
    const taken = fold(state, { ...adopted, openChange, lastChange: state.change + 4 });
    expect(taken).toMatchObject({
      change: state.change + 4,
      places: { main: { unknown: true } },
      trouble: { code: "unknown-outcome" },
    });
  });
});

test("the fold of all events is the state that the walk has", () => {
  const whole = walk(begin(), 0);
  expect(foldAll(begin(), whole.events)).toEqual(whole.state);
  expect(foldAll(begin(), JSON.parse(JSON.stringify(whole.events)) as RotationEvent[])).toEqual(whole.state);
  expect(whole.now).toBeGreaterThan(tick);
});
