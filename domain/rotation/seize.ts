/**
 * What a seize settles. An answer that was lost is neither assumed nor guessed: the tag is replaced, so that an
 * earlier attempt can do nothing any more, and what was found there says what had happened (H3, H8).
 */
import { parseTag, type TagState } from "../fence.js";
import { allows, isEnded, type LifeEvent, step } from "../version.js";
import { onwards } from "./course.js";
import type { RotationEvent, SlotFact } from "./events.js";
import { displaced, held, isPastReturn, movedForGood, overlapFrom, pastRefusing } from "./moves.js";
import type { RotationState, VersionState } from "./state.js";

/**
 * After a seize the tags are ours and known, and an earlier attempt can do nothing any more. What it did
 * before is read from the slot: the tag that was found there names version and state.
 */
export function seized(
  state: RotationState,
  event: Extract<RotationEvent, { type: "seized" }>,
): RotationState {
  const bySlot = new Map(event.slots.map((slot) => [slot.slot, slot]));
  const settled = Object.fromEntries(
    Object.values(state.versions).map((version) => {
      const slot = bySlot.get(version.slot);
      return [version.id, slot ? settle(version, slot, event.at, isAlone(state, version)) : version];
    }),
  );
  const versions = { ...settled };
  for (const { tag } of event.slots) {
    const there = parseTag(tag);
    if (there?.state === "enabled" && there.version in versions)
      Object.assign(versions, displaced({ ...state, versions: { ...versions } }, there.version, event.at));
  }
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
  const after: RotationState = {
    ...state,
    versions,
    places,
    tags,
    seized: state.seized || (event.epoch === state.epoch && isWhole(state, event)),
    change: Math.max(state.change, event.change),
    changedAt: event.at,
    stale: true,
    trouble: troubleLeft(state, event),
  };
  // Two persons have said that who could not be moved back was mended by hand (H30).
  const isMended = state.declared !== undefined && state.declared.version === state.target;
  const moved =
    !isMended &&
    event.places.some(({ place, liveVersion }) => movedForGood(state, liveVersion, readersOf(state, place)));
  const overlapSince = overlapFrom(after, event.at);
  const freeSlots = state.freeSlots.filter((slot) => !isTakenAgain(state, after, slot));
  return onwards(
    pastRefusing({ ...after, overlapSince, freeSlots, irreversible: moved || isPastReturn(after) }),
    event.at,
  );
}

/** A version that was gone is there again. */
function isTakenAgain(before: RotationState, after: RotationState, slot: string): boolean {
  return Object.values(after.versions).some(({ id, slot: its, life }) => {
    const earlier = before.versions[id];
    return its === slot && !isEnded(life) && earlier !== undefined && isEnded(earlier.life);
  });
}

/** A leak may be fenced off and revoked while a store is away; the fences are ours only once every place has one. */
function isWhole(state: RotationState, event: Extract<RotationEvent, { type: "seized" }>): boolean {
  return Object.keys(state.places).every((name) => event.places.some(({ place }) => place === name));
}

/**
 * Only its own failures end here: a step whose answer is lost every time must not be tried for ever. A disable that
 * another tag held off has had it settled, and is tried on; for how long is counted from when it first failed.
 */
function troubleLeft(
  state: RotationState,
  event: Extract<RotationEvent, { type: "seized" }>,
): RotationState["trouble"] {
  const { trouble, versions } = state;
  if (trouble === null || trouble.step === "seize:slots") return null;
  if (trouble.step === "seize") return isWhole(state, event) || event.places.length > 0 ? null : trouble;
  const settled = event.slots.some(({ slot }) =>
    Object.values(versions).some(
      (version) => version.leaked && version.slot === slot && trouble.step === `disable:${version.id}`,
    ),
  );
  return settled && trouble.code === "fenced"
    ? { ...trouble, code: "unknown-outcome", again: true, retryAt: event.at }
    : trouble;
}

function readersOf(state: RotationState, place: string): string[] {
  const plan = state.amendments.at(-1) ?? state.plan;
  return (plan?.consumers ?? []).filter((consumer) => consumer.place === place).map(({ id }) => id);
}

/** No other version that has not ended has the slot. */
function isAlone({ versions }: RotationState, { id, slot }: VersionState): boolean {
  return !Object.values(versions).some(
    (other) => other.id !== id && other.slot === slot && other.issuer !== "absent" && !isEnded(other.life),
  );
}

function settle(found: VersionState, slot: SlotFact, at: number, alone: boolean): VersionState {
  const tag = parseTag(slot.tag);
  if (tag === null || tag.version !== found.id) {
    const issuer = found.issuer === "unknown" ? lastKnown(found) : found.issuer;
    // The slot is as it was before this version was made there, or nobody is let in: an issuer that was put back. The
    // value is in the store, from which it is made valid again.
    const isLost = alone && issuer === "enabled" && (tag !== null || !slot.enabled);
    if (isLost) return off(found, at);
    return found.issuer === "unknown" ? { ...found, issuer, proved: false } : found;
  }
  // Whatever was made there is of no use, and what it displaced is gone: it is made again (H11).
  if (slot.unkept) return { ...found, issuer: "absent", proved: false, unkept: true };
  const standing = standingOf(tag.state, slot.enabled);
  // It was gone, and the issuer has it again: only a restore does that, and what was revoked is so no longer (I5).
  const version = standing === "destroyed" ? held(found) : moved(held(found), "reappear");
  switch (standing) {
    case "enabled": {
      if (version.issuer === "enabled") return version;
      const move: LifeEvent = version.life === "planned" ? "issue" : "enable";
      const on = {
        issuer: "enabled",
        enabledAt: at,
        proved: false,
        disabledAt: null,
        refused: false,
      } as const;
      return { ...moved(version, move), ...on };
    }
    case "disabled":
      // The switch is off, but nobody saw yet that sessions ended and the value is refused: `refused` stays false.
      return off(version, at);
    case "destroyed":
      // At the issuer only: its copies may still be in the store, so its life has not ended yet.
      return { ...moved(version, "disable"), issuer: "destroyed", proved: false };
  }
}

/** A version that nobody is let in with, as far as the slot says. */
function off(version: VersionState, at: number): VersionState {
  return {
    ...moved(version, "disable"),
    issuer: "disabled",
    proved: false,
    disabledAt: version.disabledAt ?? at,
    refused: version.issuer === "disabled" && version.refused,
  };
}

/** What a slot without our tag leaves of a version: nothing if it was never made, else what its life says. */
function lastKnown(version: VersionState): VersionState["issuer"] {
  if (version.life === "planned") return "absent";
  return version.life === "disabled" ? "disabled" : "enabled";
}

/** The switch outranks the tag: somebody else may have moved it, and did not write what they did. */
function standingOf(tagged: TagState, on: boolean): TagState {
  if (tagged === "destroyed") return "destroyed";
  return on ? "enabled" : "disabled";
}

/** The version one stage further where its life allows that; a switch that somebody else moved has no stage. */
function moved(version: VersionState, event: LifeEvent): VersionState {
  return allows(version.life, event) ? { ...version, life: step(version.life, event) } : version;
}
