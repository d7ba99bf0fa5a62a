/** Where the walk goes when its target can no longer be had: it leaked, or a step in flight has ended it (H5, H25). */
import { isEnded } from "../version.js";
import { isUsable, mayMakeRoom, retarget, spareId, thirdVersion, turnedBack } from "./moves.js";
import type { RotationState, VersionState } from "./state.js";

/**
 * The walk as it goes on after a change. A cancellation or an incident may have come while the step that ends
 * its new target was in flight; that step cannot be cancelled, so another target is chosen.
 */
export function onwards(state: RotationState, at: number): RotationState {
  const target = state.versions[state.target];
  if (target === undefined || canBeHad(state, target)) return state;
  const { turned, objections } = state;
  // Whoever ordered the turn was too late with it, and is told so (H38).
  const late = turned?.by === undefined ? [] : [`${turned.by}: ${turned.reason}`];
  return { ...chooseAnother({ ...state, objections: [...objections, ...late] }, at), turned: null };
}

function canBeHad(state: RotationState, version: VersionState): boolean {
  // The origin may be as good as ever: who cannot be moved back holds another one (H29).
  if (version.id === state.origin && state.irreversible) return false;
  return isUsable(version) && (version.issuer !== "disabled" || state.traits.disableReversible);
}

/**
 * The walk towards the best version that can still be had: one that is enabled and clean, one that can be
 * enabled again, one that was never made, a third one in a free slot, or a third one in the slot of a leaked
 * version. Where there is none at all it stays as it is, and the gates say so.
 */
export function chooseAnother(state: RotationState, at: number): RotationState {
  const rank = { enabled: 0, disabled: 1, absent: 2, unknown: 3, destroyed: 4 };
  const clean = state.acceptable
    .map((id) => state.versions[id])
    .filter((version): version is VersionState => version !== undefined && canBeHad(state, version))
    .reverse()
    .sort((a, b) => rank[a.issuer] - rank[b.issuer])[0];
  if (clean) return retarget(state, clean.id);
  const third = thirdVersion(state) ?? inSlotToEmpty(state);
  if (third === null) return state;
  return turnedBack(state, { at, ...third, reason: "no version that was in use can be used on" });
}

/** Of the slots that may be emptied, the one whose version the fewest instances hold; of equals, one that no place gives out. */
function inSlotToEmpty(state: RotationState): { target: string; slot: string } | null {
  const id = spareId(state);
  const holders = (version: VersionState) =>
    Object.values(state.consumers)
      .flatMap((consumer) => consumer.instances)
      .filter((instance) => instance.version === version.id).length;
  // What the store still gives out cannot be purged there yet.
  const given = ({ id: version }: VersionState) =>
    Object.values(state.places).some(({ liveVersion }) => liveVersion === version);
  const least = Object.values(state.versions)
    .filter((version) => mayMakeRoom(state, version) && !isEnded(version.life))
    .reverse()
    .sort((a, b) => holders(a) - holders(b) || Number(given(a)) - Number(given(b)))[0];
  return id === null || least === undefined ? null : { target: id, slot: least.slot };
}
