/** A world in which every step succeeds, so that the tests of a rule can begin where the rule does: at any stage of a rotation. */
import { decide, mayAct } from "../../domain/decide.js";
import type { RotationEvent, SurveyFacts } from "../../domain/rotation/events.js";
import { fold } from "../../domain/rotation/fold.js";
import type {
  DecisionRecord,
  Emergency,
  InstanceState,
  RotationPolicy,
  RotationState,
} from "../../domain/rotation/state.js";
import type { Decision, Step } from "../../domain/rotation/steps.js";
import { begin, planFor, policy, tagText, tick } from "./begin.js";

/** One event of one type. */
export type EventOf<T extends RotationEvent["type"]> = Extract<RotationEvent, { type: T }>;

/** The plan of every walk here: one wave of two consumers that share the main place. */
export const plan = planFor({ main: ["app", "job"] });

/** Instances of a consumer, all of them working on `version`. */
export function on(version: string | null, ...names: readonly string[]): InstanceState[] {
  return names.map((instance) => ({ instance, version, working: true }));
}

/** What a look finds where the world is as the records say and every consumer has what the store gives out. */
export function factsOf(state: RotationState, more: Partial<SurveyFacts> = {}): SurveyFacts {
  const planned = state.amendments.at(-1) ?? state.plan ?? plan;
  const holds = (place: string) => state.places[place]?.liveVersion ?? null;
  const observations = Object.fromEntries(
    planned.consumers.map(({ id, place }) => [id, on(holds(place), `${id}-1`, `${id}-2`)]),
  );
  const held = Object.values(observations).flat();
  return {
    slots: Object.entries(state.tags).map(([slot, tag]) => ({
      slot,
      tag,
      enabled: Object.values(state.versions).some(
        (version) => version.slot === slot && version.issuer === "enabled",
      ),
    })),
    places: Object.entries(state.places).map(([place, { tag, liveVersion }]) => ({
      place,
      tag,
      liveVersion,
    })),
    findings: [],
    notBefore: null,
    observations,
    sessions: Object.fromEntries(
      Object.keys(state.versions).map((id) => [id, held.filter(({ version }) => version === id).length]),
    ),
    watermarkSeen: true,
    plan: planned,
    ...more,
  };
}

/** The state after a look at the world as it is, but for `more`. */
export function look(state: RotationState, at: number, more: Partial<SurveyFacts> = {}): RotationState {
  return fold(state, { type: "surveyed", at, facts: factsOf(state, more) });
}

/** What a step that succeeds reports. */
export function success(state: RotationState, step: Step, at: number): RotationEvent {
  const change = state.change + 1;
  switch (step.do) {
    case "survey":
      return { type: "surveyed", at, facts: factsOf(state) };
    case "ask":
      return { type: "asked", at, digests: step.digests, reminder: step.reminder };
    case "seize": {
      const { slots, places } = factsOf(state);
      return { type: "seized", at, epoch: state.epoch, change, slots, places };
    }
    case "issue":
    case "enable":
      return {
        type: step.do === "issue" ? "issued" : "enabled",
        at,
        version: step.version,
        ...(step.do === "issue" ? { slot: step.slot } : {}),
        change,
        tag: tagText(step.version, "enabled", state.epoch, change),
      };
    case "disable":
      return {
        type: "disabled",
        at,
        version: step.version,
        change,
        tag: tagText(step.version, "disabled", state.epoch, change),
      };
    case "destroy":
      return {
        type: "destroyed",
        at,
        version: step.version,
        change,
        tag: tagText(step.version, "destroyed", state.epoch, change),
      };
    case "probe":
      return { type: "refused", at, version: step.version };
    case "renew":
      return { type: "renewed", at, version: step.version, change };
    case "prove":
      return { type: "proved", at, version: step.version };
    case "deliver": {
      const { version, place, consumers } = step;
      const tag = tagText(version, "enabled", state.epoch, change);
      return { type: "delivered", at, version, place, consumers, change, tag };
    }
    case "turn":
      return { type: "turned", at, target: step.target, slot: step.slot, reason: step.reason };
    case "hold":
      return { type: "held", at, reason: step.reason };
    case "close":
      return { type: "closed", at, outcome: step.outcome, reason: step.reason };
  }
}

