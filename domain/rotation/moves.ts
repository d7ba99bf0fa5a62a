/** Changes of course: where the walk may turn to, how it turns, and what a failed step does to the state. */
import { RekeyError } from "../errors.js";
import { allows, isEnded, step } from "../version.js";
import type { RotationEvent } from "./events.js";
import type { PlaceState, RotationState, VersionState } from "./state.js";
import type { Exit, Step } from "./steps.js";

/** The target's own record. The state always holds it. */
export function targetOf(state: RotationState): VersionState {
  const target = state.versions[state.target];
  if (!target) throw new RekeyError("internal", "The rotation has no target.");
  return target;
}

/** Every version but the target that has not ended. */
export function others(state: Pick<RotationState, "target" | "versions">): VersionState[] {
  return Object.values(state.versions).filter(
    (version) => version.id !== state.target && !isEnded(version.life),
  );
}

/** True while the walk leads to the version that was live at the start. */
export function isGoingBack(state: Pick<RotationState, "target" | "origin">): boolean {
  return state.target === state.origin;
}

/**
 * True while this rotation made nothing at the issuer, so that ending it needs no walk at all. A version that
 * an earlier rotation left behind was never acceptable to this one, and does not count.
 */
export function nothingIssued(state: RotationState): boolean {
  // What cannot be undone has been done, also where nothing is left of it (H11).
  if (state.irreversible) return false;
  return Object.values(state.versions).every(
    ({ id, life, issuer, leaked, unkept }) =>
      id === state.origin ||
      (life === "planned" && issuer === "absent" && !unkept) ||
      !(leaked || state.acceptable.includes(id)),
  );
}

/** True while the rotation may end as if it had never begun: nothing made, the origin in use, no leak left open. */
export function mayEndUnchanged(state: RotationState): boolean {
  const origin = state.versions[state.origin];
  return nothingIssued(state) && origin?.issuer === "enabled" && !leakIsOpen(state);
}

/** True in an emergency as long as a version that leaked may still be accepted somewhere. */
export function leakIsOpen(state: RotationState): boolean {
  return Object.values(state.versions).some(
    (version) =>
      version.leaked &&
      version.issuer !== "absent" &&
      version.issuer !== "destroyed" &&
      !(version.issuer === "disabled" && version.refused),
  );
}

/** The version as one whose value is held. */
export function held({ unkept: _unkept, ...version }: VersionState): VersionState {
  return version;
}

/**
 * Where the walk could turn to now: the origin first, then a version that never existed in a free slot. Null
 * when there is nowhere to go: past the point of no return, or turned once already, so that a rotation never
 * swings (protocol.md, One walk).
 */
export function turnTarget(state: RotationState): { target: string; slot: string | null } | null {
  if (state.turned) return null;
  if (!isGoingBack(state) && mayReturn(state)) return { target: state.origin, slot: null };
  // Never back to a leaked version: forward to a third one instead (H5, H25).
  // Where there is no way back a value that fails is made again (H11).
  const goesOn = state.versions[state.origin]?.leaked || (replacesInPlace(state) && state.irreversible);
  return goesOn ? (thirdVersion(state) ?? inTheSlotOfTheFailed(state)) : null;
}

/** True while the walk may lead to the origin: before the point of no return, and never to what has leaked. */
export function mayReturn(state: RotationState): boolean {
  const origin = state.versions[state.origin];
  return (
    origin !== undefined && !state.irreversible && isUsable(origin) && state.acceptable.includes(origin.id)
  );
}

/** True for a version that did not leak and has not ended, at the issuer or by its life. */
export function isUsable(version: VersionState): boolean {
  return !version.leaked && !isEnded(version.life) && version.issuer !== "destroyed";
}

/**
 * True once the version that going back needs cannot be had again: destroyed, off for good by its kind, or
 * replaced by the issue of another one where two cannot be valid together (H29).
 */
export function isPastReturn(state: RotationState): boolean {
  const issuer = state.versions[state.origin]?.issuer;
  const { overlap, disableReversible } = state.traits;
  return (
    state.irreversible ||
    issuer === "destroyed" ||
    (issuer === "disabled" && !disableReversible) ||
    (overlap === "none" && !nothingIssued(state))
  );
}

/**
 * True for a version that may be taken away to make room for another one: it leaked, or nobody was ever given it,
 * or it is the origin to which nobody can go back any more (H25, H29).
 */
export function mayMakeRoom(state: RotationState, version: VersionState): boolean {
  return version.leaked || !version.delivered || (version.id === state.origin && state.irreversible);
}

