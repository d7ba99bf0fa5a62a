/** How a case may end: whatever fails for a while only delays, and where more than that may follow, why it may (I10, I11). */
import type { Planted } from "../seam/points.js";
import type { Case } from "./cases.js";

/** Nobody knows whether a right that was taken away comes back, and behind an issuer or a store that was put back nothing stands where it stood. */
const turning = /^(issuer|store)-(restored|readonly)$/;
/** By then the target is there: what is given up is walked back, and never ends as if nothing had been. */
const behindIssue = /^(prove|deliver|disable|destroy)$/;

/** Where nobody answers for whoever is on the old value, it stays. */
const returning: ReadonlySet<string> = new Set(["back", "stranger"]);

/**
 * Outcomes that a case may have. A leak is always revoked. Records that were put back end in one more rotation, which the
 * house asks for, whatever came of the first. Going back is ended where it began, and forward at its end.
 */
export function mayEndAs(direction: Case["direction"], planted: readonly Planted[]): readonly string[] {
  const isLost = planted.some(({ fault }) => fault === "inventory-restored");
  if (direction === "emergency" || isLost) return ["rotated"];
  const turns = planted.filter(({ fault }) => turning.test(fault));
  const isBack = returning.has(direction);
  const usual = isBack ? [] : ["rotated"];
  if (turns.length === 0) return isBack ? ["went-back"] : usual;
  // Only what comes before the issue can be refused without a trace.
  const isLate = turns.every(({ activity }) => behindIssue.test(activity));
  // At the issuer nothing is left by then that could be walked back to.
  const isGone = turns.every(({ activity, call }) => activity === "destroy" && call.startsWith("store."));
  if (isGone) return isBack ? ["went-back"] : usual;
  return [...usual, "went-back", ...(isLate ? [] : ["refused"])];
}
