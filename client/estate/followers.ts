/**
 * Credentials of pieces that were not read, and whose policy is another one now because another policy takes their class: the one
 * way in which a piece says something else although its text is the same.
 */
import { withClassPolicies } from "../../domain/estate/class-policies.js";
import type { Estate } from "../../domain/estate/types.js";
import type { Context } from "../../inventory/estate-context.js";
import { type Body, bodyDigest, type SubmittedEntry } from "../../inventory/submission.js";

/** What stands beside the entries that were read, with these policies, and what of it is to be applied with them. */
export interface Followed {
  readonly context: Context;
  readonly entries: readonly SubmittedEntry[];
}

/** Tells the policies of everything that was not read. `policies`: those that the estate has now, all of them. */
export function followed(context: Context, policies: Estate["policies"]): Followed {
  const before = context.sections.credentials;
  const credentials = withClassPolicies(before, policies);
  const entries = Object.entries(credentials).flatMap(([name, credential]): SubmittedEntry[] => {
    if (credential === before[name]) return [];
    const body = credential as unknown as Body;
    const known = context.followers.get(name) ?? { piece: null, claims: null };
    return [{ section: "credentials", name, body, digest: bodyDigest(body), ...known, followed: true }];
  });
  return { context: { ...context, sections: { ...context.sections, credentials } }, entries };
}
