/**
 * `decide` picks the next step from the state and the time, and from nothing else. It walks the gates in
 * their order; what it adds is only what holds for all of them: unknown outcomes are settled first, a failing
 * step is tried again for a while, a gate that cannot be satisfied turns the walk round once, and a leak that
 * is to be revoked at once goes first wherever nothing else brings a clean version nearer.
 */
import { isFresh } from "./adoption.js";
import { declarable } from "./declaration.js";
import { containment, type Gate, gates, revokesNow, type SlotStep } from "./gates.js";
import {
  isGoingBack,
  leakIsOpen,
  legalExits,
  mayEndUnchanged,
  mayReturn,
  overlapEnd,
  stepName,
  targetOf,
  turnTarget,
} from "./rotation/moves.js";
import type { RotationState, Trouble } from "./rotation/state.js";
import { type Decision, type Exit, needsFreshFacts, type Step, sameStep } from "./rotation/steps.js";
import type { Verdict } from "./rotation/verdict.js";

/**
 * What to do now. Deterministic: equal arguments give equal answers. `list` is there so that tests can show
 * that each gate is needed; everybody else leaves it out.
 */
export function decide(state: RotationState, now: number, list: readonly Gate[] = gates): Decision {
  return untilContainment(state, now, withinOverlap(state, now, paced(state, now, next(state, now, list))));
}

/** A turn, a hold or an end that could not be recorded is tried again like any other step: after a pause. */
function paced(state: RotationState, now: number, decision: Decision): Decision {
  const { trouble } = state;
  if (decision.kind !== "do" || trouble === null || !isFailing(state, decision.step)) return decision;
  return now >= trouble.retryAt ? decision : pause(trouble);
}

function next(state: RotationState, now: number, list: readonly Gate[]): Decision {
  if (state.closed) return { kind: "done", outcome: state.closed };
  const doubt = unsettled(state);
  const cut = containment(state, now);
  const despite = doubt !== null && cut !== null ? despiteDoubt(state, doubt, cut, now) : null;
  if (despite !== null) return despite;
  const askedFrom = state.seized ? state.changedAt + state.traits.propagationMs : 0;
  if (doubt && state.operator === null && now < askedFrom) return untilHeard(askedFrom);
  // Without our own fences no step can be trusted, so nothing overtakes this one but a leak that carries its own.
  if (doubt) return state.operator ? needsOperator(state, state.operator, now) : attempt(state, doubt, now);
  // A leak does not wait for an operator, unless revoking it is what the operator was called for.
  if (state.operator) {
    return cut !== null && !isExhausted(state, cut, now)
      ? attempt(state, cut, now)
      : needsOperator(state, state.operator, now);
  }
  if (state.refused !== null) return turn(state, state.refused);
  if (cut !== null && isFailing(state, cut)) return attempt(state, cut, now);
  for (const gate of list) {
    const verdict = gate.check(state, now);
    if (verdict.is === "pass") continue;
    if (verdict.is === "do" && isKeptBack(state, verdict.step, now)) return untilOpen(state, verdict.step);
    // Nothing brings a clean version nearer at this moment: then the leak is cut off without one (H5).
    const advances = verdict.is === "do" && !isFailing(state, verdict.step);
    return cut !== null && !advances ? attempt(state, cut, now) : answer(state, verdict, now);
  }
  return { kind: "done", outcome: "rotated" };
}

/**
 * A leak that is to be revoked while something is not settled. That is settled first; where it fails, or waits for an
 * operator, a store or a node may be away for long, and the leak does not stay open for it (I5, H24). The disable is
 * fenced by itself: it expects the tag that is known of its slot and leaves one of this epoch, so an earlier attempt
 * can do nothing after it. Where another tag stands there, or an answer about that slot was lost, that slot alone
 * is settled before. Null where what is in doubt comes first.
 */
function despiteDoubt(state: RotationState, doubt: Step, cut: SlotStep, now: number): Decision | null {
  const own: Step = { do: "seize", slots: [cut.slot], places: [] };
  const isOverdue = [doubt, cut, own].some((step) => isFailing(state, step)) || state.operator !== null;
  if (!isOverdue) return null;
  const isLost = state.versions[cut.version]?.issuer === "unknown";
  const isHeldOff = isFailing(state, cut) && state.trouble?.code === "fenced";
  const step = isLost || isHeldOff ? own : cut;
  if (state.operator !== null && isExhausted(state, step, now)) return null;
  const askedFrom = isLost ? state.changedAt + state.traits.propagationMs : 0;
  return now < askedFrom ? untilHeard(askedFrom) : attempt(state, step, now);
}

/** An answer that was lost: what was sent may show late, so it is asked for once every node could have it (H3, H27). */
function untilHeard(until: number): Decision {
  const what = "what was sent to have reached every node, before it is asked for";
  return { kind: "wait", until, for: what, who: "time", watch: false };
}

/**
 * True where a closed window or a freeze keeps a step back. Only what leads on: going back, a leak, and looking
 * at those who have moved wait for no calendar, so that whoever fails in a freeze is still brought back.
 */
function isKeptBack(state: RotationState, step: Step, now: number): boolean {
  const ordinary = !isGoingBack(state) && state.emergency === null;
  return ordinary && state.notBefore !== null && now < state.notBefore && needsFreshFacts(step);
}

function untilOpen(state: RotationState, step: Step): Decision {
  return {
    kind: "wait",
    until: state.notBefore,
    for: `the rotation window to open, to ${step.do}`,
    who: "time, or an emergency",
    watch: true,
  };
}

/** The same, for people: a rotation that is held is held, also in the moment in which an operator is called again. */
export function shown(state: RotationState, now: number): Decision {
  const decision = decide(state, now);
  const calls = decision.kind === "do" && decision.step.do === "hold" && state.operator !== null;
  if (!calls || state.operator === null) return decision;
  return { kind: "needs-operator", reason: state.operator.reason, exits: exitsOf(state), until: null };
}

