/**
 * `decide` picks the next step from the state and the time, and from nothing else. It walks the gates in
 * their order; what it adds is only what holds for all of them: unknown outcomes are settled first, a failing
 * step is tried again for a while, and a gate that cannot be satisfied turns the walk round once.
 */
import { isFresh } from "./adoption.js";
import { containment, gates } from "./gates.js";
import { legalExits, nothingIssued, stepName, turnTarget } from "./rotation/moves.js";
import type { RotationState } from "./rotation/state.js";
import { type Decision, needsFreshFacts, type Step, sameStep } from "./rotation/steps.js";
import type { Verdict } from "./rotation/verdict.js";

/** What to do now. Deterministic: equal arguments give equal answers. */
export function decide(state: RotationState, now: number): Decision {
  if (state.closed) return { kind: "done", outcome: state.closed };
  const doubt = unsettled(state);
  if (doubt) return attempt(state, doubt, now);
  if (state.operator) {
    return { kind: "needs-operator", reason: state.operator.reason, exits: legalExits(state) };
  }
  if (state.refused !== null && nothingIssued(state)) return close(state.refused);
  for (const gate of gates) {
    const verdict = gate.check(state, now);
    if (verdict.is !== "pass") return answer(state, verdict, now);
  }
  return { kind: "done", outcome: "rotated" };
}

/** Which gate the rotation stands at, for people. */
export function currentGate(state: RotationState, now: number): string {
  return gates.find((gate) => gate.check(state, now).is !== "pass")?.name ?? "closed";
}

/**
 * True when `step` may be carried out on these facts: it is still what `decide` answers, and, for a step
 * that relies on observations, they were taken after the last change and are not too old (H10, H17).
 */
export function mayAct(state: RotationState, step: Step, now: number): boolean {
  const decision = decide(state, now);
  if (decision.kind !== "do" || !sameStep(decision.step, step)) return false;
  if (!needsFreshFacts(step)) return true;
  return isFresh(state, now);
}

/** The step that settles what is not known: a new epoch takes over every tag, a lost answer is asked for. */
function unsettled(state: RotationState): Step | null {
  if (!state.seized) {
    return { do: "seize", slots: Object.keys(state.tags).sort(), places: Object.keys(state.places).sort() };
  }
  const slots = Object.values(state.versions)
    .filter((version) => version.issuer === "unknown")
    .map((version) => version.slot);
  const places = Object.entries(state.places)
    .filter(([, place]) => place.unknown)
    .map(([name]) => name);
  return slots.length + places.length === 0
    ? null
    : { do: "seize", slots: slots.sort(), places: places.sort() };
}

function answer(state: RotationState, verdict: Exclude<Verdict, { is: "pass" }>, now: number): Decision {
  switch (verdict.is) {
    case "do":
      return attempt(state, verdict.step, now);
    case "wait":
      return { kind: "wait", until: verdict.until, for: verdict.for, who: verdict.who, watch: verdict.watch };
    case "refuse":
      return close(verdict.reason);
    case "hold":
      return { kind: "do", step: { do: "hold", reason: verdict.reason } };
    case "stuck":
      return turn(state, verdict.reason, now);
  }
}

/** The step, unless it has just failed: then after a pause, and not for ever (hashicorp/vault#28989). */
function attempt(state: RotationState, step: Step, now: number): Decision {
  const trouble = state.trouble;
  if (!trouble || trouble.step !== stepName(step)) return { kind: "do", step };
  // A leak that is to be revoked at once does not wait until the clean version can be had.
  const cut = containment(state, now);
  if (cut !== null && !sameStep(cut, step)) return { kind: "do", step: cut };
  const tooLong = now - trouble.since >= state.policy.stallTimeoutMs;
  if (!trouble.again || tooLong) {
    if (nothingIssued(state) && state.seized) return close(trouble.sentence);
    return step.do === "seize"
      ? { kind: "do", step: { do: "hold", reason: trouble.sentence } }
      : turn(state, trouble.sentence, now);
  }
  if (now < trouble.retryAt) {
    return {
      kind: "wait",
      until: trouble.retryAt,
      for: trouble.sentence,
      who: "the system named there",
      watch: false,
    };
  }
  return { kind: "do", step };
}

function turn(state: RotationState, reason: string, now: number): Decision {
  const cut = containment(state, now);
  if (cut !== null) return attempt(state, cut, now);
  const course = turnTarget(state);
  return { kind: "do", step: course ? { do: "turn", ...course, reason } : { do: "hold", reason } };
}

function close(reason: string): Decision {
  return { kind: "do", step: { do: "close", outcome: "refused", reason } };
}
