/** What a run says of its rotation counts as far as the records bear it out, and no doubt of its own is taken from it. */
import { expect, test } from "vitest";
import { borneOut } from "../../domain/rotation/borne-out.js";
import type { RotationState, VersionState } from "../../domain/rotation/state.js";
import { begin } from "./begin.js";

const kept = begin({ freeSlots: ["c"] });
const { origin, target } = kept;
const of = (id: string): VersionState => {
  const version = kept.versions[id];
  if (version === undefined) throw new Error(`no version ${id}`);
  return version;
};

test("H7: versions, their slots and whether they are valid are those of the records, and so are the fences", () => {
  const { slot } = of(origin);
  const stranger: VersionState = { ...of(origin), id: "stranger", issuer: "disabled", leaked: true };
  const given: RotationState = {
    ...kept,
    target: "stranger",
    acceptable: ["stranger"],
    spareIds: ["stranger"],
    freeSlots: [slot, "c"],
    tags: { [slot]: "forged" },
    places: {
      main: { ...kept.places.main, tag: "forged", liveVersion: "stranger" } as never,
      other: {} as never,
    },
    versions: {
      stranger,
      [target]: { ...of(target), slot, life: "destroyed", issuer: "enabled", leaked: true },
    },
  };
  const { target: leads, versions, spareIds, freeSlots, tags, places } = borneOut(given, kept);
  expect({ leads, versions, spareIds, freeSlots, tags, places }).toEqual({
    leads: target,
    versions: kept.versions,
    spareIds: kept.spareIds,
    freeSlots: ["c"],
    tags: kept.tags,
    places: kept.places,
  });
});

test("H3 H7: a lost answer that only the run knows of stays unknown, and a place is told anew", () => {
  const place = kept.places.main;
  if (place === undefined) throw new Error("no place");
  const doubtful: RotationState = {
    ...kept,
    versions: { ...kept.versions, [target]: { ...of(target), issuer: "unknown" } },
    places: { main: { ...place, unknown: true, told: null } },
  };
  const held = borneOut(doubtful, kept);
  expect(held.versions[target]?.issuer).toBe("unknown");
  expect(held.places.main).toMatchObject({ unknown: true, told: null });
  const gone = {
    ...kept,
    versions: { ...kept.versions, [target]: { ...of(target), life: "destroyed" as const } },
  };
  expect(
    borneOut({ ...kept, versions: { ...kept.versions, [target]: { ...of(target), life: "disabled" } } }, gone)
      .versions[target]?.life,
  ).toBe("disabled");
});

test("H7 H38: towards the origin it leads only where the records say so, or once it was refused", () => {
  const back: RotationState = { ...kept, target: origin };
  expect(borneOut(back, kept).target).toBe(target);
  expect(borneOut(back, { ...kept, refused: "cancelled" }).target).toBe(origin);
  expect(borneOut(kept, back).target).toBe(origin);
  // Cancelled while the issue was under way: recorded after it, and folded before it.
  expect(borneOut({ ...kept, refused: "cancelled" }, back).target).toBe(target);
});

test("H7 H25: in an emergency it may lead to another clean version, and a slot that is to be emptied is the run's", () => {
  const emergency = { reason: "x" } as unknown as NonNullable<RotationState["emergency"]>;
  const incident: RotationState = { ...kept, emergency };
  const given: RotationState = {
    ...incident,
    target: origin,
    versions: { ...kept.versions, [target]: { ...of(target), slot: of(origin).slot } },
  };
  expect(borneOut(given, incident)).toMatchObject({ target: origin });
  expect(borneOut(given, incident).versions[target]?.slot).toBe(of(origin).slot);
  expect(borneOut(given, { ...incident, acceptable: [target] }).target).toBe(target);
  const elsewhere = {
    ...given,
    versions: { ...kept.versions, [target]: { ...of(target), slot: "nobody's" } },
  };
  expect(borneOut(elsewhere, incident).versions[target]?.slot).toBe(of(target).slot);
});
