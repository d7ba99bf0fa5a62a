/** What a leak does to a running rotation, case by case: hurrying the wrong way would deliver what was stolen. */
import { describe, expect, test } from "vitest";
import { applyIncident, leakedBy } from "../../domain/incident.js";
import { chooseAnother } from "../../domain/rotation/course.js";
import { fold, foldAll } from "../../domain/rotation/fold.js";
import type { RotationState } from "../../domain/rotation/state.js";
import { begin, originIn, tick, versionIn } from "./begin.js";
import { leak, on, upTo, walk } from "./walk.js";

/** Both versions are enabled, and the new one is being delivered. */
const delivering = upTo("deliver").state;
const dead = versionIn("b", "gone", { life: "destroyed", issuer: "destroyed" });

describe("H25: which version leaked", () => {
  const all = { versions: { ...delivering.versions, gone: dead } };

  test.each([
    ["old", ["old"], ["old"]],
    ["new", ["new"], ["new"]],
    ["both", ["old", "new"], ["old", "new"]],
    ["dead", ["gone"], []],
    ["none that was ever made", ["stranger"], []],
  ])("%s", (_name, ids, leaked) => {
    expect(leakedBy({ kind: "versions", ids }, all)).toEqual(leaked);
  });

  test("H25: unknown: every one that lives, and none that never was or is gone", () => {
    expect(leakedBy({ kind: "unknown" }, all)).toEqual(["old", "new"]);
    expect(leakedBy({ kind: "unknown" }, begin())).toEqual(["old"]);
  });

  test("H25: old: the walk goes on to the new one, faster", () => {
    const state = fold(delivering, leak(9, ["old"]));
    expect(state).toMatchObject({ target: "new", acceptable: ["new"], emergency: { startedAt: 9 } });
    expect(state.versions.old?.leaked).toBe(true);
    expect(walk(state, tick).state.closed).toBe("rotated");
  });

  test("H5 H25: new: the walk turns to the old one, and never delivers what leaked", () => {
    const state = fold(delivering, leak(9, ["new"]));
    expect(state).toMatchObject({ target: "old", acceptable: ["old"], turned: null });
    const { state: end, events } = walk(state, tick);
    expect(end.closed).toBe("went-back");
    expect(events.some((event) => event.type === "delivered" && event.version === "new")).toBe(false);
    expect(end.versions.new?.issuer).toBe("destroyed");
  });

  test("H5 H25: both: a third one in a free slot", () => {
    const state = fold({ ...delivering, freeSlots: ["c"] }, leak(9, ["old", "new"]));
    expect(state).toMatchObject({ target: "third", acceptable: ["third"], freeSlots: [], turned: null });
    expect(state.versions.third).toEqual(versionIn("c", "third"));
    const { state: end } = walk(state, tick);
    expect(end.closed).toBe("rotated");
    expect(Object.values(end.versions).map(({ issuer }) => issuer)).toEqual([
      "destroyed",
      "destroyed",
      "enabled",
    ]);
  });

  test("H25: both and no free slot: the slot that the fewest instances hold is emptied first", () => {
    const consumers = {
      app: { at: 0, instances: on("old", "1", "2"), stable: 2, since: null, lostAt: null },
      job: { at: 0, instances: on("new", "1"), stable: 2, since: null, lostAt: null },
    };
    const state = fold({ ...delivering, consumers }, leak(9, ["old", "new"]));
    expect(state.versions.third?.slot).toBe("b");
    const moved = {
      app: { ...consumers.app, instances: on("new", "1", "2") },
      job: { ...consumers.job, instances: [] },
    };
    expect(fold({ ...delivering, consumers: moved }, leak(9, ["old", "new"])).versions.third?.slot).toBe("a");
    const { state: end, events } = walk(fold(delivering, leak(9, ["old", "new"])), tick);
    expect(end).toMatchObject({ closed: "rotated", target: "third" });
    const types = events.map((event) => ("version" in event ? `${event.type} ${event.version}` : event.type));
    expect(types.indexOf("destroyed new")).toBeGreaterThan(-1);
    expect(types.indexOf("destroyed new")).toBeLessThan(types.indexOf("issued third"));
  });

  test("H25: both, no free slot and nobody on either: the slot of the one that no place gives out is emptied", () => {
    const { main } = delivering.places;
    if (main === undefined) throw new Error("no place");
    const leaked = (liveVersion: string) =>
      fold(
        { ...delivering, consumers: {}, places: { main: { ...main, liveVersion } } },
        leak(9, ["old", "new"]),
      );
    expect([leaked("old").versions.third?.slot, leaked("new").versions.third?.slot]).toEqual(["b", "a"]);
  });

  test("H25: both and no id left: it stays where it is, and an operator is asked", () => {
    const state = fold({ ...delivering, spareIds: [] }, leak(9, ["old", "new"]));
    expect(state.target).toBe("new");
    expect(walk(state, tick).state.operator?.reason).toContain("leaked");
  });

  test("H25: dead: nothing changes", () => {
    const state = { ...delivering, versions: all.versions };
    expect(fold(state, leak(9, ["gone"]))).toBe(state);
  });
});