/** A step that fails. */
export function failure(step: Step, at: number, more: Partial<EventOf<"failed">> = {}): EventOf<"failed"> {
  const said = { code: "unreachable", sentence: "The issuer does not answer." };
  return { type: "failed", at, step, change: null, ...said, outcome: "not-done", again: true, ...more };
}

/** A rotation on its way. */
export interface Walk {
  readonly state: RotationState;
  readonly now: number;
  readonly events: readonly RotationEvent[];
}

/** The walk from `state` on, every step succeeding, until `stop` says so of an answer; else to its end or to an operator. */
export function walk(
  state: RotationState,
  now: number,
  stop: (decision: Decision, state: RotationState) => boolean = () => false,
): Walk {
  let at: Walk = { state, now, events: [] };
  for (let count = 0; count < 200; count += 1) {
    const decision = decide(at.state, at.now);
    if (stop(decision, at.state) || decision.kind === "done" || decision.kind === "needs-operator") return at;
    if (decision.kind === "wait") {
      const until = Math.min(decision.until ?? Number.POSITIVE_INFINITY, at.now + tick);
      at = { ...at, now: Math.max(until, at.now + 1) };
      if (decision.watch) at = after(at, { do: "survey" });
      continue;
    }
    at = after(
      at,
      mayAct(at.state, decision.step, at.now) || !guarded(decision.step) ? decision.step : { do: "survey" },
    );
  }
  throw new Error("a walk without an end");
}

function guarded(step: Step): boolean {
  return (
    step.do === "issue" ||
    step.do === "deliver" ||
    step.do === "renew" ||
    step.do === "disable" ||
    step.do === "destroy"
  );
}

function after({ state, now, events }: Walk, step: Step): Walk {
  const event = success(state, step, now);
  return { state: fold(state, event), now, events: [...events, event] };
}

/** The walk up to where it is about to `name` this version, or anything where none is given. */
export function upTo(name: Step["do"], state: RotationState = begin(), version?: string): Walk {
  const reached = walk(
    state,
    0,
    (decision) =>
      decision.kind === "do" &&
      decision.step.do === name &&
      (version === undefined || ("version" in decision.step && decision.step.version === version)),
  );
  const last = decide(reached.state, reached.now);
  if (last.kind !== "do" || last.step.do !== name) throw new Error(`never came to ${name}`);
  return reached;
}

/** The names of the steps in a walk's events, looks left out. */
export function told(events: readonly RotationEvent[]): string[] {
  return events
    .filter(({ type }) => type !== "surveyed")
    .map((event) => ("version" in event ? `${event.type} ${event.version}` : event.type));
}

/** A leak as it is reported at `at`. */
export function leak(
  at: number,
  leaked: readonly string[],
  more: Partial<Emergency> = {},
): EventOf<"incident"> {
  const emergency: Emergency = {
    reason: "found in a public place",
    containment: "after-adoption",
    startedAt: at,
    containBy: at + policy.containmentDeadlineMs,
    signOffBy: at + policy.signOffDeadlineMs,
    responders: ["responder"],
    ...more,
  };
  return { type: "incident", at, leaked, containment: emergency.containment, emergency };
}

/** A verified decision on `plan`. */
export function decisionOf(person: string, more: Partial<DecisionRecord> = {}): DecisionRecord {
  return {
    id: `${person}-1`,
    person,
    digest: plan.digest,
    verdict: "approve",
    owners: ["owner"],
    issuedAt: 0,
    expiresAt: 100 * tick,
    ...more,
  };
}

/** The policy that asks so many persons. */
export function asking(quorum: number): RotationPolicy {
  return { ...policy, approval: { ...policy.approval, quorum } };
}
