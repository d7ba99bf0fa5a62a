/** What is named, what is ours to take away, and above all what is not. */
import { expect, test } from "vitest";
import { driftsOf, type Known, orphansOf, type Stock, takenUp } from "../../domain/reconcile.js";
import { fold } from "../../domain/rotation/fold.js";
import { sweeping } from "../../domain/rotation/sweep.js";
import { begin, originIn, tagText, versionIn } from "./begin.js";

const known: Known = {
  installation: "inst",
  openRotation: null,
  versions: [
    { id: "live", slot: "a", life: "active" },
    { id: "gone", slot: "b", life: "destroyed" },
    { id: "never", slot: "b", life: "abandoned" },
  ],
};
const main = { place: "main", tag: tagText("live", "enabled"), liveVersion: "live", staged: ["live"] };
const calm: Stock = {
  slots: [
    { slot: "a", tag: tagText("live", "enabled"), enabled: true },
    { slot: "b", tag: tagText("gone", "destroyed"), enabled: false },
  ],
  liveSlot: "a",
  places: [main],
};
const foreignTag = tagText("live", "enabled").replace("inst=inst", "inst=theirs");

/** The calm stock with another slot `b`. */
function withSlot(tag: string, enabled = true, slot = "b"): Stock {
  return { ...calm, slots: [...calm.slots.slice(0, 1), { slot, tag, enabled }] };
}

const codes = (stock: Stock, more: Partial<Known> = {}) =>
  driftsOf(stock, { ...known, ...more }).map(({ code, orphan }) => [code, orphan?.version ?? null]);

test("what is known is not named, nor is what carries no tag of ours", () => {
  expect(codes(calm)).toEqual([]);
  expect(codes(withSlot(""))).toEqual([]);
  expect(codes(withSlot("a DBA's comment"))).toEqual([]);
  expect(codes(withSlot(tagText("lost", "disabled"), false))).toEqual([]);
  expect(codes({ ...calm, places: [{ ...main, tag: "", liveVersion: "made-by-hand" }] })).toEqual([]);
  expect(codes({ ...calm, places: [{ ...main, tag: "", liveVersion: null }] })).toEqual([]);
});

test("a version that nobody knows, or that is dead, and is let in with our tag is ours to take away", () => {
  expect(codes(withSlot(tagText("lost", "enabled")))).toEqual([["unknown-version", "lost"]]);
  expect(codes(withSlot(tagText("gone", "enabled")))).toEqual([["dead-version-accepted", "gone"]]);
  // In a slot where the records never had it.
  expect(codes(withSlot(tagText("gone", "enabled"), true, "c"))).toEqual([["dead-version-accepted", null]]);
});

test("H8: nothing of another installation is ours to take away", () => {
  const slots = withSlot(foreignTag);
  const places = [{ ...main, tag: foreignTag }];
  expect(codes({ ...slots, places })).toEqual([
    ["foreign-tag", null],
    ["foreign-tag", null],
  ]);
  expect(driftsOf(slots, known)[0]?.sentence).toBe(
    "b carries the tag of installation theirs; it is not touched.",
  );
});

test("what the live document logs in with is not ours to take away, whatever its tag says", () => {
  expect(codes({ ...withSlot(tagText("lost", "enabled")), liveSlot: "b" })).toEqual([
    ["unknown-version", null],
  ]);
});

test("H32: what consumers read is named and left, and then nothing else is taken away either", () => {
  const lost = { ...main, tag: tagText("lost", "enabled"), liveVersion: "lost" };
  expect(codes({ ...withSlot(tagText("lost", "enabled")), places: [lost] })).toEqual([
    ["unknown-version", null],
    ["live-unknown", null],
  ]);
  expect(codes({ ...calm, places: [{ ...main, liveVersion: "gone" }] })).toEqual([["live-dead", null]]);
});

test("copies: of a dead version ours, of an unknown one named, of a live one as it should be", () => {
  const places = [{ ...main, staged: ["live", "never", "gone-reserved", "gone", "lost"] }];
  expect(codes({ ...calm, places })).toEqual([
    ["dead-copy", "gone"],
    ["unknown-copy", null],
    ["dead-copy", "never"],
  ]);
  // Its copies go with what an issuer lets in.
  const both = { ...withSlot(tagText("lost", "enabled")), places: [{ ...main, staged: ["lost"] }] };
  expect(codes(both)).toEqual([["unknown-version", "lost"]]);
  // Let in where it is not ours to switch off: then the copy stays, too.
  const elsewhere = {
    ...withSlot(tagText("gone", "enabled"), true, "c"),
    places: [{ ...main, staged: ["gone"] }],
  };
  expect(codes(elsewhere)).toEqual([
    ["dead-version-accepted", null],
    ["dead-copy", null],
  ]);
});