describe("an incident", () => {
  test("gives the walk another turn, and lifts a hold and a failure (H24)", () => {
    const held: RotationState = {
      ...delivering,
      turned: { at: 0, reason: "so" },
      operator: { since: 0, reason: "so" },
      refused: "so",
      trouble: {
        step: "prove:new",
        code: "x",
        sentence: "",
        since: 0,
        attempts: 1,
        retryAt: 0,
        again: false,
      },
    };
    expect(fold(held, leak(9, ["old"]))).toMatchObject({
      turned: null,
      operator: null,
      refused: null,
      trouble: null,
      resumedAt: 9,
    });
  });

  test("a second report never loosens the first", () => {
    const first = leak(10, ["old"], {
      containment: "revoke-now",
      containBy: 50,
      signOffBy: 90,
      responders: ["ann"],
    });
    const second = leak(20, ["old"], {
      containBy: 40,
      signOffBy: 99,
      responders: ["bob", "ann"],
      reason: "again",
    });
    expect(foldAll(delivering, [first, second]).emergency).toEqual({
      reason: "again",
      containment: "revoke-now",
      startedAt: 10,
      containBy: 40,
      signOffBy: 90,
      responders: ["ann", "bob"],
    });
    const harder = { ...second, containment: "revoke-now" as const };
    expect(foldAll(delivering, [leak(10, ["old"]), harder]).emergency?.containment).toBe("revoke-now");
  });

  test("takes the containment of the report and not of the policy behind it", () => {
    const event = { ...leak(10, ["old"]), containment: "revoke-now" as const };
    expect(applyIncident(delivering, event).emergency?.containment).toBe("revoke-now");
  });
});

describe("H5: another target", () => {
  const clean = (id: string, slot: string, issuer: "enabled" | "disabled" | "absent" | "unknown") =>
    versionIn(slot, id, { issuer, life: issuer === "absent" ? "planned" : "issued" });
  const among = (...versions: readonly ReturnType<typeof clean>[]): RotationState => ({
    ...begin(),
    acceptable: versions.map(({ id }) => id),
    versions: Object.fromEntries([...versions, originIn("a")].map((version) => [version.id, version])),
  });

  test("is one that is enabled, else one that can be enabled again, else one never made, else an unknown one", () => {
    const on = clean("on", "b", "enabled");
    const off = clean("off", "c", "disabled");
    const none = clean("none", "d", "absent");
    const lost = clean("lost", "e", "unknown");
    expect(chooseAnother(among(lost, none, off, on), 0).target).toBe("on");
    expect(chooseAnother(among(lost, none, off), 0).target).toBe("off");
    expect(chooseAnother(among(lost, none), 0).target).toBe("none");
    expect(chooseAnother(among(lost), 0).target).toBe("lost");
  });

  test("of equals is the newest, and never one that is off for good by its kind", () => {
    expect(chooseAnother(among(clean("one", "b", "enabled"), clean("two", "c", "enabled")), 0).target).toBe(
      "two",
    );
    const state = among(clean("off", "b", "disabled"), clean("none", "c", "absent"));
    const final = { ...state, traits: { ...state.traits, disableReversible: false } };
    expect(chooseAnother(final, 0).target).toBe("none");
  });

  test("is chosen when the step in flight ends the one that the walk turned to", () => {
    const state: RotationState = {
      ...delivering,
      traits: { ...delivering.traits, disableReversible: false },
      target: "old",
      turned: { at: 0, reason: "so" },
    };
    const after = fold(state, { type: "disabled", at: 1, version: "old", change: 9, tag: "tag" });
    expect(after).toMatchObject({ target: "new", turned: null, irreversible: true });
  });
});
