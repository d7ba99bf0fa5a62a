/** C5: a credential that names no policy has the one that takes its class; which that is, is never guessed at. */
import { expect, test } from "vitest";
import { rotationRules, withClassPolicies } from "../../../domain/estate/class-policies.js";
import { parseEstate } from "../../../domain/estate/parse.js";
import type { Estate } from "../../../domain/estate/types.js";
import { codesOf, credential, issuesOf, kinds, sound } from "./fixtures.js";

function parsed(raw: unknown): Estate {
  const result = parseEstate(raw, kinds);
  if (!result.ok) throw new Error(JSON.stringify(result.issues));
  return result.estate;
}

const raw = (policies: Record<string, unknown>, more: Record<string, unknown> = {}) => ({
  ...sound(),
  policies,
  credentials: { orders: credential({ policy: undefined, class: "certificate", ...more }) },
});

test("the same event has another plan for another class", () => {
  const policies = { calm: { classes: ["token"] }, brisk: { classes: ["certificate", "agent"] } };
  expect(parsed(raw(policies)).credentials.orders).toMatchObject({ policy: "brisk", policyBy: "class" });
  expect(parsed(raw(policies, { class: "token" })).credentials.orders?.policy).toBe("calm");
  // Who names one has that.
  const named = parsed(raw(policies, { policy: "calm" })).credentials.orders;
  expect(named?.policy).toBe("calm");
  expect(named).not.toHaveProperty("policyBy");
});

test("a class that no policy takes, or two do, is said", () => {
  expect(parseEstate(raw({ calm: {} }), kinds)).toMatchObject({
    ok: false,
    issues: [
      {
        path: ["credentials", "orders", "policy"],
        message: '"policy" is missing, and no policy takes the class "certificate"',
        expected: "calm",
        hint: "name one, or let one take the class: `classes: [certificate]`",
      },
    ],
  });
  expect(issuesOf(raw({ calm: { classes: ["certificate"] }, brisk: { classes: ["certificate"] } }))).toEqual([
    'same-class policies.brisk.classes.0: "calm" takes the class "certificate", too, and a credential has one policy',
  ]);
  expect(codesOf(raw({ calm: { classes: ["certificate", "certificate"] } }))).toEqual([
    "same-class policies.calm.classes.1",
  ]);
  expect(codesOf(raw({ calm: { classes: ["certficate"] } }))).toEqual([
    "wrong-value policies.calm.classes.0",
    "missing credentials.orders.policy",
  ]);
});

test("what is wrong with a policy is not said of the credentials that it would take", () => {
  expect(codesOf(raw({ calm: { classes: ["certificate"], interval: "often" } }))).toEqual([
    "wrong-value policies.calm.interval",
  ]);
});

test("the rules hold for a policy that a class chose", () => {
  const policies = { calm: { classes: ["certificate"], drainTimeout: "2h", quietPeriod: "1h" } };
  const slow = raw(policies);
  slow.consumers.web = { ...(slow.consumers.web as object), cadence: "3d" };
  expect(codesOf(slow)).toEqual(["never-quiet credentials.orders.policy"]);
});

test("told once more, what is the same stays the same object, and what is not changes alone", () => {
  const { credentials } = parsed({
    ...raw({ calm: { classes: ["certificate"] } }),
    credentials: {
      orders: credential({ policy: undefined, class: "certificate" }),
      bills: credential({ account: { login: "b" }, place: { path: "bb" } }),
    },
  });
  expect(withClassPolicies(credentials, { calm: { classes: ["certificate"] } })).toBe(credentials);
  const others = withClassPolicies(credentials, { calm: {}, brisk: { classes: ["certificate"] } });
  expect(others.orders).toEqual({ ...credentials.orders, policy: "brisk" });
  expect(others.bills).toBe(credentials.bills);
});

test("which classes take a policy is none of the rules of a rotation", () => {
  const { policies } = parsed(sound());
  const calm = policies.calm as NonNullable<typeof policies.calm>;
  expect(rotationRules({ ...calm, classes: ["token"] })).toEqual(calm);
  expect(rotationRules(calm)).toBe(calm);
  expect(rotationRules(undefined)).toBeUndefined();
});
