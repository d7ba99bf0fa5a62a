/** Gate 3: whose leave is asked for what, how long, and what a missing, late or contrary answer does (H7, H17, H38). */
import { count } from "./count.js";
import { tally } from "./decisions.js";
import { isGoingBack, nothingIssued } from "./rotation/moves.js";
import type { Plan, RotationState } from "./rotation/state.js";
import { pass, type Verdict } from "./rotation/verdict.js";

/** Passes when the plan and every amendment has its quorum of decisions that hold now. */
export function approval(state: RotationState, now: number): Verdict {
  if (!needsSignOff(state)) return pass;
  for (const plan of [state.plan, ...state.amendments]) {
    if (plan === null) continue;
    const verdict = approvalOf(state, plan, now);
    if (verdict.is !== "pass") return verdict;
  }
  return pass;
}

/**
 * True while the owners' decisions have to hold. Going back is part of the plan that was approved; an emergency
 * was authorised when it was reported; with the origin gone there is nothing left to withhold.
 */
export function needsSignOff(state: RotationState): boolean {
  return (
    !isGoingBack(state) && state.emergency === null && state.versions[state.origin]?.issuer !== "destroyed"
  );
}

function approvalOf(state: RotationState, plan: Plan, now: number): Verdict {
  const { quorum, deadlineMs, reminderMs } = state.policy.approval;
  if (quorum === 0) return pass;
  const askedAt = openRound(state, plan, now);
  const deadline = askedAt === null ? Number.POSITIVE_INFINITY : askedAt + deadlineMs;
  const signed = tally(plan, state.decisions, state.policy, deadline, now);
  // A veto counts until the point of no return; then it is kept as an objection (H38).
  if (signed.vetoedBy !== null && !state.irreversible) {
    const reason = `${signed.vetoedBy} rejected the plan.`;
    return nothingIssued(state) ? { is: "refuse", reason } : { is: "stuck", reason };
  }
  if (signed.missing === 0) return pass;
  if (askedAt === null) return { is: "do", step: { do: "ask", digests: [plan.digest], reminder: false } };
  if (now >= deadline) {
    const reason = `${count(signed.missing, "sign-off was", "sign-offs were")} still missing at the deadline.`;
    // After issue a missing paper is no reason to go back: both versions stay valid and people are asked (H38).
    return nothingIssued(state) ? { is: "refuse", reason } : { is: "hold", reason };
  }
  if (state.remindedAt === null && now >= askedAt + reminderMs) {
    return { is: "do", step: { do: "ask", digests: [plan.digest], reminder: true } };
  }
  const until = state.remindedAt === null ? Math.min(deadline, askedAt + reminderMs) : deadline;
  return {
    is: "wait",
    until,
    for: count(signed.missing, "sign-off"),
    who: "the owners that the policy names",
    watch: false,
  };
}

/**
 * When people were last asked about this plan, or null when they have to be asked (again): never asked, or a
 * sign-off has expired since, or an operator resumed the rotation after the round had ended (H30, H38).
 */
function openRound(state: RotationState, plan: Plan, now: number): number | null {
  if (state.askedAt === null || !state.asked.includes(plan.digest)) return null;
  const lapses = state.decisions
    .filter(
      ({ digest, verdict, expiresAt }) => digest === plan.digest && verdict === "approve" && expiresAt <= now,
    )
    .map((decision) => decision.expiresAt);
  return state.askedAt >= Math.max(0, state.resumedAt ?? 0, ...lapses) ? state.askedAt : null;
}
