/** A rotation begins with what is known and assumes nothing: which version is live, which slots are free, what was left over. */
import { describe, expect, test } from "vitest";
import { type Beginning, initialState } from "../../domain/rotation/initial.js";
import { plannedVersion } from "../../domain/rotation/moves.js";
import { policy, tagText, traits } from "./begin.js";

const slot = (name: string, tag: string, enabled: boolean) => ({ slot: name, tag, enabled });

function beginning(more: Partial<Beginning> = {}): Beginning {
  return {
    rotation: "rot",
    credential: "cred",
    installation: "inst",
    nonce: "nonce",
    epoch: 3,
    policy,
    traits,
    slots: [
      slot("a", tagText("v1", "enabled"), true),
      slot("b", tagText("v0", "destroyed"), false),
      slot("c", "", false),
    ],
    places: [{ place: "main", tag: tagText("v1", "enabled"), liveVersion: "v1" }],
    liveSlot: "a",
    living: [{ id: "v1", slot: "a", life: "active" }],
    ended: [],
    ids: ["n0", "n1", "n2", "n3"],
    now: 42,
    ...more,
  };
}

const live = { life: "active", issuer: "enabled", delivered: true } as const;

describe("H24: a leak while a place cannot be read", () => {
  const unread = { places: [], unread: ["main"], liveSlot: null };

  test("the origin is the version that the records have in use, and the place is asked later", () => {
    const living = [
      { id: "v0", slot: "b", life: "disabled" as const },
      { id: "v1", slot: "a", life: "active" as const },
    ];
    const state = initialState(beginning({ ...unread, living }));
    expect(state).toMatchObject({ origin: "v1", versions: { v1: { slot: "a", issuer: "enabled" } } });
    expect(state.places).toMatchObject({ main: { unknown: true, liveVersion: null, told: null } });
  });

  test("without records it is whatever lets somebody in", () => {
    const state = initialState(beginning({ ...unread, living: [], liveSlot: "a" }));
    expect(state.versions[state.origin]).toMatchObject({ slot: "a", life: "active" });
  });
});

describe("the first state", () => {
  test("goes from the live version to a new one in the first free slot, and has seen nothing yet", () => {
    const state = initialState(beginning());
    expect(state).toMatchObject({
      id: "rot",
      epoch: 3,
      origin: "v1",
      target: "n1",
      acceptable: ["v1", "n1"],
      freeSlots: ["c"],
      spareIds: ["n2", "n3"],
      startedAt: 42,
      changedAt: 42,
      change: 0,
      plan: null,
      surveyedAt: null,
      closed: null,
    });
    expect(state.versions).toEqual({
      v1: { ...plannedVersion("v1", "a"), ...live },
      n1: plannedVersion("n1", "b"),
    });
    expect(state.tags).toEqual({ a: tagText("v1", "enabled"), b: tagText("v0", "destroyed"), c: "" });
    expect(JSON.parse(JSON.stringify(state))).toEqual(state);
  });

  test("leaves every place as it is, also one that says nothing of a version", () => {
    const places = [
      { place: "main", tag: "tag", liveVersion: "v1" },
      { place: "own", tag: "", liveVersion: null },
    ];
    const untouched = { toldTo: [], toldAt: null, unknown: false };
    expect(initialState(beginning({ places })).places).toEqual({
      main: { tag: "tag", liveVersion: "v1", told: "v1", ...untouched },
      own: { tag: "", liveVersion: null, told: null, ...untouched },
    });
  });
});

