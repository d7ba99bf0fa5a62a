/** Two persons may say which version is live where no other exit is left; the walk leads there through every gate (H30). */
import { describe, expect, test } from "vitest";
import { decide, exitsOf } from "../../domain/decide.js";
import { declarable, declarationDigest, declarationFindings, declaredBy } from "../../domain/declaration.js";
import { fold, foldAll } from "../../domain/rotation/fold.js";
import type { RotationState } from "../../domain/rotation/state.js";
import { tick } from "./begin.js";
import { decisionOf, leak, look, success, told, upTo, walk } from "./walk.js";

const { state, now } = upTo("disable");
const hold = (from: RotationState) => fold(from, { type: "held", at: now, reason: "so" });
/** Somebody was given the new version and cannot be moved back; then an operator was called. */
const stuck = hold({ ...state, irreversible: true });

/** The same, with these persons' words that the version is live. */
function said(from: RotationState, version: string, ...persons: readonly string[]): RotationState {
  const digest = declarationDigest(from, version);
  return foldAll(
    from,
    persons.map((person) => ({ type: "decided", at: now, decision: decisionOf(person, { digest }) })),
  );
}

const order = (version: string) =>
  ({ type: "resumed", at: now, exit: "declare", by: "ann", version }) as const;

describe("H30: a version may be declared live", () => {
  test("where an operator is waited for, and no other exit leads to it", () => {
    expect(declarable(state)).toEqual([]);
    expect(declarable(hold(state))).toEqual([]);
    expect(exitsOf(hold(state))).toEqual(["retry", "back"]);
    expect(declarable(stuck)).toEqual(["old"]);
    expect(exitsOf(stuck)).toEqual(["retry", "declare"]);
    expect(decide(stuck, now)).toMatchObject({ kind: "needs-operator", exits: ["retry", "declare"] });
  });

  test("never one that leaked, is gone, or is off for good by its kind", () => {
    const leaked = hold(fold(stuck, leak(now, ["old"])));
    expect(declarable(leaked)).toEqual([]);
    const with_ = (more: object): RotationState => {
      const old = { ...stuck.versions.old, ...more } as RotationState["versions"][string];
      return { ...stuck, versions: { ...stuck.versions, old } };
    };
    expect(declarable(with_({ issuer: "destroyed" }))).toEqual([]);
    expect(declarable(with_({ issuer: "unknown" }))).toEqual([]);
    expect(declarable(with_({ issuer: "disabled" }))).toEqual(["old"]);
    const final = { ...with_({ issuer: "disabled" }), traits: { ...stuck.traits, disableReversible: false } };
    expect(declarable(final)).toEqual([]);
    expect(declarable({ ...stuck, acceptable: ["old", "new", "who"] })).toEqual(["old"]);
  });

  test("from the way back, the newer one that is switched off, which `forward` does not offer", () => {
    const back = hold({ ...state, target: "old" });
    expect(declarable(back)).toEqual([]);
    const off = { ...back.versions.new, issuer: "disabled" } as RotationState["versions"][string];
    expect(declarable({ ...back, versions: { ...back.versions, new: off } })).toEqual(["new"]);
  });
});

describe("H30: the order to go there", () => {
  test("needs two persons who may sign, each once, and nobody against it", () => {
    expect(fold(stuck, order("old"))).toBe(stuck);
    for (const few of [said(stuck, "old", "ann"), said(stuck, "old", "ann", "ann")])
      expect(fold(few, order("old"))).toBe(few);
    const stranger = fold(said(stuck, "old", "ann"), {
      type: "decided",
      at: now,
      decision: decisionOf("eve", { digest: declarationDigest(stuck, "old"), owners: ["others"] }),
    });
    expect(declaredBy(stranger, "old", now)).toEqual(["ann"]);
    const contrary = fold(said(stuck, "old", "ann", "bob"), {
      type: "decided",
      at: now,
      decision: decisionOf("cleo", { digest: declarationDigest(stuck, "old"), verdict: "reject" }),
    });
    expect(declaredBy(contrary, "old", now)).toEqual([]);
    expect(declaredBy(said(stuck, "old", "ann", "bob"), "old", 100 * tick)).toEqual([]);
  });

  test("is about one version, and about this hold", () => {
    const both = said(stuck, "old", "ann", "bob");
    expect(fold(both, order("new"))).toBe(both);
    const later = fold({ ...both, operator: null }, { type: "held", at: now + tick, reason: "so" });
    expect(fold(later, order("old"))).toBe(later);
    // Called again for the same hold: what was signed still counts.
    const again = fold(both, { type: "held", at: now + tick, reason: "so" });
    expect(fold(again, order("old")).target).toBe("old");
  });

  test("leads there through every gate, and what is not gone stays a finding until it is", () => {
    const live = fold(said(stuck, "old", "ann", "bob"), order("old"));
    expect(live).toMatchObject({
      target: "old",
      operator: null,
      seized: false,
      irreversible: false,
      declared: { version: "old", by: ["ann", "bob"] },
    });
    // Its consumers were given the other one, and cannot be moved back by us: that was mended by hand.
    const consumers = (live.plan?.consumers ?? []).map((consumer) => ({ ...consumer, reversible: false }));
    const stubborn = { ...live, plan: live.plan && { ...live.plan, consumers } };
    const fenced = fold(
      stubborn,
      success(stubborn, { do: "seize", slots: ["a", "b"], places: ["main"] }, now),
    );
    expect(fenced).toMatchObject({ target: "old", irreversible: false });
    const seen = look(live, now);
    expect(seen.findings).toMatchObject([{ code: "declared-live", severity: "warn", subject: "new" }]);
    expect(declarationFindings(state)).toEqual([]);
    const { state: end, events } = walk(live, now);
    expect(told(events)).toEqual([
      "seized",
      "proved old",
      "delivered old",
      "disabled new",
      "destroyed new",
      "closed",
    ]);
    expect(end.closed).toBe("went-back");
    expect(declarationFindings(end)).toEqual([]);
  });
});
