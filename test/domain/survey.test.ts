/** A look changes facts and their ages, and never a wish: what is kept too long is believed too long. */
import { describe, expect, test } from "vitest";
import { begin, originIn, tagText, tick, versionIn } from "./begin.js";
import { look, on } from "./walk.js";

const on2 = (version: string) => ({ app: on(version, "1", "2") });

describe("H10: what a look keeps of a consumer", () => {
  test("since when it is on the target, how often the same were listed, and when it was lost", () => {
    const first = look(begin(), 1, { observations: on2("new") });
    expect(first.consumers.app).toMatchObject({ at: 1, stable: 1, since: 1, lostAt: null });
    const second = look(first, 2, { observations: on2("new") });
    expect(second.consumers.app).toMatchObject({ at: 2, stable: 2, since: 1, lostAt: null });
    const away = look(second, 3, { observations: on2("old") });
    expect(away.consumers.app).toMatchObject({ stable: 3, since: null, lostAt: 3 });
    const again = look(away, 4, { observations: on2("new") });
    expect(again.consumers.app).toMatchObject({ since: 4, lostAt: 3 });
  });

  test("who was not listed is not forgotten: it has no instance", () => {
    const seen = look(begin(), 1, { observations: on2("new") });
    expect(look(seen, 2, { observations: {} }).consumers.app).toEqual({
      at: 2,
      instances: [],
      stable: 1,
      since: null,
      lostAt: 2,
    });
  });
});

describe("H21: what a look keeps of a version's use", () => {
  test("quiet since the first look without a session; a blind look leaves it as old as it was", () => {
    const quiet = look(begin(), 1, { sessions: { old: 0 } });
    expect(quiet.uses.old).toEqual({ quietSince: 1, watermarkAt: 1, sessions: 0 });
    expect(look(quiet, 2, { sessions: { old: 0 } }).uses.old).toEqual({
      quietSince: 1,
      watermarkAt: 2,
      sessions: 0,
    });
    expect(look(quiet, 2, { sessions: { old: 0 }, watermarkSeen: false }).uses.old).toEqual(quiet.uses.old);
    expect(look(quiet, 2, { sessions: {} }).uses.old).toEqual(quiet.uses.old);
    expect(look(quiet, 2, { sessions: { old: 3 } }).uses.old).toEqual({
      quietSince: null,
      watermarkAt: 2,
      sessions: 3,
    });
  });
});

describe("H21: a version that a log of the store shows to be read", () => {
  const read = (at: number) => ({ reads: { old: { at, by: "orders" } } });

  test("is unused since then at the earliest, and who read it is kept", () => {
    const quiet = look(begin(), 1, { sessions: { old: 0 } });
    const later = look(quiet, 9, { sessions: { old: 0 }, ...read(5) });
    expect(later.uses.old).toEqual({
      ...{ quietSince: 5, watermarkAt: 9, sessions: 0 },
      read: { at: 5, by: "orders" },
    });
    expect(look(later, 12, { sessions: { old: 0 }, ...read(10) }).uses.old?.quietSince).toBe(10);
    expect(look(later, 12, { sessions: { old: 0 } }).uses.old?.quietSince).toBe(5);
  });

  test("is as unused as it was where it was read before, and in use while somebody has a session", () => {
    const quiet = look(begin(), 5, { sessions: { old: 0 } });
    expect(look(quiet, 9, { sessions: { old: 0 }, ...read(1) }).uses.old?.quietSince).toBe(5);
    expect(look(quiet, 9, { sessions: { old: 1 }, ...read(1) }).uses.old).toMatchObject({
      ...{ quietSince: null, sessions: 1 },
      read: { by: "orders" },
    });
  });
});

describe("H12: what somebody else changed", () => {
  const state = begin();
  const slot = (tag: string, enabled: boolean) => ({ slots: [{ slot: "a", tag, enabled }] });

  test("a tag, or what a place gives out, is a finding and never taken over", () => {
    const seen = look(state, 1, slot("theirs", true));
    expect(seen.findings).toMatchObject([{ code: "changed-outside", severity: "refuse", subject: "a" }]);
    expect(seen.tags).toEqual(state.tags);
    const place = look(state, 1, {
      places: [{ place: "main", tag: tagText("old", "enabled"), liveVersion: "x" }],
    });
    expect(place.findings).toMatchObject([{ code: "changed-outside", subject: "main" }]);
    expect(look(state, 1, { places: [{ place: "stranger", tag: "t", liveVersion: null }] }).findings).toEqual(
      [],
    );
    expect(look(state, 1, { slots: [{ slot: "new-one", tag: "t", enabled: false }] }).findings).toEqual([]);
  });

  test("a switch that was moved makes the version unknown, unless it is not the one of whom anybody wrote there", () => {
    const moved = look(state, 1, slot(tagText("old", "enabled"), false));
    expect(moved.versions.old).toMatchObject({ issuer: "unknown", proved: false });
    expect(look(state, 1, slot("", false)).versions.old?.issuer).toBe("unknown");
    // Our own last change of the slot is missing: a server that was behind has been promoted, or put back (H16).
    const stranger = slot(tagText("stranger", "disabled"), false);
    expect(look(state, 1, stranger).versions.old?.issuer).toBe("unknown");
    const others = { ...state, tags: { ...state.tags, a: tagText("stranger", "enabled") } };
    expect(look(others, 1, stranger).versions.old?.issuer).toBe("enabled");
    const off = {
      ...state,
      versions: { old: originIn("a"), new: versionIn("b", "new", { life: "disabled", issuer: "disabled" }) },
    };
    expect(look(off, 1, { slots: [{ slot: "b", tag: "", enabled: true }] }).versions.new?.issuer).toBe(
      "unknown",
    );
  });

  test("what stands in the way keeps the time at which it came, until nothing does", () => {
    const finding = { code: "x", severity: "refuse" as const, sentence: "So." };
    const blocked = look(look(state, 1, { findings: [finding] }), 2, { findings: [finding] });
    expect(blocked.blockedSince).toBe(1);
    expect(look(blocked, 3, { findings: [{ ...finding, severity: "warn" }] }).blockedSince).toBeNull();
  });

  test("a look ends only its own failure", () => {
    const trouble = {
      step: "survey",
      code: "x",
      sentence: "",
      since: 0,
      attempts: 1,
      retryAt: tick,
      again: true,
    };
    expect(look({ ...state, trouble }, 1)).toMatchObject({ trouble: null, stale: false, surveyedAt: 1 });
    expect(look({ ...state, trouble: { ...trouble, step: "issue:new" } }, 1).trouble).not.toBeNull();
  });
});
