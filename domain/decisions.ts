/**
 * Counting decisions: whose word counts for which plan, and how many of them are enough. Signatures and
 * authority are verified at the edge; what is left is arithmetic over persons, digests and times, and it is
 * here so that it can be tested to the last case (H37, H38).
 */
import type { DecisionRecord, Plan, RotationPolicy } from "./rotation/state.js";

/** The standing of one plan or amendment. */
export interface Tally {
  readonly satisfied: boolean;
  /** Id of the person whose rejection counts, or null. */
  readonly vetoedBy: string | null;
  readonly agreed: readonly string[];
  readonly missing: number;
  /** When the count will fall below the quorum by itself; null when it is not satisfied. */
  readonly holdsUntil: number | null;
}

/**
 * Counts the decisions on `plan`. A person counts once, with the last thing that they signed. A rejection
 * counts whether or not it has expired: somebody who said no has not said yes since. An agreement counts
 * when it was signed by `signedBy` (the deadline, compared with the time inside the document and never with
 * its arrival; equal is too late) and has not expired at `now`.
 */
export function tally(
  plan: Pick<Plan, "digest" | "approvers">,
  decisions: readonly DecisionRecord[],
  policy: Pick<RotationPolicy, "approval">,
  signedBy: number,
  now: number,
): Tally {
  const last = new Map<string, DecisionRecord>();
  for (const decision of decisions) {
    if (decision.digest !== plan.digest) continue;
    if (!decision.owners.some((owner) => plan.approvers.includes(owner))) continue;
    const known = last.get(decision.person);
    if (!known || isLater(decision, known)) last.set(decision.person, decision);
  }
  const agreements = [...last.values()].filter(
    (decision) => decision.verdict === "approve" && decision.issuedAt < signedBy && decision.expiresAt > now,
  );
  const veto = [...last.values()].find((decision) => decision.verdict === "reject");
  const quorum = policy.approval.quorum;
  const satisfied = veto === undefined && agreements.length >= quorum;
  const expiries = agreements.map((decision) => decision.expiresAt).sort((a, b) => b - a);
  return {
    satisfied,
    vetoedBy: veto?.person ?? null,
    agreed: agreements.map((decision) => decision.person).sort(),
    missing: Math.max(0, quorum - agreements.length),
    holdsUntil: satisfied && quorum > 0 ? (expiries[quorum - 1] ?? null) : null,
  };
}

/**
 * Later by the time inside the document, never by arrival (H38). Of two that were signed at one moment the
 * rejection is the later, and of two agreements the one that ends first.
 */
function isLater(decision: DecisionRecord, known: DecisionRecord): boolean {
  if (decision.issuedAt !== known.issuedAt) return decision.issuedAt > known.issuedAt;
  if (decision.verdict !== known.verdict) return decision.verdict === "reject";
  return decision.expiresAt < known.expiresAt;
}
