/** A rotation takes up rules that have become stricter since it began, and no looser ones (H17); two versions are not valid for ever. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decide } from "../../domain/decide.js";
import { fold } from "../../domain/rotation/fold.js";
import { overlapEnd } from "../../domain/rotation/moves.js";
import type { RotationPolicy } from "../../domain/rotation/state.js";
import { stricter } from "../../domain/stricter.js";
import { begin, policy, tick } from "./begin.js";
import { leak, look, on, upTo } from "./walk.js";

const ms = fc.integer({ min: 0, max: 100 });
const policies: fc.Arbitrary<RotationPolicy> = fc.record(
  {
    approval: fc.record({ quorum: fc.integer({ min: 0, max: 3 }), deadlineMs: ms, reminderMs: ms }),
    adoptionTimeoutMs: ms,
    adoptionSoakMs: ms,
    quietPeriodMs: ms,
    drainTimeoutMs: ms,
    disableSoakMs: ms,
    observationMaxAgeMs: ms,
    stallTimeoutMs: ms,
    retryDelayMs: ms,
    containment: fc.constantFrom("after-adoption" as const, "revoke-now" as const),
    containmentDeadlineMs: ms,
    signOffDeadlineMs: ms,
    overlapMaxMs: ms,
    unmappedReaders: fc.constantFrom("refuse" as const, "warn" as const),
    blindSpots: fc.constantFrom("refuse" as const, "warn" as const),
    evidenceMaxAgeMs: ms,
    useWindowMs: ms,
    exceptionMaxMs: ms,
  },
  { requiredKeys: Object.keys(policy) as (keyof RotationPolicy)[] },
);

describe("H17: of two policies the stricter", () => {
  test.each<[string, Partial<RotationPolicy>, Partial<RotationPolicy>]>([
    [
      "asks more persons",
      { approval: { ...policy.approval, quorum: 1 } },
      { approval: { ...policy.approval, quorum: 2 } },
    ],
    [
      "gives signers less time",
      { approval: { ...policy.approval, deadlineMs: 9 } },
      { approval: { ...policy.approval, deadlineMs: 8 } },
    ],
    [
      "reminds earlier",
      { approval: { ...policy.approval, reminderMs: 9 } },
      { approval: { ...policy.approval, reminderMs: 8 } },
    ],
    ["turns sooner when consumers do not move", { adoptionTimeoutMs: 9 }, { adoptionTimeoutMs: 8 }],
    ["watches longer", { adoptionSoakMs: 8 }, { adoptionSoakMs: 9 }],
    ["waits longer for quiet", { quietPeriodMs: 8 }, { quietPeriodMs: 9 }],
    ["gives up sooner where it is not quiet", { drainTimeoutMs: 9 }, { drainTimeoutMs: 8 }],
    ["can come back for longer", { disableSoakMs: 8 }, { disableSoakMs: 9 }],
    ["looks again sooner", { observationMaxAgeMs: 9 }, { observationMaxAgeMs: 8 }],
    ["is less patient with failures", { stallTimeoutMs: 9 }, { stallTimeoutMs: 8 }],
    ["revokes at once", { containment: "after-adoption" }, { containment: "revoke-now" }],
    ["contains sooner", { containmentDeadlineMs: 9 }, { containmentDeadlineMs: 8 }],
    ["wants the owners' word sooner", { signOffDeadlineMs: 9 }, { signOffDeadlineMs: 8 }],
    ["ends the overlap sooner", { overlapMaxMs: 9 }, { overlapMaxMs: 8 }],
    ["bounds an overlap that had no bound", {}, { overlapMaxMs: 8 }],
    ["refuses readers whom nobody declared", { unmappedReaders: "warn" }, { unmappedReaders: "refuse" }],
    ["says what such a reader does, where it said nothing", {}, { unmappedReaders: "warn" }],
    ["refuses where nobody watches", { blindSpots: "warn" }, { blindSpots: "refuse" }],
    ["refuses where nobody watches, and had said nothing of it", {}, { blindSpots: "refuse" }],
    ["wants sources read more lately", { evidenceMaxAgeMs: 9 }, { evidenceMaxAgeMs: 8 }],
    ["counts whoever was seen for longer", { useWindowMs: 8 }, { useWindowMs: 9 }],
    ["wants sources read more lately than where nothing is said", {}, { evidenceMaxAgeMs: 8 }],
    ["counts whoever was seen for longer than where nothing is said", {}, { useWindowMs: 1e12 }],
    ["lets exceptions last less long", { exceptionMaxMs: 9 }, { exceptionMaxMs: 8 }],
    ["lets exceptions last less long than where nothing is said", {}, { exceptionMaxMs: 8 }],
  ])("%s, whichever of them is the newer", (_what, loose, strict) => {
    const [one, other] = [
      { ...policy, ...loose },
      { ...policy, ...strict },
    ];
    expect(stricter(one, other)).toEqual(other);
    expect(stricter(other, one)).toEqual(other);
  });

  test("is no looser than either, and the same twice", () => {
    fc.assert(
      fc.property(policies, policies, (one, other) => {
        const both = stricter(one, other);
        expect(stricter(both, one)).toEqual(both);
        expect(stricter(both, other)).toEqual(both);
        expect({ ...stricter(other, one), retryDelayMs: 0 }).toEqual({ ...both, retryDelayMs: 0 });
      }),
    );
  });
});

describe("H17: the estate's rules change while it runs", () => {
  const { state, now } = upTo("disable");
  const soak = { ...policy, disableSoakMs: 9 * tick };

  test("stricter ones are in force at once, and what was agreed to stays the plan's", () => {
    const strict = look(state, now, { policy: soak });
    expect(strict).toMatchObject({ policy: soak, agreedPolicy: policy, plan: state.plan, amendments: [] });
    const stricterStill = look(strict, now, { policy: { ...soak, quietPeriodMs: 9 * tick } });
    expect(stricterStill).toMatchObject({ agreedPolicy: policy, policy: { quietPeriodMs: 9 * tick } });
  });

  test("looser ones are not, and neither is it undone that they were stricter", () => {
    const loose = look(state, now, { policy: { ...policy, disableSoakMs: 0 } });
    expect(loose.policy).toBe(state.policy);
    expect(loose.agreedPolicy).toBeUndefined();
    const strict = look(state, now, { policy: soak });
    expect(look(strict, now, { policy }).policy).toBe(strict.policy);
    // A look of before rules were looked at says nothing about them.
    expect(look(strict, now).policy).toBe(strict.policy);
  });

  test("before anything was issued they are the plan's own", () => {
    const strict = look(begin(), 0, { policy: soak });
    expect(strict.policy).toEqual(soak);
    expect(strict.agreedPolicy).toBeUndefined();
  });
});

describe("overlapMax: two versions are valid together", () => {
  const bounded = { ...policy, adoptionTimeoutMs: 90 * tick, overlapMaxMs: 5 * tick };
  const { state, now } = upTo("deliver", begin({ policy: bounded }));
  const stubborn = (at: number) =>
    look(
      fold(state, {
        type: "delivered",
        at: now,
        version: "new",
        place: "main",
        consumers: ["app", "job"],
        change: 9,
        tag: "t",
      }),
      at,
      { observations: { app: on("old", "1"), job: on("new", "1") } },
    );
  const end = overlapEnd(state) ?? 0;

  test("since the second one was made, until one of them is off", () => {
    expect(begin().overlapSince).toBeUndefined();
    expect(overlapEnd(begin({ policy: bounded }))).toBeNull();
    expect(state.overlapSince).toBeLessThanOrEqual(now);
    expect(end).toBe((state.overlapSince ?? 0) + 5 * tick);
    const off = fold(state, { type: "disabled", at: now, version: "old", change: 9, tag: "t" });
    expect(off.overlapSince).toBeNull();
    expect(overlapEnd({ ...state, policy })).toBeNull();
  });

  test("no longer than that without an operator, and then both still are", () => {
    expect(decide(stubborn(now), now)).toMatchObject({ kind: "wait", until: end });
    const over = decide(stubborn(end), end);
    expect(over).toMatchObject({ step: { do: "hold", reason: expect.stringContaining("policy allows") } });
    const held = fold(stubborn(end), { type: "held", at: end, reason: "over" });
    expect(Object.values(held.versions).map(({ issuer }) => issuer)).toEqual(["enabled", "enabled"]);
    expect(decide(held, end)).toMatchObject({ kind: "needs-operator", exits: ["retry", "back"] });
  });

  test("for as long again once an operator has said to go on", () => {
    const held = fold(stubborn(end), { type: "held", at: end, reason: "over" });
    const again = fold(held, { type: "resumed", at: end, exit: "retry", by: "ann" });
    expect(overlapEnd(again)).toBe(end + 5 * tick);
  });

  test("in an emergency the containment's deadline counts, and nobody is waited for", () => {
    const alarmed = fold(stubborn(now), leak(now, ["old"], { containBy: end + tick }));
    expect(decide(look(alarmed, end, { observations: { app: on("old", "1") } }), end)).toMatchObject({
      kind: "wait",
    });
  });
});
