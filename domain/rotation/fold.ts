/**
 * `fold` is how a rotation's state comes to be: one event after the other. It is total and pure; the records
 * in the database and the loop in the workflow run the very same function, so that they cannot disagree.
 */
import { RekeyError } from "../errors.js";
import { parseTag } from "../fence.js";
import { applyIncident } from "../incident.js";
import { allows, type LifeEvent, step as lifeStep } from "../version.js";
import type { RotationEvent, SlotFact } from "./events.js";
import { foldFailure, isGoingBack, nothingIssued, retarget, turnedBack } from "./moves.js";
import type { PlaceState, RotationState, VersionState } from "./state.js";
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
      return { ...state, decisions: [...state.decisions, event.decision] };
    case "seized":
      return seized(state, event);
    case "issued":
    case "enabled": {
      const move = event.type === "issued" ? "issue" : "enable";
      return changed(
        withVersion(state, event.version, (version) => enabled(live(version, move))),
        event,
      );
    }
    case "disabled":
      return changed(
        withVersion(state, event.version, (version) => ({
          ...live(version, "disable"),
          issuer: "disabled",
          proved: false,
          disabledAt: event.at,
          refused: true,
        })),
        event,
      );
    case "destroyed":
      return {
        ...changed(
          withVersion(state, event.version, (version) => ({
            ...live(version, "destroy"),
            issuer: "destroyed",
          })),
          event,
        ),
        irreversible: state.irreversible || event.version === state.origin,
      };
    case "proved":
      return calm(
        withVersion(state, event.version, (version) => ({ ...live(version, "prove"), proved: true })),
      );
    case "delivered":
      return delivered(state, event);
    case "failed":
      return foldFailure(state, event);
    case "turned":
      return turnedBack(state, event);
    case "held":
      return { ...state, operator: { since: event.at, reason: event.reason } };
    case "resumed":
      return resumed(state, event);
    case "cancelled":
      return cancelled(state, event);
    case "incident":
      return applyIncident(state, event);
    case "adopted":
      return adopted(state, event);
    case "closed":
      return { ...state, closed: event.outcome };
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
  return { ...version, issuer: "enabled", proved: false, disabledAt: null, refused: false };
}

/** A change at the issuer ended: its tag is known, facts taken before it are old, and nothing is in trouble. */
function changed(
  state: RotationState,
  event: { readonly at: number; readonly change: number; readonly tag: string; readonly version: string },
): RotationState {
  const slot = state.versions[event.version]?.slot ?? "";
  return calm({
    ...state,
    change: Math.max(state.change, event.change),
    changedAt: event.at,
    tags: { ...state.tags, [slot]: event.tag },
    freeSlots: state.freeSlots.filter((free) => free !== slot),
  });
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
  return calm({
    ...state,
    versions,
    change: Math.max(state.change, event.change),
    changedAt: event.at,
    places: { ...state.places, [event.place]: place },
  });
}

/**
 * After a seize the tags are ours and known, and an earlier attempt can do nothing any more. What it did
 * before is read from the slot: the tag that was found there names version and state.
 */
function seized(state: RotationState, event: Extract<RotationEvent, { type: "seized" }>): RotationState {
  const bySlot = new Map(event.slots.map((slot) => [slot.slot, slot]));
  const versions = Object.fromEntries(
    Object.values(state.versions).map((version) => {
      const slot = bySlot.get(version.slot);
      return [version.id, slot ? settle(version, slot, event.at) : version];
    }),
  );
  const places = { ...state.places };
  for (const place of event.places) {
    const known = places[place.place];
    places[place.place] = {
      tag: place.tag,
      liveVersion: place.liveVersion,
      told: known?.unknown ? null : (known?.told ?? null),
      toldTo: known?.unknown ? [] : (known?.toldTo ?? []),
      toldAt: known?.toldAt ?? null,
      unknown: false,
    };
    const carried = place.liveVersion === null ? undefined : versions[place.liveVersion];
    if (carried) versions[carried.id] = { ...carried, delivered: true };
  }
  const tags = { ...state.tags };
  for (const slot of event.slots) tags[slot.slot] = slot.tag;
  return calm({
    ...state,
    irreversible: state.irreversible || versions[state.origin]?.issuer === "destroyed",
    versions,
    places,
    tags,
    seized: state.seized || event.epoch === state.epoch,
    change: Math.max(state.change, event.change),
    changedAt: event.at,
  });
}

function settle(version: VersionState, slot: SlotFact, at: number): VersionState {
  const tag = parseTag(slot.tag);
  if (tag === null || tag.version !== version.id) {
    return version.issuer === "unknown" && version.life === "planned"
      ? { ...version, issuer: "absent" }
      : version;
  }
  switch (tag.state) {
    case "enabled": {
      if (version.issuer === "enabled") return version;
      const move: LifeEvent = version.life === "planned" ? "issue" : "enable";
      const base = allows(version.life, move) ? live(version, move) : version;
      return enabled(base);
    }
    case "disabled":
      // The switch is off, but nobody saw yet that sessions ended and the value is refused: `refused` stays false.
      return {
        ...(allows(version.life, "disable") ? live(version, "disable") : version),
        issuer: "disabled",
        proved: false,
        disabledAt: version.disabledAt ?? at,
        refused: version.issuer === "disabled" && version.refused,
      };
    case "destroyed":
      // At the issuer only: its copies may still be in the store, so its life has not ended yet.
      return { ...version, issuer: "destroyed", proved: false };
  }
}

function resumed(state: RotationState, event: Extract<RotationEvent, { type: "resumed" }>): RotationState {
  const awake = { ...state, operator: null, trouble: null, resumedAt: event.at };
  if (event.exit === "retry") return awake;
  const wanted = event.exit === "back" ? state.origin : newestForward(state);
  if (wanted === null || wanted === state.target) return awake;
  return retarget(awake, wanted);
}

/** The version that the walk went to before it was turned round. */
function newestForward(state: RotationState): string | null {
  const candidates = state.acceptable.filter((id) => id !== state.origin && !state.versions[id]?.leaked);
  return candidates.at(-1) ?? null;
}

function cancelled(
  state: RotationState,
  event: Extract<RotationEvent, { type: "cancelled" }>,
): RotationState {
  if (state.irreversible)
    return { ...state, objections: [...state.objections, `${event.by}: ${event.reason}`] };
  if (nothingIssued(state)) return { ...state, refused: `cancelled: ${event.reason}` };
  if (isGoingBack(state) || !state.acceptable.includes(state.origin)) return state;
  return turnedBack(state, {
    at: event.at,
    target: state.origin,
    slot: null,
    reason: `cancelled: ${event.reason}`,
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
    consumers: {},
    uses: {},
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
