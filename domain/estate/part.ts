/**
 * Checks a part of an estate together with what it touches: the rules are about an entry and those that it names, or about two
 * that claim the same, so that what has been checked before and touches nothing new need not be checked again.
 */
import { checkEstate } from "./check.js";
import { checkClassPolicies } from "./class-policies.js";
import type { EstateIssue } from "./issues.js";
import type { EstateKinds } from "./kinds.js";
import { checkReferences } from "./references.js";
import { type Section, sections } from "./schema.js";
import { entriesOf } from "./shape.js";
import type { Estate } from "./types.js";

/** Sections whose entries are few and that any other entry may rest on. */
export const sharedSections = ["owners", "stores", "issuers", "notifiers", "sources", "policies"] as const;

/** True for one of them. */
export function isShared(section: Section): boolean {
  return sharedSections.some((one) => one === section);
}

/**
 * Why credentials of a raw part could not be read: their issuer or their store is in none of `systems`, so that nobody knows what
 * their account or their place should look like. `read` are those that could.
 */
export function checkSystems(
  raw: unknown,
  systems: Pick<Estate, "issuers" | "stores">,
  read: Estate["credentials"],
): EstateIssue[] {
  const left = entriesOf(raw, "credentials").filter(([name]) => !Object.hasOwn(read, name));
  return checkReferences({ ...systems, credentials: Object.fromEntries(left) }).filter(
    ({ path: [section, , field] }) => section === "credentials" && (field === "issuer" || field === "store"),
  );
}

/**
 * What is wrong with the entries of `part` for which `isAsked`, and with what they have in common with its other ones. Of those
 * others the part need not have everything that they name.
 */
export function checkPart(
  part: Estate,
  kinds: EstateKinds,
  isAsked: (section: Section, name: string) => boolean,
): EstateIssue[] {
  const references = checkReferences(part).filter(({ path: [section, name] }) => {
    const known = sections.find((one) => one === section);
    return known !== undefined && isAsked(known, String(name));
  });
  return [...references, ...checkClassPolicies(part), ...checkEstate(part, kinds)];
}
