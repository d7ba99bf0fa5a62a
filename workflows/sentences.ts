/** What the loop says about itself, for people: a step, a phase, a standing. Ids only; names are added by the client. */
import { count } from "../domain/count.js";
import { currentGate } from "../domain/decide.js";
import type { RotationEvent } from "../domain/rotation/events.js";
import { isGoingBack, nothingIssued } from "../domain/rotation/moves.js";
import type { RotationState } from "../domain/rotation/state.js";
import type { Decision, Step } from "../domain/rotation/steps.js";
import type { Progress, TimelineEntry } from "./messages.js";

/** The event that says that a step was taken. */
const outcomes: Readonly<Record<Step["do"], RotationEvent["type"]>> = {
  survey: "surveyed",
  ask: "asked",
  seize: "seized",
  issue: "issued",
  enable: "enabled",
  prove: "proved",
  deliver: "delivered",
  renew: "renewed",
  disable: "disabled",
  probe: "refused",
  destroy: "destroyed",
  turn: "turned",
  hold: "held",
  close: "closed",
};

/** One sentence about a step that was asked for; `events` are what came of it: why it failed, or that it was not taken, is said. */
export function sentenceOf(step: Step, events: readonly RotationEvent[]): string {
  const failed = events.find((event) => event.type === "failed");
  if (failed) return failed.sentence;
  const isTaken = events.some(({ type }) => type === outcomes[step.do]);
  return isTaken ? taken(step, events) : `Not taken (${step.do}): the facts changed.`;
}

function taken(step: Step, events: readonly RotationEvent[]): string {
  switch (step.do) {
    case "survey":
      return "Looked at consumers, issuer and store.";
    case "ask":
      return step.reminder ? "Reminded the owners of the sign-off." : "Asked the owners to sign the plan.";
    case "seize":
      return "Settled what an earlier attempt had done, and fenced it off.";
    case "issue":
      return `Issued version ${step.version} in ${step.slot}, beside the old one.`;
    case "enable":
      return `Enabled version ${step.version} in ${step.slot} again, from its stored value.`;
    case "prove":
      return `Proved version ${step.version} by logging in at every node.`;
    case "deliver":
      return `Delivered version ${step.version} to ${step.place}, read by ${count(step.consumers.length, "consumer")}.`;
    case "renew":
      return `Ended the sessions that were begun before version ${step.version} was given up, so that consumers connect anew.`;
    case "disable":
      return events.some((event) => event.type === "disabled" && event.untried)
        ? `Disabled version ${step.version}, and none of its sessions is left; no copy of it was left to try.`
        : `Disabled version ${step.version}; every node refused it, and none of its sessions is left.`;
    case "probe":
      if (events.some((event) => event.type === "refused" && event.untried))
        return `Version ${step.version} could not be tried again: no copy of it was left.`;
      return `Tried version ${step.version} again; every node refused it.`;
    case "destroy":
      return `Destroyed version ${step.version}, at the issuer and in every copy.`;
    case "turn":
      return `Turned to version ${step.target}: ${step.reason}`;
    case "hold":
      return `Holding for an operator: ${step.reason}`;
    case "close":
      return `Closed as ${step.outcome}: ${step.reason}`;
  }
}

/** The phase that searches show. */
export function phaseOf(state: RotationState): string {
  if (state.closed) return "closed";
  if (state.operator) return "needs-operator";
  if (nothingIssued(state)) return "planning";
  const revoking = Object.values(state.versions).some((version) => version.issuer === "disabled");
  return revoking ? "revoking" : "moving";
}

/** The answer to the query `progress`. */
export function progressOf(
  state: RotationState,
  decision: Decision,
  now: number,
  timeline: readonly TimelineEntry[],
): Progress {
  return {
    rotation: state.id,
    credential: state.credential,
    nonce: state.nonce,
    epoch: state.epoch,
    gate: currentGate(state, now),
    direction: state.emergency ? "emergency" : isGoingBack(state) ? "back" : "forward",
    ...standingOf(decision),
    outcome: state.closed,
    timeline,
  };
}

/** The same before there is a state: the lock is waited for, or a system that cannot be read yet. */
export function openingProgress(credential: string): Progress {
  return {
    rotation: "",
    credential,
    nonce: "",
    epoch: 0,
    gate: "opening",
    direction: "forward",
    standing: "doing",
    sentence: "Opening: the lock, and a first look at issuer, store and consumers.",
    who: null,
    until: null,
    exits: [],
    outcome: null,
    timeline: [],
  };
}

function standingOf(decision: Decision): Pick<Progress, "standing" | "sentence" | "who" | "until" | "exits"> {
  const nobody = { who: null, until: null, exits: [] };
  switch (decision.kind) {
    case "do":
      return { standing: "doing", sentence: `Next: ${decision.step.do}.`, ...nobody };
    case "wait":
      return {
        standing: "waiting",
        sentence: `Waiting for ${decision.for}.`,
        who: decision.who,
        until: decision.until,
        exits: [],
      };
    case "needs-operator":
      return {
        standing: "needs-operator",
        sentence: decision.reason,
        who: "an operator",
        until: null,
        exits: decision.exits,
      };
    case "done":
      return { standing: "done", sentence: `Ended: ${decision.outcome}.`, ...nobody };
  }
}
