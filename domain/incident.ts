/**
 * What a leak does to a running rotation: it takes versions out of the acceptable set, and where the walk was
 * leading to one of them, another target is chosen (H5, H24, H25). The walk itself does not change.
 */
import type { RotationEvent } from "./rotation/events.js";
import { retarget, thirdVersion, turnedBack } from "./rotation/moves.js";
import type { RotationState } from "./rotation/state.js";
import { isEnded } from "./version.js";

/** Which version a reported value turned out to be. `unknown`: it matched nothing, so anything may have leaked. */
export type LeakMatch =
  | { readonly kind: "versions"; readonly ids: readonly string[] }
  | { readonly kind: "unknown" };

/** The versions to treat as leaked: the matched ones that still live, or every living one when nothing matched. */
export function leakedBy(match: LeakMatch, state: Pick<RotationState, "versions">): string[] {
  const living = Object.values(state.versions).filter(
    (version) => !isEnded(version.life) && version.issuer !== "absent",
  );
  if (match.kind === "unknown") return living.map((version) => version.id);
  return living.map((version) => version.id).filter((id) => match.ids.includes(id));
}

/**
 * The state after an incident. A target that leaked is replaced: by the origin where that is clean, else by a
 * third version in a free slot, else by one in the slot of a leaked version, which then has to be emptied
 * first: an outage that containment asks for anyway, and that the plan states.
 */
export function applyIncident(
  state: RotationState,
  event: Extract<RotationEvent, { type: "incident" }>,
): RotationState {
  const versions = { ...state.versions };
  for (const id of event.leaked) {
    const version = versions[id];
    if (version) versions[id] = { ...version, leaked: true };
  }
  const alarmed: RotationState = {
    ...state,
    versions,
    acceptable: state.acceptable.filter((id) => !event.leaked.includes(id)),
    emergency: { ...event.emergency, containment: event.containment },
    // A new cause: the walk may turn once more, and nobody's old hold stops containment.
    turned: null,
    operator: null,
    trouble: null,
    refused: null,
    resumedAt: event.at,
  };
  if (!event.leaked.includes(state.target)) return stayOrAdvance(alarmed, event.at);
  return { ...chooseAnother(alarmed, event.at), turned: null };
}

/** Going back to a version that has just leaked turns round to the newer one, if that one is clean and alive. */
function stayOrAdvance(state: RotationState, at: number): RotationState {
  const target = state.versions[state.target];
  return target?.leaked ? chooseAnother(state, at) : state;
}

function chooseAnother(state: RotationState, at: number): RotationState {
  const alive = state.acceptable
    .map((id) => state.versions[id])
    .filter((version) => version !== undefined && !isEnded(version.life) && version.issuer === "enabled");
  const known = alive.at(-1);
  if (known) return retarget(state, known.id);
  const third = thirdVersion(state) ?? inLeakedSlot(state);
  if (third === null) return state;
  return turnedBack(state, { at, ...third, reason: "the versions in use have leaked" });
}

/** The slot of the leaked version that consumers are least likely to hold: the newest one. */
function inLeakedSlot(state: RotationState): { target: string; slot: string } | null {
  const id = state.spareIds.find((spare) => !(spare in state.versions));
  const leaked = Object.values(state.versions).filter((version) => version.leaked && !isEnded(version.life));
  const newest = leaked.at(-1);
  return id === undefined || newest === undefined ? null : { target: id, slot: newest.slot };
}
