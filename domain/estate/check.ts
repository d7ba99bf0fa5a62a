/** What entries of an estate may not say of one another, as one list: a rule is added by adding its function here. */
import type { EstateIssue } from "./issues.js";
import type { EstateKinds } from "./kinds.js";
import { checkPeople } from "./people.js";
import { checkEdges, checkPolicies } from "./rules.js";
import { checkSources } from "./sources.js";
import { checkEngineCredentials, checkPlaces, checkRoles, checkSeenAs } from "./systems.js";
import type { Estate } from "./types.js";
import { checkMatches } from "./wide-claims.js";

const checks: readonly ((estate: Estate, kinds: EstateKinds) => EstateIssue[])[] = [
  checkPeople,
  checkPolicies,
  checkMatches,
  checkEdges,
  checkPlaces,
  checkSeenAs,
  checkRoles,
  checkEngineCredentials,
  checkSources,
];

/**
 * Every contradiction within an estate whose entries are sound. Names that lead nowhere are passed over here;
 * `checkReferences` reports them.
 */
export function checkEstate(estate: Estate, kinds: EstateKinds): EstateIssue[] {
  return checks.flatMap((check) => check(estate, kinds));
}
