/**
 * What a leak does to a running rotation: it takes versions out of the acceptable set, and where the walk was
 * leading to one of them, another target is chosen (H5, H24, H25). The walk itself does not change.
 */
import { chooseAnother } from "./rotation/course.js";
import type { RotationEvent } from "./rotation/events.js";
import type { Emergency, RotationState } from "./rotation/state.js";
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
 * The state after an incident. A leak of what no longer lives changes nothing. A target that leaked is
 * replaced: by a version that is clean, else by a third one in a free slot, else by one in the slot of a
 * leaked version, which then has to be emptied first: an outage that containment asks for anyway, and that the
 * plan states.
 */
export function applyIncident(
  state: RotationState,
  event: Extract<RotationEvent, { type: "incident" }>,
): RotationState {
  const leaked = leakedBy({ kind: "versions", ids: event.leaked }, state);
  if (leaked.length === 0) return state;
  const versions = Object.fromEntries(
    Object.values(state.versions).map((version) => [
      version.id,
      leaked.includes(version.id) ? { ...version, leaked: true } : version,
    ]),
  );
  const alarmed: RotationState = {
    ...state,
    versions,
    acceptable: state.acceptable.filter((id) => !leaked.includes(id)),
    emergency: stricter(state.emergency, { ...event.emergency, containment: event.containment }),
    // A new cause: the walk may turn once more, and nobody's old hold stops containment.
    turned: null,
    operator: null,
    trouble: null,
    refused: null,
    resumedAt: event.at,
  };
  return versions[state.target]?.leaked ? { ...chooseAnother(alarmed, event.at), turned: null } : alarmed;
}

/** A second report never loosens the first: the earlier deadlines and the harder containment stand. */
function stricter(before: Emergency | null, now: Emergency): Emergency {
  if (before === null) return now;
  return {
    ...now,
    containment: before.containment === "revoke-now" ? "revoke-now" : now.containment,
    startedAt: before.startedAt,
    containBy: Math.min(before.containBy, now.containBy),
    signOffBy: Math.min(before.signOffBy, now.signOffBy),
    responders: [...new Set([...before.responders, ...now.responders])],
  };
}
