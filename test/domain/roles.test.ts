/** Kinds whose versions are checked by others: the order of the walk comes out of what they declare, and of nothing else. */
import { describe, expect, test } from "vitest";
import { quietNeededMs } from "../../domain/drain.js";
import type { IssuerTraits } from "../../domain/kinds.js";
import { wavesOf } from "../../domain/plan.js";
import { isChecker, roleOf } from "../../domain/roles.js";
import { fold } from "../../domain/rotation/fold.js";
import type { InstanceState, Plan, PlannedConsumer, RotationState } from "../../domain/rotation/state.js";
import { allOn } from "../../domain/rotation/survey.js";
import { begin, originIn, planFor, policy, tick, traits, versionIn } from "./begin.js";
import { gateOf } from "./gate.js";
import { leak, look, on } from "./walk.js";

const cacheMs = 5 * tick;
const tokenMs = 7 * tick;

const keys: IssuerTraits = {
  ...traits,
  overlap: "several-keys",
  sessionless: true,
  derives: [{ what: "tokens", maxLifeMs: tokenMs, endedByDisable: true }],
  roles: [
    { role: "verifier", takes: "issuer", memoryMs: 2 * tick },
    { role: "signer", takes: "store", memoryMs: 0 },
  ],
};

const signer: PlannedConsumer = {
  ...(planFor({ main: ["s"] }).consumers[0] as PlannedConsumer),
  role: "signer",
};
const verifier: PlannedConsumer = { ...signer, id: "v", role: "verifier", memoryMs: cacheMs };
const listed = [signer, verifier].map((consumer) => ({ ...consumer, canary: false, wave: null }));
const plan: Plan = {
  ...planFor({ main: ["s"] }),
  consumers: [signer, verifier],
  waves: wavesOf(listed, keys),
};

const checking = (...accepts: string[]): InstanceState[] => [
  { instance: "v1", version: null, working: true, accepts },
];

/** The target was published at 0, proved, and looked at twice at `now`. */
function published(now: number, known: readonly InstanceState[], more: Partial<RotationState> = {}) {
  const target = { life: "proven", issuer: "enabled", proved: true, enabledAt: 0 } as const;
  const state = begin({
    plan,
    traits: keys,
    policy: { ...policy, adoptionSoakMs: 0 },
    versions: { old: originIn("a"), new: versionIn("b", "new", target) },
    ...more,
  });
  const facts = { plan, observations: { s: on("old", "s1"), v: known }, sessions: {} };
  return look(look(state, now, facts), now, facts);
}

const delivered = gateOf("delivered and adopted");
const disabled = gateOf("disabled");

describe("roles", () => {
  test("a consumer without one reads the store, and so does everybody where a kind has none", () => {
    expect(roleOf(keys, undefined)?.role).toBe("signer");
    expect(roleOf(traits, undefined)?.takes).toBe("store");
    expect(isChecker(keys, verifier)).toBe(true);
    expect(isChecker(keys, signer)).toBe(false);
    expect(isChecker(traits, verifier)).toBe(false);
  });

  test("H28: waves follow the kind's order, and whoever checks is waited for also where nobody is declared", () => {
    const heard = { place: null, consumers: ["v"] };
    const served = { place: "main", consumers: ["s"] };
    expect(plan.waves).toEqual([heard, served]);
    expect(wavesOf(listed.slice(0, 1), keys)[0]).toEqual({ place: null, consumers: [] });
    const turned = { ...keys, roles: [...(keys.roles ?? [])].reverse() };
    expect(wavesOf(listed, turned)).toEqual([served, heard]);
  });

  test("who lets a version in is on it, whatever else it lets in", () => {
    expect(allOn(checking("old", "new"), "new")).toBe(true);
    expect(allOn(checking("old"), "new")).toBe(false);
  });
});