/** Since when two versions let somebody in: from `at` on where that is new, null where only one does (gate 8's bound). */
export function overlapFrom(state: RotationState, at: number): number | null {
  const valid = Object.values(state.versions).filter(
    ({ issuer }) => issuer === "enabled" || issuer === "unknown",
  );
  return valid.length > 1 ? (state.overlapSince ?? at) : null;
}

/** When the two may no longer be valid together without somebody's word; null where there is no such time. */
export function overlapEnd(state: RotationState): number | null {
  const { overlapSince, resumedAt, policy } = state;
  if (overlapSince === undefined || overlapSince === null || policy.overlapMaxMs === undefined) return null;
  return Math.max(overlapSince, resumedAt ?? 0) + policy.overlapMaxMs;
}

/** True when these consumers were given another version than the origin, and one of them cannot be moved back (H29). */
export function movedForGood(
  state: RotationState,
  version: string | null,
  consumers: readonly string[],
): boolean {
  const plan = state.amendments.at(-1) ?? state.plan;
  const told = (plan?.consumers ?? []).filter(({ id }) => consumers.includes(id));
  return version !== null && version !== state.origin && told.some((consumer) => !consumer.reversible);
}

/** True where a version can only be made in the place of the one that is there: two are never valid together. */
export function replacesInPlace({ traits }: Pick<RotationState, "traits">): boolean {
  return traits.overlap === "none";
}

/** The versions once `id` was made where two are never valid together: whatever was in its slot is gone at the issuer. */
export function displaced(state: RotationState, id: string, at: number): RotationState["versions"] {
  const { versions } = state;
  const slot = versions[id]?.slot;
  if (!replacesInPlace(state)) return versions;
  return Object.fromEntries(
    Object.values(versions).map((version) => {
      const isThere = version.id !== id && version.slot === slot && version.issuer !== "absent";
      if (!isThere || isEnded(version.life)) return [version.id, version];
      const life = allows(version.life, "disable") ? step(version.life, "disable") : version.life;
      const gone = { issuer: "destroyed", life, proved: false, refused: true, disabledAt: at } as const;
      return [version.id, { ...version, ...gone }];
    }),
  );
}

/** True for a version that another one has displaced: nothing of it is at the issuer, where its slot is the other's. */
export function isDisplaced(state: RotationState, id: string): boolean {
  const version = state.versions[id];
  return (
    replacesInPlace(state) &&
    Object.values(state.versions).some(
      (other) => other.id !== id && other.slot === version?.slot && other.issuer === "enabled",
    )
  );
}

/** Whoever refused while the step that cannot be undone was in flight was too late with it, and is told so (H38). */
export function pastRefusing(state: RotationState): RotationState {
  const { refused, irreversible, objections } = state;
  return irreversible && refused !== null
    ? { ...state, refused: null, objections: [...objections, refused] }
    : state;
}

/** A version that does not exist yet, in a slot that nobody holds; null when ids or slots are used up. */
export function thirdVersion(state: RotationState): { target: string; slot: string } | null {
  const id = spareId(state);
  const slot = state.freeSlots[0];
  return id === null || slot === undefined ? null : { target: id, slot };
}

/** A third version where the target stands that cannot be had: nobody was ever given it, so its slot can be emptied. */
function inTheSlotOfTheFailed(state: RotationState): { target: string; slot: string } | null {
  const id = spareId(state);
  const { slot, delivered } = targetOf(state);
  return id === null || delivered ? null : { target: id, slot };
}

/** An id that no version has had yet, or null. */
export function spareId(state: RotationState): string | null {
  return state.spareIds.find((spare) => !(spare in state.versions)) ?? null;
}

/** The walk with another target: what was adopted for the former one says nothing about this one. */
export function retarget(state: RotationState, target: string): RotationState {
  const version = state.versions[target];
  const consumers = Object.fromEntries(
    Object.entries(state.consumers).map(([id, consumer]) => [
      id,
      { ...consumer, stable: 0, since: null, lostAt: null },
    ]),
  );
  return {
    ...state,
    target,
    consumers,
    trouble: null,
    operator: null,
    refused: null,
    versions: version ? { ...state.versions, [target]: { ...version, proved: false } } : state.versions,
  };
}

