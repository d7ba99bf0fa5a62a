/**
 * The exit for when no other leads out (H30): two persons sign which version is live, and the walk leads there,
 * through every gate. It overrides what the engine believes of the way, and nothing that it has to see.
 */
import { tally } from "./decisions.js";
import type { Finding } from "./finding.js";
import { isGoingBack, isPastReturn, isUsable, mayReturn, retarget } from "./rotation/moves.js";
import type { RotationState, VersionState } from "./rotation/state.js";
import { isEnded } from "./version.js";

/** How many different persons have to sign it. */
export const personsNeeded = 2;

/**
 * What is signed instead of a plan's digest. It is about this rotation and about the time since an operator was
 * first called, so that what was signed for an earlier hold does not count for a later one.
 */
export function declarationDigest(state: RotationState, version: string): string {
  const { operator } = state;
  return `declare/${state.id}/${version}/${operator?.first ?? operator?.since ?? 0}`;
}

/** Versions that may be declared live now: clean ones that can be had, and to which neither `back` nor `forward` leads. */
export function declarable(state: RotationState): string[] {
  if (state.operator === null) return [];
  return state.acceptable.filter((id) => {
    const version = state.versions[id];
    if (version === undefined || id === state.target || !canBeHad(state, version)) return false;
    if (id !== state.origin) return !isGoingBack(state) || version.issuer !== "enabled";
    // Past a delivery that cannot be taken back somebody may have mended it by hand; past the origin's end nobody can.
    return !mayReturn(state) && !isPastReturn({ ...state, irreversible: false });
  });
}

function canBeHad(state: RotationState, version: VersionState): boolean {
  const { issuer } = version;
  const on = issuer === "enabled" || (issuer === "disabled" && state.traits.disableReversible);
  return isUsable(version) && on;
}

/** Who has signed that this version is live, as of `now`; only owners' persons count, each once. */
export function declaredBy(state: RotationState, version: string, now: number): readonly string[] {
  const plan = state.amendments.at(-1) ?? state.plan;
  const asked = { digest: declarationDigest(state, version), approvers: plan?.approvers ?? [] };
  const { agreed, vetoedBy } = tally(asked, state.decisions, state.policy, Number.POSITIVE_INFINITY, now);
  return vetoedBy === null ? agreed : [];
}

/** The walk to the version that two persons have declared live; the state itself where they have not, or may not. */
export function declared(state: RotationState, version: string, at: number): RotationState {
  const by = declaredBy(state, version, at);
  if (!declarable(state).includes(version) || by.length < personsNeeded) return state;
  const irreversible = version === state.origin ? false : state.irreversible;
  return { ...retarget(state, version), irreversible, declared: { version, by, at } };
}

/** What stays to be said of it until every other version is gone. */
export function declarationFindings(state: RotationState): Finding[] {
  const { declared: word } = state;
  if (word === undefined) return [];
  return Object.values(state.versions)
    .filter(({ id, life, issuer }) => id !== word.version && !isEnded(life) && issuer !== "absent")
    .map(({ id }) => ({
      code: "declared-live",
      severity: "warn",
      subject: id,
      sentence: `${word.by.join(" and ")} declared version ${word.version} live; version ${id} is not gone yet.`,
    }));
}