test("while a rotation is open, what it made is its own, and nothing is taken away beside it", () => {
  const made = withSlot(tagText("fresh", "enabled"));
  const places = [{ ...main, liveVersion: "fresh", staged: ["live", "fresh", "never"] }];
  expect(codes({ ...made, places }, { openRotation: "rot" })).toEqual([["dead-copy", null]]);
  expect(codes(made, { openRotation: "another" })).toEqual([["unknown-version", null]]);
});

test("a version that is found twice is taken away once", () => {
  const places = [
    { ...main, staged: ["gone"] },
    { ...main, place: "own", staged: ["gone"] },
  ];
  expect(orphansOf(driftsOf({ ...calm, places }, known))).toEqual([
    { version: "gone", slot: "b", found: "copy" },
  ]);
});

test("a removal leads to what is live, and makes nothing", () => {
  const initial = begin({
    freeSlots: ["b", "c"],
    tags: { a: "", b: tagText("lost", "enabled"), c: "" },
    versions: { old: originIn("a"), new: versionIn("b", "new") },
  });
  const state = sweeping(initial, [
    { version: "lost", slot: "b", found: "slot" },
    { version: "gone", slot: "a", found: "copy" },
    { version: "mine", slot: "a", found: "slot" },
    { version: "old", slot: "b", found: "slot" },
  ]);
  expect(state).toMatchObject({ target: "old", acceptable: ["old"], freeSlots: ["c"] });
  expect(Object.keys(state.versions)).toEqual(["old", "lost", "gone"]);
  expect(state.versions.lost).toMatchObject({ issuer: "enabled", life: "retiring", orphan: "slot" });
  expect(state.versions.gone).toMatchObject({ issuer: "destroyed", refused: true, orphan: "copy" });
});

test("I2: a copy whose removal lost its answer never makes its slot, which is another version's, be switched off", () => {
  const step = { do: "destroy", version: "gone", slot: "a" } as const;
  const sweep = sweeping(begin(), [{ version: "gone", slot: "a", found: "copy" }]);
  const lost = fold(sweep, {
    type: "failed",
    at: 1,
    step,
    change: 1,
    code: "unknown-outcome",
    sentence: "Lost.",
    outcome: "unknown",
    again: true,
  });
  expect(lost.versions.gone).toMatchObject({ issuer: "destroyed", life: "disabled", refused: true });
});

test("what an earlier rotation left behind is ours to take away, tagged or as the records have it", () => {
  const behind = (life: "retiring" | "disabled" | "planned") => ({
    ...known,
    versions: [
      { id: "live", slot: "a", life: "active" as const },
      { id: "left", slot: "b", life },
    ],
  });
  expect(driftsOf(withSlot(tagText("left", "enabled")), behind("retiring"))).toEqual([
    {
      code: "left-over",
      where: "b",
      sentence: "b holds version left, which is retiring and which no open rotation takes away.",
      orphan: { version: "left", slot: "b", found: "slot" },
    },
  ]);
  expect(driftsOf(withSlot(tagText("left", "disabled"), false), behind("disabled"))).toHaveLength(1);
  expect(driftsOf(withSlot(""), behind("retiring"))).toMatchObject([{ code: "left-over" }]);
  expect(driftsOf(withSlot("", false), behind("retiring"))).toEqual([]);
  expect(driftsOf(withSlot(""), behind("planned"))).toEqual([]);
  expect(driftsOf(withSlot(tagText("left", "destroyed"), false), behind("retiring"))).toEqual([]);
  const open = { ...behind("retiring"), openRotation: "another" };
  expect(driftsOf(withSlot(""), open)).toEqual([]);
});

test("H32: what consumers read is the one in use once restored records are accepted; the one before is where its slot says", () => {
  const records: Known = { ...known, versions: [{ id: "before", slot: "a", life: "active" }] };
  const place = { ...main, tag: tagText("lost", "enabled"), liveVersion: "lost" };
  const outside = (tag: string, enabled: boolean): Stock => ({
    slots: [{ slot: "a", tag, enabled }],
    liveSlot: "b",
    places: [place],
  });
  const lost = { id: "lost", slot: "b", life: "active" };
  const as = (life: string) => [{ id: "before", slot: "a", life }, lost];
  expect(takenUp(outside(tagText("before", "enabled"), true), records)).toEqual(as("retiring"));
  expect(takenUp(outside(tagText("before", "destroyed"), false), records)).toEqual(as("destroyed"));
  expect(takenUp(outside(tagText("third", "enabled"), true), records)).toEqual(as("destroyed"));
  expect(takenUp(outside("", true), records)).toEqual(as("retiring"));
  expect(takenUp(outside("", false), records)).toEqual(as("destroyed"));
  expect(takenUp({ ...outside("", true), slots: [] }, records)).toEqual(as("destroyed"));
  expect(takenUp(calm, known)).toEqual([]);
  expect(takenUp({ ...outside("", true), liveSlot: null }, records)).toEqual([]);
  expect(takenUp({ ...outside("", true), places: [] }, records)).toEqual([]);
  expect(takenUp(outside("", true), { ...records, openRotation: "rot" })).toEqual([]);
});