/** Turns the walk round, to a version that is known or to a new one in `slot`. */
export function turnedBack(
  state: RotationState,
  event: {
    readonly at: number;
    readonly target: string;
    readonly slot: string | null;
    readonly reason: string;
    /** Who ordered it; absent where the walk turned by itself. */
    readonly by?: string;
  },
): RotationState {
  const withTarget =
    event.slot === null || event.target in state.versions
      ? state
      : {
          ...state,
          acceptable: [...state.acceptable, event.target],
          versions: { ...state.versions, [event.target]: plannedVersion(event.target, event.slot) },
          freeSlots: state.freeSlots.filter((slot) => slot !== event.slot),
        };
  const { at, reason, by } = event;
  const turned = { at, reason, ...(by === undefined ? {} : { by }) };
  return { ...retarget(withTarget, event.target), turned };
}

/** A version of which nothing exists yet. */
export function plannedVersion(id: string, slot: string): VersionState {
  return {
    id,
    slot,
    life: "planned",
    issuer: "absent",
    leaked: false,
    proved: false,
    delivered: false,
    disabledAt: null,
    refused: false,
  };
}

/** Which exits an operator has now: going back only where that is still possible, forward only from the way back (H30). */
export function legalExits(state: RotationState): Exit[] {
  const exits: Exit[] = ["retry"];
  if (!isGoingBack(state) && mayReturn(state)) exits.push("back");
  if (isGoingBack(state) && forwardTarget(state) !== null) exits.push("forward");
  return exits;
}

/** The newest version that the walk could go to instead of the origin: usable, and enabled at the issuer now. */
export function forwardTarget(state: RotationState): string | null {
  const ahead = state.acceptable.filter((id) => {
    const version = state.versions[id];
    return id !== state.origin && version !== undefined && isUsable(version) && version.issuer === "enabled";
  });
  return ahead.at(-1) ?? null;
}

/** Which hold it is: when an operator was first called; 0 where none is waited for. */
export function holdOf({ operator }: Pick<RotationState, "operator">): number {
  return operator === null ? 0 : (operator.first ?? operator.since);
}

/** A step that failed: remembered with its age; where the answer was lost, what it acted on is unknown until asked. */
export function foldFailure(
  state: RotationState,
  event: Extract<RotationEvent, { type: "failed" }>,
): RotationState {
  const name = stepName(event.step);
  const same = state.trouble?.step === name ? state.trouble : null;
  const attempts = (same?.attempts ?? 0) + 1;
  const delayMs = state.policy.retryDelayMs * 2 ** Math.min(attempts - 1, 6);
  const troubled: RotationState = {
    ...state,
    change: Math.max(state.change, event.change ?? 0),
    ...(event.change === null ? {} : { changedAt: event.at, stale: true }),
    trouble: {
      step: name,
      code: event.code,
      sentence: event.sentence,
      since: same?.since ?? event.at,
      attempts,
      retryAt: event.at + delayMs,
      again: event.again,
    },
  };
  if (event.step.do === "probe" && event.code === "proof-failed")
    return countedAnew(troubled, event.step.version);
  return event.outcome === "unknown" ? markUnknown(troubled, event.step) : troubled;
}

/** A node let in what was refused before: only refusals in a row count (H27). */
function countedAnew(state: RotationState, id: string): RotationState {
  const version = state.versions[id];
  if (!version) return state;
  const anew: VersionState = { ...version, refusals: 0, refusedSince: null };
  return { ...state, versions: { ...state.versions, [id]: anew } };
}

/** The name under which a step's failures are counted. */
export function stepName(step: Step): string {
  if ("version" in step) return `${step.do}:${step.version}`;
  // A store that is away says nothing about the issuer.
  if (step.do === "seize" && step.places.length === 0) return "seize:slots";
  return step.do;
}

function markUnknown(state: RotationState, step: Step): RotationState {
  if (step.do === "deliver") {
    const place = state.places[step.place];
    if (!place) return state;
    const unknown: PlaceState = { ...place, unknown: true };
    return { ...state, places: { ...state.places, [step.place]: unknown } };
  }
  if (step.do === "seize") {
    return { ...state, seized: false };
  }
  // Sessions that were ended or not leave nothing to be settled: the next look counts them.
  if (!("version" in step) || step.do === "renew" || step.do === "probe") return state;
  const version = state.versions[step.version];
  // Of a copy nothing is at the issuer, and its slot is another version's.
  if (!version || version.orphan === "copy") return state;
  const slot = step.do === "issue" ? step.slot : version.slot;
  const versions = { ...state.versions, [version.id]: { ...version, slot, issuer: "unknown" as const } };
  // So is what it would have displaced.
  for (const other of step.do === "issue" && replacesInPlace(state) ? others(state) : [])
    if (other.slot === slot && other.issuer === "enabled")
      versions[other.id] = { ...other, issuer: "unknown" };
  return { ...state, versions };
}
