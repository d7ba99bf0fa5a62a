/** What a run says of its rotation counts as far as the records bear it out, and no doubt of its own is taken from it. */
import { describe, expect, test } from "vitest";
import { decide } from "../../domain/decide.js";
import { borneOut } from "../../domain/rotation/borne-out.js";
import type { RotationEvent } from "../../domain/rotation/events.js";
import { fold } from "../../domain/rotation/fold.js";
import type { RotationState, VersionState } from "../../domain/rotation/state.js";
import { begin } from "./begin.js";
import { leak, upTo, type Walk, walk } from "./walk.js";

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
      [target]: { ...of(target), slot, life: "destroyed", issuer: "enabled", leaked: true, untried: true },
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

/** What is left of a walk once the state is taken from the records, which keep no look but those that made a plan. */
function expectAgreed({ events }: Pick<Walk, "events">): void {
  let given = begin();
  let kept = begin();
  for (const event of events) {
    const before = given;
    given = fold(given, event);
    if (event.type !== "surveyed" || given.plan?.digest !== before.plan?.digest) kept = fold(kept, event);
    expect(decide(borneOut(given, kept), event.at)).toEqual(decide(given, event.at));
  }
}

/** The walk to a step, then a word that comes there, then on to its end. */
function withWord(at: Walk, word: (at: number) => RotationEvent): Pick<Walk, "events"> {
  const event = word(at.now);
  const { events } = walk(fold(at.state, event), at.now);
  return { events: [...at.events, event, ...events] };
}

describe("a run that claims nothing does what it would have done", () => {
  const words: [string, (at: number) => RotationEvent][] = [
    ["cancelled", (at) => ({ type: "cancelled", at, by: "ann", reason: "not today" })],
    ["the old one leaked", (at) => leak(at, ["old"])],
    ["the new one leaked", (at) => leak(at, ["new"])],
    ["both leaked", (at) => leak(at, ["old", "new"])],
    ["both leaked, revoked now", (at) => leak(at, ["old", "new"], { containment: "revoke-now" })],
  ];
  const stages = ["issue", "prove", "deliver", "disable", "destroy", "close"] as const;

  test("to its end", () => expectAgreed(walk(begin(), 0)));
  test.each(stages.flatMap((stage) => words.map(([what, word]) => [what, stage, word] as const)))(
    "H5 H25: %s before it is to %s",
    (_, stage, word) => expectAgreed(withWord(upTo(stage), word)),
  );
});
