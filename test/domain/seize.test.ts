/** A lost answer is settled by what stands at the issuer, so every tag that may be found there has one meaning. */
import { describe, expect, test } from "vitest";
import { fold } from "../../domain/rotation/fold.js";
import { leakIsOpen, mayEndUnchanged, others } from "../../domain/rotation/moves.js";
import type { RotationState, VersionState } from "../../domain/rotation/state.js";
import { begin, originIn, planFor, tagText, versionIn } from "./begin.js";
import type { EventOf } from "./walk.js";

const lost = (more: Partial<VersionState> = {}) => versionIn("b", "new", { issuer: "unknown", ...more });

function settled(version: VersionState, tag: string, on: boolean, more: Partial<RotationState> = {}) {
  const state = begin({ versions: { old: originIn("a"), new: version }, seized: false, ...more });
  const event: EventOf<"seized"> = {
    type: "seized",
    at: 7,
    epoch: 1,
    change: 5,
    slots: [{ slot: "b", tag, enabled: on }],
    places: [],
  };
  return fold(state, event);
}

describe("H3: a seize settles a lost answer from the tag that it found", () => {
  test.each<readonly [string, VersionState, string, boolean, Partial<VersionState>]>([
    ["issued after all", lost(), tagText("new", "enabled"), true, { life: "issued", issuer: "enabled" }],
    ["never issued", lost(), tagText("zero", "destroyed"), false, { life: "planned", issuer: "absent" }],
    ["never issued, by a text of nobody's", lost(), "", false, { life: "planned", issuer: "absent" }],
    [
      "disabled after all",
      lost({ life: "retiring" }),
      tagText("new", "disabled"),
      false,
      { life: "disabled", issuer: "disabled", disabledAt: 7, refused: false },
    ],
    [
      "enabled again",
      lost({ life: "disabled", disabledAt: 3 }),
      tagText("new", "enabled"),
      true,
      { life: "issued", issuer: "enabled", disabledAt: null },
    ],
    [
      "destroyed at the issuer, its copies maybe not",
      lost({ life: "disabled" }),
      tagText("new", "destroyed"),
      false,
      { life: "disabled", issuer: "destroyed" },
    ],
    ["still disabled, under another's tag", lost({ life: "disabled" }), "", false, { issuer: "disabled" }],
    ["still enabled, under another's tag", lost({ life: "delivered" }), "", true, { issuer: "enabled" }],
    [
      "switched off by somebody who wrote nothing",
      lost({ life: "delivered" }),
      tagText("new", "enabled"),
      false,
      { life: "disabled", issuer: "disabled", refused: false },
    ],
    [
      "destroyed, and there again behind an issuer that was put back",
      versionIn("b", "new", { life: "destroyed", issuer: "destroyed", refused: true }),
      tagText("new", "enabled"),
      true,
      { life: "retiring", issuer: "enabled", refused: false },
    ],
    [
      "destroyed, and only disabled there behind an issuer that was put back",
      versionIn("b", "new", { life: "destroyed", issuer: "destroyed", refused: true }),
      tagText("new", "disabled"),
      false,
      { life: "disabled", issuer: "disabled", refused: false },
    ],
    [
      "destroyed, and still so",
      versionIn("b", "new", { life: "destroyed", issuer: "destroyed", refused: true }),
      tagText("new", "destroyed"),
      false,
      { life: "destroyed", issuer: "destroyed", refused: true },
    ],
    [
      "destroyed, and its slot was taken since",
      versionIn("b", "new", { life: "destroyed", issuer: "destroyed", refused: true }),
      tagText("newer", "enabled"),
      true,
      { life: "destroyed", issuer: "destroyed", refused: true },
    ],
    [
      "enabled, and the slot is another version's again behind an issuer that was put back",
      versionIn("b", "new", { life: "delivered", issuer: "enabled", proved: true }),
      tagText("zero", "disabled"),
      false,
      { life: "disabled", issuer: "disabled", disabledAt: 7, refused: false },
    ],
    [
      "enabled, and nobody is let in there under a text of nobody's",
      versionIn("b", "new", { life: "active", issuer: "enabled", proved: true }),
      "",
      false,
      { life: "disabled", issuer: "disabled", disabledAt: 7, refused: false },
    ],
  ])("%s", (_name, version, tag, on, after) => {
    expect(settled(version, tag, on).versions.new).toMatchObject({ ...after, proved: false });
  });

  test("I5: a version that is there again after it was destroyed is taken away again, and its slot is not free", () => {
    const gone = versionIn("b", "new", {
      life: "destroyed",
      issuer: "destroyed",
      leaked: true,
      refused: true,
    });
    const after = settled(gone, tagText("new", "enabled"), true, { target: "old", freeSlots: ["b", "c"] });
    expect(after.freeSlots).toEqual(["c"]);
    expect(others(after).map(({ id }) => id)).toEqual(["new"]);
    expect(leakIsOpen(after)).toBe(true);
    const free = settled(gone, tagText("new", "destroyed"), false, { target: "old", freeSlots: ["b", "c"] });
    expect(free.freeSlots).toEqual(["b", "c"]);
  });

  test("what is known and stands so keeps its proof", () => {
    const known = versionIn("b", "new", { life: "proven", issuer: "enabled", proved: true });
    expect(settled(known, tagText("new", "enabled"), true).versions.new).toEqual(known);
    expect(settled(known, "", true).versions.new).toEqual(known);
    const off = versionIn("b", "new", { life: "disabled", issuer: "disabled", disabledAt: 2, refused: true });
    expect(settled(off, tagText("new", "disabled"), false).versions.new).toEqual(off);
  });

  test("tags are ours afterwards, facts are old, and only its own failures end", () => {
    const trouble = {
      step: "seize",
      code: "x",
      sentence: "",
      since: 0,
      attempts: 1,
      retryAt: 0,
      again: true,
    };
    const after = settled(lost(), "tag", false, { trouble, places: {} });
    expect(after).toMatchObject({ seized: true, change: 5, changedAt: 7, stale: true, trouble: null });
    expect(after.tags).toMatchObject({ b: "tag", a: tagText("old", "enabled") });
    const other = { ...trouble, step: "issue:new" };
    expect(settled(lost(), "tag", false, { trouble: other }).trouble).toEqual(other);
  });

  test("H24: while a place is not fenced nothing is ours, and what failed there is not over", () => {
    const trouble = { code: "x", sentence: "", since: 0, attempts: 1, retryAt: 9, again: false };
    const after = settled(lost(), "tag", false, { trouble: { ...trouble, step: "seize" } });
    expect(after).toMatchObject({ seized: false, trouble: { step: "seize" } });
    expect(
      settled(lost(), "tag", false, { trouble: { ...trouble, step: "seize:slots" } }).trouble,
    ).toBeNull();
    const fenced = { ...trouble, step: "disable:new", code: "fenced" };
    const leaked = lost({ leaked: true });
    expect(settled(leaked, "tag", false, { trouble: fenced, target: "old" }).trouble).toMatchObject({
      again: true,
      retryAt: 7,
    });
    expect(settled(lost(), "tag", false, { trouble: fenced }).trouble).toEqual(fenced);
  });

  test("H8: another epoch's seize leaves ours to be done", () => {
    expect(settled(lost(), "tag", false, { epoch: 2 }).seized).toBe(false);
  });

  test("a place says what it carries; one whose write was lost has told nobody", () => {
    const state = begin({
      versions: { old: originIn("a"), new: versionIn("b", "new", { issuer: "enabled", life: "proven" }) },
    });
    const main = { tag: "t", liveVersion: "old", told: "new", toldTo: ["app"], toldAt: 3, unknown: true };
    const places = [
      { place: "main", tag: "u", liveVersion: "new" },
      { place: "found", tag: "v", liveVersion: null },
    ];
    const event: EventOf<"seized"> = { type: "seized", at: 7, epoch: 1, change: 5, slots: [], places };
    const after = fold({ ...state, places: { main } }, event);
    expect(after.places.main).toEqual({
      tag: "u",
      liveVersion: "new",
      told: null,
      toldTo: [],
      toldAt: 3,
      unknown: false,
    });
    expect(after.places.found).toMatchObject({ told: null, toldTo: [], toldAt: null });
    expect(after.versions.new?.delivered).toBe(true);
    const kept = fold({ ...state, places: { main: { ...main, unknown: false } } }, event);
    expect(kept.places.main).toMatchObject({ told: "new", toldTo: ["app"] });
  });

  test("H29: a lost write that reached an irreversible consumer leaves only the way forward", () => {
    const made = planFor({ main: ["app"] });
    const plan = { ...made, consumers: made.consumers.map((one) => ({ ...one, reversible: false })) };
    const places = [{ place: "main", tag: "u", liveVersion: "new" }];
    const event: EventOf<"seized"> = { type: "seized", at: 7, epoch: 1, change: 5, slots: [], places };
    expect(fold(begin({ plan }), event).irreversible).toBe(true);
    expect(fold(begin({ plan: made }), event).irreversible).toBe(false);
  });
});

