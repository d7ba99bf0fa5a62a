/** Who is asked for a sign-off of this credential. */
import type { Systems } from "./deps.js";

/** Names of the owners that the policy asks; `owner` there means the credential's own. */
export function askedOwners({ policy, owner }: Pick<Systems, "policy" | "owner">): string[] {
  if (policy.approval.from !== "owner") return [...policy.approval.from];
  return owner === null ? [] : [owner];
}
