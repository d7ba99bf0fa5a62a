/**
 * Which policy a credential is rotated by that names none: the one that takes its class (C5). It is told once, when an estate is
 * read, and stands in the credential from then on like one that was named; that its class chose it stands beside it, so that a
 * change of who takes the class reaches everything that it chose for.
 */
import { type CredentialClass, credentialClasses } from "./classes.js";
import { type EstateIssue, issue, listed } from "./issues.js";
import { entriesOf, listAt, valueAt } from "./shape.js";
import type { Estate, Policy } from "./types.js";

/** The name of the policy, until it is told. No policy has it. */
export const untold = "";

/** What of a policy says how a credential is rotated: not which classes take it. */
export function rotationRules(policy: Policy): Policy;
export function rotationRules(policy: Policy | undefined): Policy | undefined;
export function rotationRules(policy: Policy | undefined): Policy | undefined {
  if (policy?.classes === undefined) return policy;
  const { classes: _, ...rules } = policy;
  return rules;
}

/**
 * The credentials with the policies of their classes; the same object where each has it already. `policies` may be read or not
 * yet; of two that take one class the first counts, and the rules refuse the other.
 */
export function withClassPolicies(
  credentials: Estate["credentials"],
  policies: unknown,
): Estate["credentials"] {
  const taken = policiesOf(policies);
  const others = Object.entries(credentials).flatMap(([name, credential]) => {
    const policy = taken.get(credential.class) ?? untold;
    const isTold = credential.policyBy === undefined || credential.policy === policy;
    return isTold ? [] : [[name, { ...credential, policy }] as const];
  });
  return others.length === 0 ? credentials : { ...credentials, ...Object.fromEntries(others) };
}

function policiesOf(policies: unknown): ReadonlyMap<unknown, string> {
  const taken = new Map<unknown, string>();
  for (const [name, policy] of entriesOf({ policies }, "policies"))
    for (const kind of listAt(policy, ["classes"])) if (!taken.has(kind)) taken.set(kind, name);
  return taken;
}

/**
 * A class that two policies take, and a credential that names no policy and whose class none takes. Of an estate that was read, or
 * of its text, where something else may be wrong with the same entry.
 */
export function checkClassPolicies(raw: unknown): EstateIssue[] {
  const taken = new Map<unknown, string>();
  const policies = entriesOf(raw, "policies");
  const twice = policies.flatMap(([name, policy]) =>
    listAt(policy, ["classes"]).flatMap((kind, i) => {
      const other = taken.get(kind);
      if (other === undefined) taken.set(kind, name);
      if (other === undefined || !isClass(kind)) return [];
      const message = `"${other}" takes the class "${kind}", too, and a credential has one policy`;
      const hint = "leave it to one of them";
      return [issue({ path: ["policies", name, "classes", i], code: "same-class", message, hint })];
    }),
  );
  const without = entriesOf(raw, "credentials").flatMap(([name, credential]) => {
    const kind = valueAt(credential, ["class"]);
    const named = valueAt(credential, ["policy"]);
    if ((named !== undefined && named !== untold) || !isClass(kind) || taken.has(kind)) return [];
    const message = `"policy" is missing, and no policy takes the class "${kind}"`;
    const hint = `name one, or let one take the class: \`classes: [${kind}]\``;
    const expected = listed(policies.map(([policy]) => policy));
    return [issue({ path: ["credentials", name, "policy"], code: "missing", message, expected, hint })];
  });
  return [...twice, ...without];
}

function isClass(kind: unknown): kind is CredentialClass {
  return credentialClasses.some((one) => one === kind);
}
