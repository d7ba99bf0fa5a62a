/**
 * `fold` is how a rotation's state comes to be: one event after the other. It is total and pure; the records
 * in the database and the loop in the workflow run the very same function, so that they cannot disagree.
 */
import { declared } from "../declaration.js";
import { RekeyError } from "../errors.js";
import { applyIncident } from "../incident.js";
import { allows, isEnded, type LifeEvent, step as lifeStep } from "../version.js";
import { onwards } from "./course.js";
import type { RotationEvent } from "./events.js";
import {
  displaced,
  foldFailure,
  forwardTarget,
  held,
  isGoingBack,
  isPastReturn,
  isUsable,
  legalExits,
  mayEndUnchanged,
  mayReturn,
  movedForGood,
  overlapFrom,
  pastRefusing,
  retarget,
  turnedBack,
} from "./moves.js";
import { seized } from "./seize.js";
import type { Outcome, PlaceState, RotationState, VersionState } from "./state.js";
import { foldSurvey } from "./survey.js";

/** The state after `event`. Throws `internal` when the event is not possible in this state. */
export function fold(state: RotationState, event: RotationEvent): RotationState {
  switch (event.type) {
    case "surveyed":
      return foldSurvey(state, event.facts, event.at);
    case "asked":
      return event.reminder
        ? { ...state, remindedAt: event.at }
        : { ...state, asked: event.digests, askedAt: event.at, remindedAt: null };
    case "decided":
      return decided(state, event);
    case "seized":
      return seized(state, event);
    case "issued":
    case "enabled": {
      const move = event.type === "issued" ? "issue" : "enable";
      const made = withVersion(state, event.version, (version) => ({
        ...enabled(live(held(version), move)),
        slot: event.slot ?? version.slot,
        enabledAt: event.at,
      }));
      return changed({ ...made, versions: displaced(made, event.version, event.at) }, event);
    }
    case "disabled":
      return changed(
        withVersion(state, event.version, (version) => ({
          ...tried(live(version, "disable")),
          issuer: "disabled",
          proved: false,
          disabledAt: event.at,
          refused: true,
          ...(event.untried
            ? { untried: true, refusals: 0, refusedSince: null }
            : { refusals: 1, refusedSince: event.at }),
        })),
        event,
      );
    case "destroyed":
      return changed(
        freed(
          withVersion(state, event.version, (version) => ({
            ...live(version, "destroy"),
            issuer: "destroyed",
            proved: false,
          })),
          event.version,
        ),
        event,
      );
    case "proved":
      return calm(
        withVersion(state, event.version, (version) => ({ ...live(version, "prove"), proved: true })),
      );
    case "refused":
      return calm(
        withVersion(state, event.version, (version) =>
          event.untried
            ? { ...version, untried: true }
            : {
                ...tried(version),
                refusals: (version.refusals ?? 0) + 1,
                refusedSince: version.refusedSince ?? event.at,
              },
        ),
      );
    case "renewed":
      return calm({
        ...state,
        change: Math.max(state.change, event.change),
        changedAt: event.at,
        stale: true,
      });
    case "delivered":
      return delivered(state, event);
    case "failed":
      return foldFailure(state, event);
    case "turned":
      return isOvertaken(state, event.target) ? state : turnedBack(state, event);
    case "held":
      return {
        ...state,
        operator: { since: event.at, reason: event.reason, first: state.operator?.first ?? event.at },
      };
    case "resumed":
      return resumed(state, event);
    case "cancelled":
      return cancelled(state, event);
    case "incident":
      return applyIncident(state, event);
    case "adopted":
      return adopted(state, event);
    case "closed":
      return closed(state, event.outcome);
  }
}

/** The state after several events, in their order. */
export function foldAll(state: RotationState, events: readonly RotationEvent[]): RotationState {
  return events.reduce(fold, state);
}

function withVersion(
  state: RotationState,
  id: string,
  change: (version: VersionState) => VersionState,
): RotationState {
  const version = state.versions[id];
  if (!version) throw new RekeyError("internal", `The rotation knows no version ${id}.`);
  return { ...state, versions: { ...state.versions, [id]: change(version) } };
}

/** The version one stage further in its life. */
function live(version: VersionState, event: LifeEvent): VersionState {
  return { ...version, life: lifeStep(version.life, event) };
}

function enabled(version: VersionState): VersionState {
  return { ...tried(version), issuer: "enabled", proved: false, disabledAt: null, refused: false };
}

/** The version without the note that nobody could try it. */
function tried({ untried: _, ...version }: VersionState): VersionState {
  return version;
}

/** A change at the issuer ended: its tag is known, facts taken before it are old, and nothing is in trouble. */
function changed(
  state: RotationState,
  event: Extract<RotationEvent, { type: "issued" | "enabled" | "disabled" | "destroyed" }>,
): RotationState {
  const slot = state.versions[event.version]?.slot ?? "";
  const after: RotationState = {
    ...state,
    change: Math.max(state.change, event.change),
    changedAt: event.at,
    stale: true,
    tags: { ...state.tags, [slot]: event.tag },
    freeSlots: event.type === "destroyed" ? state.freeSlots : state.freeSlots.filter((free) => free !== slot),
  };
  const settled = pastRefusing({
    ...after,
    irreversible: isPastReturn(after),
    overlapSince: overlapFrom(after, event.at),
  });
  // A destroy that fails each time is asked about, which brings the disable back: that one's success ends nothing.
  const goesOn = event.type === "disabled" && state.trouble?.step === `destroy:${event.version}`;
  return onwards(goesOn ? settled : calm(settled), event.at);
}

