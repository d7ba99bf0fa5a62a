/** When a version counts as revoked: not at the first refusal, where nodes hear late, nor while its children live (H27). */
import { describe, expect, test } from "vitest";
import { decide } from "../../domain/decide.js";
import type { IssuerTraits } from "../../domain/kinds.js";
import { revocations } from "../../domain/revoked.js";
import { fold, foldAll } from "../../domain/rotation/fold.js";
import type { RotationState } from "../../domain/rotation/state.js";
import { begin, tick, traits } from "./begin.js";
import { gateOf } from "./gate.js";
import { failure, leak, look, told, upTo, walk } from "./walk.js";

const late: IssuerTraits = { ...traits, propagationMs: 4 * tick };
const children: IssuerTraits = {
  ...traits,
  derives: [
    { what: "sessions", maxLifeMs: null, endedByDisable: true },
    { what: "temporary credentials", maxLifeMs: 6 * tick, endedByDisable: false },
  ],
};

function off(kind: IssuerTraits): { readonly state: RotationState; readonly now: number } {
  const { state, now } = upTo("disable", begin({ traits: kind }));
  return { state: fold(state, { type: "disabled", at: now, version: "old", change: 9, tag: "t" }), now };
}

const ask = (state: RotationState, now: number) => gateOf("disabled").check(state, now);
const probe = { do: "probe", version: "old", slot: "a" } as const;
const refused = (at: number) => ({ type: "refused", at, version: "old" }) as const;

describe("H27: where nodes hear of a switch late", () => {
  const { state, now } = off(late);

  test("it is refused three times in a row, spread over the time that they need", () => {
    expect(ask(state, now)).toMatchObject({ is: "wait", until: now + 2 * tick });
    expect(ask(state, now + 2 * tick)).toEqual({ is: "do", step: probe });
    const twice = fold(state, refused(now + 2 * tick));
    expect(ask(twice, now + 2 * tick)).toMatchObject({ is: "wait", until: now + 4 * tick });
    expect(ask(twice, now + 4 * tick)).toEqual({ is: "do", step: probe });
    const thrice = fold(twice, refused(now + 4 * tick));
    expect(ask(thrice, now + 4 * tick)).toEqual({ is: "pass" });
  });

  test("a node that lets it in again begins the count anew; one that does not answer does not", () => {
    const twice = fold(state, refused(now + 2 * tick));
    const silent = fold(twice, failure(probe, now + 3 * tick));
    expect(silent.versions.old).toMatchObject({ refusals: 2, refusedSince: now });
    const open = fold(twice, failure(probe, now + 3 * tick, { code: "proof-failed" }));
    expect(open.versions.old).toMatchObject({ refusals: 0, refusedSince: null, issuer: "disabled" });
    const again = fold(open, refused(now + 5 * tick));
    expect(again.trouble).toBeNull();
    expect(ask(again, now + 5 * tick)).toMatchObject({ is: "wait", until: now + 7 * tick });
  });

  test("a probe of what is not known, or whose answer is lost, changes nothing", () => {
    const of = (version: string) => ({ ...probe, version });
    const more = { code: "proof-failed" };
    expect(fold(state, failure(of("who"), now, more)).versions).toEqual(state.versions);
    expect(fold(state, failure(probe, now, { outcome: "unknown" })).versions).toEqual(state.versions);
  });

  test("a lost answer is asked for only once every node could have what was sent", () => {
    const before = upTo("disable", begin({ traits: late }));
    const lost = fold(
      before.state,
      failure({ do: "disable", version: "old", slot: "a" }, before.now, { outcome: "unknown", change: 9 }),
    );
    expect(decide(lost, before.now)).toMatchObject({ kind: "wait", until: before.now + 4 * tick });
    expect(decide(lost, before.now + 4 * tick)).toMatchObject({ step: { do: "seize" } });
  });
});

describe("I5 H27: a version of which no copy is left", () => {
  const before = upTo("disable", begin({ traits: late }));
  const { now } = before;
  const event = { type: "disabled", at: now, version: "old", change: 9, tag: "t", untried: true } as const;
  const state = fold(before.state, event);

  test("was refused by nobody: the time that nodes need is waited out, and the end says that nobody tried it", () => {
    expect(state.versions.old).toMatchObject({ untried: true, refusals: 0, refusedSince: null });
    expect(ask(state, now)).toMatchObject({ is: "wait", until: now + 4 * tick });
    expect(ask(state, now + 4 * tick)).toEqual({ is: "pass" });
    const said =
      "old was tried by nobody, because no copy of it was left; that it is refused rests on the switch";
    expect(revocations(state, now + 4 * tick)).toBe(said);
  });

  test("whose copy is lost between two tries is counted no further, and one that is found again is tried", () => {
    const once = fold(off(late).state, { ...refused(now + 2 * tick), untried: true });
    expect(once.versions.old).toMatchObject({ untried: true, refusals: 1 });
    expect(ask(once, now + 2 * tick)).toMatchObject({ is: "wait", until: now + 4 * tick });
    expect(revocations(once, now)).toContain("was tried by nobody");
    const found = fold(state, refused(now + tick)).versions.old;
    expect(found).toMatchObject({ refusals: 1 });
    expect(found).not.toHaveProperty("untried");
    const on = fold(state, { type: "enabled", at: now, version: "old", change: 10, tag: "t" });
    expect(on.versions.old).not.toHaveProperty("untried");
  });
});

