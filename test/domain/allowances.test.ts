/** What lets a gate pass is part of what people sign: more of it asks them again, less of it never does. */
import { describe, expect, test } from "vitest";
import { allowancesOf, covers, plannedAllowances } from "../../domain/allowances.js";
import type { CredentialException, Match } from "../../domain/estate/types.js";
import type { Allowances, Plan, PlanTerms, RotationState } from "../../domain/rotation/state.js";
import { begin } from "./begin.js";
import { plan, upTo } from "./walk.js";

const match = (more: Partial<Match>): Match => ({ applicationName: [], address: [], ...more });
const excepted = (more: Partial<CredentialException> = {}): CredentialException => ({
  ...{ finding: "unmapped-reader", about: "export", owner: "payments", reason: "It is known." },
  ...{ until: "2026-12-01T00:00:00.000Z", ...more },
});
const allowing = (exceptions: readonly CredentialException[], claims: Allowances["claims"] = {}) => ({
  exceptions,
  claims,
});
const planAllowing = (allows: Allowances | undefined, digest = "plan"): Plan => {
  const terms = { installation: "inst", ...(allows === undefined ? {} : { allows }) } as PlanTerms;
  return { ...plan, digest, terms };
};
const issued = (plans: readonly [Plan, ...Plan[]]): RotationState => {
  const [first, ...amendments] = plans;
  return { ...upTo("deliver").state, plan: first, amendments };
};

describe("H17 H37: what lets a gate pass", () => {
  test("is the same in whatever order the estate has it, and says nothing of who claims nothing", () => {
    const [one, other] = [excepted(), excepted({ finding: "stale-evidence", about: undefined })];
    const made = allowancesOf(
      [one, other],
      [
        { id: "con_a", match: match({ applicationName: ["b", "a"], host: ["shop.example"] }) },
        { id: "con_b", match: match({}) },
      ],
    );
    expect(made.claims).toEqual({
      con_a: ["applicationName: a", "applicationName: b", "host: shop.example"],
    });
    const { about: _, ...anything } = other;
    expect(made.exceptions).toEqual(expect.arrayContaining([one, anything]));
    expect(
      allowancesOf([other, one], [{ id: "con_a", match: match({ applicationName: ["a"] }) }]).exceptions,
    ).toEqual(made.exceptions);
  });

  test("covers less of the same, and not what is about more, lasts longer, or is another's to answer for", () => {
    const agreed = allowing([excepted()], { con_a: ["applicationName: a", "applicationName: b"] });
    const fewer = [
      allowing([]),
      allowing([excepted({ until: "2026-11-30T00:00:00.000Z", reason: "It was mended." })]),
      allowing([], { con_a: ["applicationName: b"] }),
    ];
    for (const now of [agreed, ...fewer]) expect(covers(agreed, now)).toBe(true);
    const more = [
      allowing([excepted({ about: "another" })]),
      allowing([excepted({ about: undefined })]),
      allowing([excepted({ until: "2026-12-02T00:00:00.000Z" })]),
      allowing([excepted({ owner: "somebody" })]),
      allowing([excepted({ finding: "stale-evidence" })]),
      allowing([], { con_a: ["applicationName: c"] }),
      allowing([], { con_b: ["applicationName: a"] }),
    ];
    for (const now of more) expect(covers(agreed, now)).toBe(false);
    // About whatever it meets is about each of them.
    expect(covers(allowing([excepted({ about: undefined })]), allowing([excepted()]))).toBe(true);
  });

  test("is what the estate says until something is issued", () => {
    const now = allowing([excepted()]);
    expect(plannedAllowances(begin(), now)).toBe(now);
    expect(plannedAllowances(begin({ plan: planAllowing(allowing([])) }), now)).toBe(now);
  });

  test("is afterwards what people agreed to, as long as that covers it; more of it makes an amendment", () => {
    const [none, one, two] = [
      allowing([]),
      allowing([excepted()]),
      allowing([excepted(), excepted({ about: "another" })]),
    ];
    const state = issued([planAllowing(one), planAllowing(two, "amendment")]);
    expect(plannedAllowances(state, none)).toBe(one);
    expect(plannedAllowances(state, one)).toBe(one);
    expect(plannedAllowances(state, two)).toBe(two);
    const more = allowing([], { con_a: ["applicationName: export"] });
    expect(plannedAllowances(state, more)).toBe(more);
  });

  test("is left out of a plan that goes on from one of before it was in them", () => {
    expect(plannedAllowances(issued([planAllowing(undefined)]), allowing([excepted()]))).toBeUndefined();
  });
});