/** The slot of a version that is gone can take another one. */
function freed(state: RotationState, id: string): RotationState {
  const slot = state.versions[id]?.slot;
  const taken = Object.values(state.versions).some(
    (version) => version.slot === slot && !isEnded(version.life),
  );
  return slot === undefined || taken ? state : { ...state, freeSlots: [...state.freeSlots, slot] };
}

/** A message may come while a turn is recorded: a target that leaked since is not taken, nor a second turn (H5). */
function isOvertaken(state: RotationState, target: string): boolean {
  const known = state.versions[target];
  const isTooLate = target === state.origin && state.irreversible;
  return state.turned !== null || isTooLate || (known !== undefined && !isUsable(known));
}

/** A rejection past the point of no return is recorded, and too late (H38). */
function decided(state: RotationState, event: Extract<RotationEvent, { type: "decided" }>): RotationState {
  const { decision } = event;
  const objections =
    state.irreversible && decision.verdict === "reject"
      ? [...state.objections, `${decision.person} rejected the plan.`]
      : state.objections;
  return { ...state, decisions: [...state.decisions, decision], objections };
}

/** At the end the target is what is in use, and what was never made never will be. */
function closed(state: RotationState, outcome: Outcome): RotationState {
  const versions = Object.fromEntries(
    Object.values(state.versions).map((version) => {
      const move: LifeEvent = version.id === state.target ? "activate" : "abandon";
      return [version.id, allows(version.life, move) ? live(version, move) : version];
    }),
  );
  return { ...state, versions, closed: outcome };
}

function calm(state: RotationState): RotationState {
  return { ...state, trouble: null };
}

function delivered(
  state: RotationState,
  event: Extract<RotationEvent, { type: "delivered" }>,
): RotationState {
  const place: PlaceState = {
    tag: event.tag,
    liveVersion: event.version,
    told: event.version,
    toldTo: event.consumers,
    toldAt: event.at,
    unknown: false,
  };
  const versions = Object.fromEntries(
    Object.values(state.versions).map((version) => {
      const move: LifeEvent = version.id === event.version ? "deliver" : "retire";
      const next = allows(version.life, move) ? live(version, move) : version;
      return [version.id, version.id === event.version ? { ...next, delivered: true } : next];
    }),
  );
  const after = calm({
    ...state,
    versions,
    irreversible: state.irreversible || movedForGood(state, event.version, event.consumers),
    change: Math.max(state.change, event.change),
    changedAt: event.at,
    stale: true,
    places: { ...state.places, [event.place]: place },
  });
  // Whatever turned it while this was under way came too late, if nobody can be moved back now (H29).
  return after.irreversible && !state.irreversible ? onwards(after, event.at) : after;
}

/**
 * An operator's order, where it is legal. The world is looked at anew and every tag is taken again, so that
 * nothing rests on what was true when the rotation was held (H30).
 */
function resumed(state: RotationState, event: Extract<RotationEvent, { type: "resumed" }>): RotationState {
  if (state.operator === null) return state;
  const course =
    event.exit === "declare" ? declared(state, event.version ?? "", event.at) : ordered(state, event.exit);
  if (course === null || (event.exit === "declare" && course === state)) return state;
  return {
    ...course,
    operator: null,
    trouble: null,
    seized: false,
    surveyedAt: null,
    blockedSince: null,
    resumedAt: event.at,
  };
}

/** The course that an operator may order alone, or null where it is not legal now. */
function ordered(state: RotationState, exit: "retry" | "back" | "forward"): RotationState | null {
  if (!legalExits(state).includes(exit)) return null;
  const wanted = { retry: null, back: state.origin, forward: forwardTarget(state) }[exit];
  return wanted === null ? state : retarget(state, wanted);
}

function cancelled(
  state: RotationState,
  event: Extract<RotationEvent, { type: "cancelled" }>,
): RotationState {
  if (mayEndUnchanged(state)) return { ...state, refused: `cancelled: ${event.reason}` };
  if (isGoingBack(state)) return state;
  // Too late, or the way back leads to a version that leaked.
  if (!mayReturn(state))
    return { ...state, objections: [...state.objections, `${event.by}: ${event.reason}`] };
  return turnedBack(state, {
    at: event.at,
    target: state.origin,
    slot: null,
    reason: `cancelled: ${event.reason}`,
    by: event.by,
  });
}

/** A new epoch has adopted the rotation: facts are forgotten, and whatever was under way has an unknown outcome. */
function adopted(state: RotationState, event: Extract<RotationEvent, { type: "adopted" }>): RotationState {
  const fresh: RotationState = {
    ...state,
    epoch: event.epoch,
    nonce: event.nonce,
    seized: false,
    operator: null,
    trouble: null,
    surveyedAt: null,
    blockedSince: null,
    consumers: {},
    uses: {},
    change: Math.max(state.change, event.lastChange ?? 0),
    changedAt: event.at,
  };
  if (event.openChange === null) return fresh;
  return foldFailure(fresh, {
    type: "failed",
    at: event.at,
    step: event.openChange,
    change: state.change + 1,
    code: "unknown-outcome",
    sentence: "The rotation was taken over while this step was under way.",
    outcome: "unknown",
    again: true,
  });
}