describe("H27: what was replaced in its place, which no switch has proved", () => {
  /** A rotation whose new version is made in the slot of the old one. */
  function replaced(more: Partial<IssuerTraits> = {}): RotationState {
    const kind: IssuerTraits = {
      ...traits,
      overlap: "none",
      capacity: 1,
      valueBy: "issuer",
      disableReversible: false,
      ...more,
    };
    const state = begin({ traits: kind });
    const inPlace = { ...state.versions.new, slot: "a" } as RotationState["versions"][string];
    return { ...state, freeSlots: [], versions: { ...state.versions, new: inPlace } };
  }

  test.each([
    [{}, 1],
    [{ propagationMs: 4 * tick }, 3],
  ])("is tried before its copies are destroyed: %j", (more, times) => {
    const steps = told(walk(replaced(more), 0).events);
    const tried = steps.flatMap((what, i) => (what.startsWith("refused") ? [i] : []));
    expect(tried).toHaveLength(times);
    expect(Math.max(...tried)).toBeLessThan(steps.findIndex((what) => what.startsWith("destroyed")));
    expect(steps.filter((what) => what.startsWith("disabled"))).toEqual([]);
  });

  test("keeps a rotation from its end for as long as somebody lets it in, and then an operator is asked", () => {
    const { state, now } = upTo("probe", replaced());
    const still = { code: "proof-failed" };
    const open = fold(state, failure(probe, now, still));
    expect(decide(open, now)).toMatchObject({ kind: "wait" });
    expect(decide(open, now + tick)).toMatchObject({ step: probe });
    const later = fold(open, failure(probe, now + 2 * tick, still));
    expect(decide(look(later, now + 4 * tick), now + 4 * tick)).toMatchObject({ step: { do: "hold" } });
  });
});

describe("H27: what was taken with it", () => {
  const { state, now } = off(children);

  test("is waited for until it has run out, also in an emergency, which waits for no soak", () => {
    expect(ask(state, now)).toMatchObject({ is: "wait", until: now + 6 * tick });
    expect(ask(state, now + 6 * tick)).toEqual({ is: "pass" });
    const alarmed = fold(state, leak(now, ["old"]));
    expect(ask(alarmed, now + tick)).toMatchObject({ is: "wait", until: now + 6 * tick });
    const old = { ...state.versions.old, delivered: false } as RotationState["versions"][string];
    expect(ask({ ...state, versions: { ...state.versions, old } }, now)).toEqual({ is: "pass" });
  });

  test("is told at the end: what was waited out, what was not, and what has no end", () => {
    const kind = { ...late, derives: children.derives };
    const { state: end, events } = walk(begin({ traits: kind }), 0);
    expect(end.closed).toBe("rotated");
    expect(told(events).filter((what) => what.startsWith("refused"))).toHaveLength(2);
    expect(events.at(-1)).toMatchObject({
      reason:
        "every gate was satisfied; old was refused 3 times in a row over 4s; temporary credentials that were taken with old were waited out (6s)",
    });
    const { state: early, now: at } = off(kind);
    expect(gateOf("closed").check(early, at)).toMatchObject({
      step: { reason: expect.stringContaining("were not waited out") },
    });
    const endless = off({
      ...traits,
      derives: [{ what: "tokens", maxLifeMs: null, endedByDisable: false }],
    });
    expect(gateOf("closed").check(endless.state, endless.now)).toMatchObject({
      step: { reason: expect.stringContaining("tokens that were taken with old were not ended") },
    });
    expect(gateOf("closed").check(off(traits).state, now)).toMatchObject({
      step: { reason: "every gate was satisfied" },
    });
  });
});

test("the count of a version that is enabled again begins anew when it is disabled", () => {
  const { state, now } = off(late);
  const on = foldAll(state, [
    refused(now + tick),
    { type: "enabled", at: now + tick, version: "old", change: 10, tag: "t" },
    { type: "disabled", at: now + 2 * tick, version: "old", change: 11, tag: "t" },
  ]);
  expect(on.versions.old).toMatchObject({ refusals: 1, refusedSince: now + 2 * tick });
});