describe("the origin", () => {
  const living = [
    { id: "v1", slot: "a", life: "active" as const },
    { id: "v2", slot: "b", life: "delivered" as const },
  ];

  test("is what the main place carries, whatever slot its login seems to be", () => {
    const places = [
      { place: "own", tag: "", liveVersion: "v1" },
      { place: "main", tag: "", liveVersion: "v2" },
    ];
    const state = initialState(beginning({ living, places, liveSlot: "a" }));
    expect([state.origin, state.versions.v2]).toEqual(["v2", { ...plannedVersion("v2", "b"), ...live }]);
  });

  test("is the recorded version in the slot that the document logs in with, where no version is named", () => {
    const state = initialState(beginning({ living, places: [], liveSlot: "b" }));
    expect(state.origin).toBe("v2");
  });

  test("keeps the name that the document gives, where the records know none", () => {
    const state = initialState(beginning({ living: [] }));
    expect(state.versions.v1).toEqual({ ...plannedVersion("v1", "a"), ...live });
  });

  test("gets a name that was never used, where nobody has named it", () => {
    const state = initialState(beginning({ living: [], places: [] }));
    expect([state.origin, state.target]).toEqual(["n0", "n1"]);
    expect(state.versions.n0?.slot).toBe("a");
  });

  test("H32: a store that was restored gives out an id that has ended: whatever it is, it is not that version", () => {
    const state = initialState(beginning({ living: [], ended: ["v1"] }));
    expect([state.origin, state.target]).toEqual(["n0", "n1"]);
    expect(state.versions.n0).toMatchObject({ slot: "a", life: "active" });
    expect(state.versions.v1).toBeUndefined();
    const known = initialState(
      beginning({ living: [{ id: "v2", slot: "a", life: "active" }], ended: ["v1"] }),
    );
    expect(known.origin).toBe("v2");
  });

  test("has no slot where the store holds no value, so that no slot is mistaken for it", () => {
    const state = initialState(beginning({ living: [], places: [], liveSlot: null }));
    expect(state.versions[state.origin]?.slot).toBe("");
    expect(state.versions[state.target]?.slot).toBe("b");
  });
});

describe("a free slot", () => {
  const target = (b: ReturnType<typeof slot>) => {
    const state = initialState(beginning({ slots: [slot("a", tagText("v1", "enabled"), true), b] }));
    return state.versions[state.target]?.slot;
  };

  test("is switched off, and empty or of ours", () => {
    expect(target(slot("b", "", false))).toBe("b");
    expect(target(slot("b", tagText("v0", "destroyed"), false))).toBe("b");
  });

  test("is none that is enabled or that carries somebody's words: it may be somebody's", () => {
    expect(target(slot("b", "", true))).toBe("");
    expect(target(slot("b", tagText("v0", "destroyed"), true))).toBe("");
    expect(target(slot("b", "the orders team's login", false))).toBe("");
  });

  test("is not the origin's, even when that is switched off", () => {
    const state = initialState(
      beginning({ slots: [slot("a", tagText("v1", "disabled"), false), slot("b", "", true)] }),
    );
    expect([state.versions[state.target]?.slot, state.freeSlots]).toEqual(["", []]);
  });
});

describe("H8: what an earlier rotation left over", () => {
  const leftOver = (life: "planned" | "delivered" | "disabled", enabled: boolean) =>
    initialState(
      beginning({
        slots: [slot("a", "", true), slot("b", tagText("v2", "enabled"), enabled), slot("c", "", false)],
        living: [
          { id: "v1", slot: "a", life: "active" },
          { id: "v2", slot: "b", life },
        ],
      }),
    );

  test("is on its way out while it is enabled at the issuer, and its slot is not free", () => {
    const state = leftOver("delivered", true);
    expect(state.versions.v2).toMatchObject({ life: "retiring", issuer: "enabled", delivered: true });
    expect(state.versions[state.target]?.slot).toBe("c");
    expect(state.acceptable).not.toContain("v2");
  });

  test("is as the issuer shows it and not as the records have it", () => {
    expect(leftOver("delivered", false).versions.v2).toMatchObject({ life: "disabled", issuer: "disabled" });
    expect(leftOver("disabled", true).versions.v2).toMatchObject({ life: "retiring", issuer: "enabled" });
  });

  test("was never made where it was only planned", () => {
    const { v2 } = leftOver("planned", false).versions;
    expect(v2).toEqual(plannedVersion("v2", "b"));
  });

  test("is off where its slot is no longer there", () => {
    const living = [
      { id: "v1", slot: "a", life: "active" as const },
      { id: "v2", slot: "gone", life: "delivered" as const },
    ];
    expect(initialState(beginning({ living })).versions.v2).toMatchObject({ issuer: "disabled" });
  });
});