/** Which gate the rotation stands at, for people. */
export function currentGate(state: RotationState, now: number): string {
  return gates.find((gate) => gate.check(state, now).is !== "pass")?.name ?? "closed";
}

/**
 * True when `step` may be carried out on these facts: it is still what `decide` answers, and, for a step
 * that relies on observations, they were taken after the last change and are not too old (H10, H17).
 */
export function mayAct(
  state: RotationState,
  step: Step,
  now: number,
  list: readonly Gate[] = gates,
): boolean {
  const decision = decide(state, now, list);
  if (decision.kind !== "do" || !sameStep(decision.step, step)) return false;
  if (!needsFreshFacts(step) || isContainment(state, step, now)) return true;
  return isFresh(state, now);
}

/** True for the step that revokes a leak at once: it is carried out on what is known, because looking could keep the leak open. */
export function isContainment(state: RotationState, step: Step, now: number): boolean {
  const cut = containment(state, now);
  return cut !== null && sameStep(cut, step);
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
    : { do: "seize", slots: [...new Set(slots)].sort(), places: places.sort() };
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
      return hold(verdict.reason);
    case "stuck":
      return turn(state, verdict.reason);
  }
}

function isFailing(state: RotationState, step: Step): boolean {
  return state.trouble?.step === stepName(step);
}

/**
 * What is waited for however long it takes: another rotation of the same consumers (H39), and the audit log, whose
 * outage only delays and never makes anything go back (H31, I10), and records that somebody has to accept first (H32).
 */
const outlasts: ReadonlySet<string> = new Set(["busy", "audit-down", "audit-broken", "restored"]);

/** True when the step has failed for good, or for so long that trying again is no longer the answer. */
function isExhausted(state: RotationState, step: Step, now: number): boolean {
  const trouble = isFailing(state, step) ? state.trouble : null;
  if (trouble === null || outlasts.has(trouble.code)) return false;
  // Nodes that have not heard of a change yet are no failure either.
  return !trouble.again || now - trouble.since >= state.policy.stallTimeoutMs + state.traits.propagationMs;
}

/** The step, unless it has just failed: then after a pause, and not for ever. */
function attempt(state: RotationState, step: Step, now: number): Decision {
  const trouble = state.trouble;
  if (trouble === null || !isFailing(state, step)) return { kind: "do", step };
  if (isExhausted(state, step, now)) return giveUp(state, step, trouble.sentence, now);
  return { kind: "do", step };
}

function pause({ retryAt, sentence }: Trouble): Decision {
  return { kind: "wait", until: retryAt, for: sentence, who: "the system named there", watch: false };
}

/** Fences that cannot be had, or a leak that cannot be revoked, are not mended by walking the other way. */
function giveUp(state: RotationState, step: Step, reason: string, now: number): Decision {
  const canEnd = mayEndUnchanged(state);
  // A paper that no longer holds is asked for again; it is no reason to go back by itself (H38).
  if (state.trouble?.code === "decision-refused" && !canEnd) return hold(reason);
  // What is left of a version that nobody has any more is removed by no third one (I10).
  const isLast = step.do === "destroy" && targetOf(state).delivered && !mayReturn(state);
  return isLast || isContainment(state, step, now) || (step.do === "seize" && !canEnd)
    ? hold(reason)
    : turn(state, reason);
}

/** Round once; to its end where there is nothing to walk back from; to an operator where there is no other way. */
function turn(state: RotationState, reason: string): Decision {
  if (mayEndUnchanged(state)) return close(reason);
  const course = turnTarget(state);
  return course ? { kind: "do", step: { do: "turn", ...course, reason } } : hold(reason);
}

function hold(reason: string): Decision {
  return { kind: "do", step: { do: "hold", reason } };
}

function close(reason: string): Decision {
  return { kind: "do", step: { do: "close", outcome: "refused", reason } };
}

/** Nobody has answered for as long as owners are given before they are reminded: then an operator is called again (H30). */
function needsOperator(
  state: RotationState,
  { since, reason }: NonNullable<RotationState["operator"]>,
  now: number,
): Decision {
  const until = since + state.policy.approval.reminderMs;
  if (now >= until) return hold(reason);
  return { kind: "needs-operator", reason, exits: exitsOf(state), until };
}

/**
 * No wait outlasts the time for which two versions may be valid together. Then an operator is called, and both
 * stay valid: taking one away because time is up would cut off whoever still holds it. An emergency has a
 * deadline of its own.
 */
function withinOverlap(state: RotationState, now: number, decision: Decision): Decision {
  const end = overlapEnd(state);
  if (decision.kind !== "wait" || end === null || state.emergency) return decision;
  if (now >= end)
    return hold(
      `Two versions have been valid for longer than the policy allows, waiting for ${decision.for}.`,
    );
  return { ...decision, until: Math.min(decision.until ?? Number.POSITIVE_INFINITY, end) };
}

/** Every way out that is legal now: what one operator may order, and what two persons may declare (H30). */
export function exitsOf(state: RotationState): Exit[] {
  return declarable(state).length > 0 ? [...legalExits(state), "declare"] : legalExits(state);
}

/** No wait outlasts the moment at which an emergency stops waiting for consumers. */
function untilContainment(state: RotationState, now: number, decision: Decision): Decision {
  if (decision.kind !== "wait" && decision.kind !== "needs-operator") return decision;
  if (!leakIsOpen(state) || state.emergency === null || revokesNow(state, now)) return decision;
  return {
    ...decision,
    until: Math.min(decision.until ?? Number.POSITIVE_INFINITY, state.emergency.containBy),
  };
}