describe("H28: a version that others check", () => {
  test("is delivered to nobody before their caches have run out, although they were seen to know it", () => {
    const known = checking("old", "new");
    const early = delivered.check(published(cacheMs - 1, known), cacheMs - 1);
    expect(early).toMatchObject({ is: "wait", until: cacheMs });
    expect(delivered.check(published(cacheMs, known), cacheMs)).toMatchObject({ step: { do: "deliver" } });
  });

  test("is delivered to nobody before they were seen to know it, although their caches have run out", () => {
    const unknown = delivered.check(published(cacheMs, checking("old")), cacheMs);
    expect(unknown).toMatchObject({ is: "wait", until: cacheMs + policy.adoptionTimeoutMs });
    const late = cacheMs + policy.adoptionTimeoutMs;
    expect(delivered.check(published(late, checking("old")), late)).toMatchObject({ is: "stuck" });
  });

  test("is waited for by the kind's own time where nobody is declared", () => {
    const alone = { ...plan, consumers: [signer], waves: wavesOf(listed.slice(0, 1), keys) };
    const at = (now: number) => delivered.check({ ...published(now, []), plan: alone }, now);
    expect(at(2 * tick - 1)).toMatchObject({ is: "wait", until: 2 * tick });
    expect(at(2 * tick)).toMatchObject({ step: { do: "deliver", place: "main" } });
  });

  test("is waited for in an emergency too, until the leak is to be cut off at any price", () => {
    const waits = fold(published(tick, checking("old", "new")), leak(tick, ["old"], { containBy: 3 * tick }));
    expect(delivered.check(waits, tick)).toMatchObject({ is: "wait" });
    const cut = { ...waits, surveyedAt: 3 * tick };
    expect(delivered.check(cut, 3 * tick)).toMatchObject({ step: { do: "deliver" } });
  });

  test("is known to everybody when going back to what was never withdrawn", () => {
    const back = { ...published(tick, checking("old", "new")), target: "old" };
    const verdict = delivered.check({ ...back, turned: { at: tick, reason: "stuck" } }, tick);
    expect(verdict).not.toMatchObject({ until: cacheMs });
  });
});

describe("H27: what was made with a version", () => {
  test("keeps it valid for its whole life after the last use", () => {
    expect(quietNeededMs(published(0, []), originIn("a"))).toBe(tokenMs);
    const sessions = { ...keys, derives: [{ what: "sessions", maxLifeMs: null, endedByDisable: true }] };
    expect(quietNeededMs(published(0, [], { traits: sessions }), originIn("a"))).toBe(policy.quietPeriodMs);
  });

  test("a version is used by whoever holds it, or does not say, and not by those who check it", () => {
    expect(published(tick, checking("old", "new")).uses).toMatchObject({
      old: { sessions: 1 },
      new: { sessions: 0 },
    });
    const facts = { plan, observations: { s: on(null, "s1"), v: checking("old") }, sessions: {} };
    expect(look(published(tick, []), tick, facts).uses).toMatchObject({
      new: { sessions: 1, quietSince: null },
    });
  });

  test("what an issuer without sessions lists all the same uses the version, too", () => {
    const facts = { plan, observations: { s: on("old", "s1"), v: checking("old") }, sessions: { old: 2 } };
    expect(look(published(tick, []), tick, facts).uses).toMatchObject({
      old: { sessions: 3 },
      new: { sessions: 0 },
    });
  });

  test("without a listing of every consumer there is no number", () => {
    const facts = { plan, observations: { v: checking("old") } };
    const before = published(tick, []).uses;
    expect(look(published(tick, []), 2 * tick, facts).uses).toEqual(before);
  });

  test("is revoked when nobody lets it in any more, and not when it was switched off", () => {
    const off = {
      ...originIn("a"),
      life: "disabled",
      issuer: "disabled",
      refused: true,
      disabledAt: 0,
    } as const;
    const at = (now: number, known: readonly InstanceState[]) => {
      const state = published(now, known);
      return disabled.check({ ...state, versions: { ...state.versions, old: off } }, now);
    };
    expect(at(cacheMs - 1, checking("new"))).toMatchObject({ is: "wait", until: cacheMs });
    expect(at(cacheMs, checking("old", "new"))).toMatchObject({ is: "wait", who: "its owner" });
    expect(at(cacheMs, checking("new"))).toEqual({ is: "pass" });
    const late = cacheMs + policy.adoptionTimeoutMs;
    expect(at(late, checking("old", "new"))).toMatchObject({
      is: "hold",
      reason: expect.stringContaining("v1"),
    });
  });
});