describe("H11: an issuer may have made what nobody holds", () => {
  const made = (unkept: boolean) => {
    const state = begin({ versions: { old: originIn("a"), new: lost() }, seized: false });
    const slot = { slot: "b", tag: tagText("new", "enabled"), enabled: true };
    const slots = [unkept ? { ...slot, unkept } : slot];
    return fold(state, { type: "seized", at: 7, epoch: 1, change: 5, slots, places: [] });
  };

  test("then there is no version, and the rotation does not end as if nothing had been made", () => {
    expect(made(true).versions.new).toMatchObject({ life: "planned", issuer: "absent", unkept: true });
    expect(mayEndUnchanged(made(true))).toBe(false);
    expect(mayEndUnchanged(settled(lost(), "", false))).toBe(true);
  });

  test("until one is made whose value is kept", () => {
    const again = { ...made(true), seized: true };
    const tag = tagText("new", "enabled");
    const { versions } = fold(again, { type: "issued", at: 8, change: 6, version: "new", tag });
    expect(versions.new).toMatchObject({ life: "issued", issuer: "enabled" });
    expect(versions.new).not.toHaveProperty("unkept");
    const seen = fold(made(true), {
      ...{ type: "seized", at: 9, epoch: 1, change: 7, places: [] },
      slots: [{ slot: "b", tag: tagText("new", "enabled"), enabled: true }],
    });
    expect(seen.versions.new).not.toHaveProperty("unkept");
  });
});
