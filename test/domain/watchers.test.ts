/** H17, H21: whoever takes a source away while a rotation runs has not taken the gate away with it. */
import { describe, expect, test } from "vitest";
import type { Watcher } from "../../domain/last-reading.js";
import type { RotationState } from "../../domain/rotation/state.js";
import {
  agreedWatchers,
  goneFindings,
  overseeing,
  watchersIn,
  watchingAfter,
} from "../../domain/watchers.js";
import { begin } from "./begin.js";
import { look, upTo } from "./walk.js";

const watcher = (name: string, deliveredWithinMs = 0): Watcher => ({
  ...{ id: `src_${name}`, name, deliveredWithinMs },
});
const source = (name: string, more: object = {}) => ({
  ...watcher(name),
  tied: true,
  seesUse: true,
  ...more,
});
const names = (watchers: readonly Watcher[] | undefined) => watchers?.map(({ name }) => name);

describe("the sources that watch over a rotation", () => {
  test("are those that would show a use of the credential", () => {
    const sources = [
      source("log", { deliveredWithinMs: 5 }),
      source("loose", { tied: false }),
      source("dull", { seesUse: false }),
    ];
    expect(watchersIn(sources)).toEqual([watcher("log", 5)]);
    const kept = source("log", { settingsDigest: "a" });
    expect(watchersIn([kept])).toEqual([{ ...watcher("log"), settingsDigest: "a" }]);
  });

  test("are those of the estate until somebody is asked, and from then on none leaves them", () => {
    const begun = begin();
    const first = { ...begun, watching: watchingAfter(begun, [watcher("b"), watcher("a")]) } as RotationState;
    expect(names(first.watching)).toEqual(["a", "b"]);
    expect(agreedWatchers(first)).toEqual([]);
    expect(names(watchingAfter(first, [watcher("b")]))).toEqual(["b"]);
    const asked = { ...first, asked: ["digest"] };
    expect(names(agreedWatchers(asked))).toEqual(["a", "b"]);
    expect(names(watchingAfter(asked, [watcher("c")]))).toEqual(["a", "b", "c"]);
    // The same list while nothing is new, so that looking again is no change; a look of an earlier release says nothing.
    expect(watchingAfter(asked, [watcher("a")])).toBe(asked.watching);
    expect(watchingAfter(asked, undefined)).toBe(asked.watching);
    const issued = { ...upTo("deliver", begin()).state, watching: first.watching } as RotationState;
    expect(names(watchingAfter(issued, []))).toEqual(["a", "b"]);
  });

  test("are to read as they did", () => {
    const read = (digest: string) => ({ ...watcher("a"), settingsDigest: digest });
    const first = begin({ watching: [read("before")] });
    expect(watchingAfter(first, [read("after")])).toEqual([read("after")]);
    const asked = { ...first, asked: ["digest"] };
    expect(watchingAfter(asked, [read("after")])).toBe(asked.watching);
  });

  test("may be later than they were, and not earlier", () => {
    const asked = { ...begin(), asked: ["digest"], watching: [watcher("a", 900)] };
    expect(watchingAfter(asked, [watcher("a", 5)])).toBe(asked.watching);
    expect(watchingAfter(asked, [watcher("a", 901)])).toEqual([watcher("a", 901)]);
  });

  test("are kept by the looks of the walk, and a look of before this was kept changes nothing", () => {
    const state = upTo("disable", begin()).state;
    const seen = look(state, (state.surveyedAt ?? 0) + 1, { watching: [watcher("a")] });
    expect(names(seen.watching)).toEqual(["a"]);
    expect(names(look(seen, (seen.surveyedAt ?? 0) + 1, { watching: [] }).watching)).toEqual(["a"]);
    expect(names(look(seen, (seen.surveyedAt ?? 0) + 1).watching)).toEqual(["a"]);
    expect(look(state, (state.surveyedAt ?? 0) + 1)).not.toHaveProperty("watching");
  });
});

describe("H21: a source that watched when the rotation was agreed to", () => {
  const agreed = [watcher("ended"), watcher("moved"), watcher("log", 900)];

  test("is tied to it also where what it has shown has faded, and is no earlier than it was", () => {
    const faded = source("log", { tied: false, seesUse: false });
    const { sources, gone } = overseeing(
      [faded, source("new")],
      new Set(["src_log", "src_new", "src_moved"]),
      agreed,
    );
    expect(sources).toEqual([source("log", { deliveredWithinMs: 900 }), source("new")]);
    expect(gone).toEqual([
      { name: "ended", why: "ended" },
      { name: "moved", why: "elsewhere" },
    ]);
  });

  test("and reads otherwise now watches as it is, and not as what was agreed to", () => {
    const set = (digest: string) => ({ settingsDigest: digest });
    const looks = (now: object, before: object) =>
      overseeing([source("log", now)], new Set(["src_log"]), [{ ...watcher("log"), ...before }]);
    expect(looks(set("b"), set("a"))).toEqual({
      sources: [source("log", set("b"))],
      gone: [{ name: "log", why: "changed" }],
    });
    expect(looks(set("a"), set("a")).gone).toEqual([]);
    // Agreed to before it was kept.
    expect(looks(set("b"), {}).gone).toEqual([]);
  });

  test("and is gone is told by its name, and stands in the way as one that cannot be read", () => {
    const found = goneFindings(
      [
        { name: "log", why: "ended" },
        { name: "trail", why: "elsewhere" },
        { name: "audit", why: "changed" },
      ],
      "refuse",
    );
    expect(found).toMatchObject([
      {
        ...{ code: "last-reading", severity: "refuse", subject: "log" },
        sentence:
          "The source log watched over this rotation when it was agreed to, and has left the estate: what it would have shown of the old version is not known.",
        hint: expect.stringContaining("Put it back"),
      },
      { subject: "trail", sentence: expect.stringContaining("is bound to something else now") },
      { subject: "audit", sentence: expect.stringContaining("is set to read otherwise now") },
    ]);
    expect(goneFindings([{ name: "log", why: "ended" }], "warn")[0]?.severity).toBe("warn");
  });
});
