/** Gate 8: how long nobody must have used a version, and from when on that is counted (H21, H22, H23). */

import type { QuietSpan } from "./last-reading.js";
import { derivedLifeMs, usersMemoryMs } from "./roles.js";
import { isGoingBack, others, targetOf } from "./rotation/moves.js";
import type { RotationState, VersionState } from "./rotation/state.js";

/**
 * The quiet period for a version: the policy's, and never less than the longest memory (pool life, cache
 * life, cadence) of the consumers that could hold it, nor than the life of what they made with it and would lose
 * (H27). A version that was never delivered was held by nobody.
 */
export function quietNeededMs(state: RotationState, version: VersionState): number {
  if (!version.delivered) return 0;
  // What has leaked does not wait for a cadence; the plan lists whom that breaks.
  if (state.emergency && version.leaked) return 0;
  return Math.max(state.policy.quietPeriodMs, usersMemoryMs(state), derivedLifeMs(state.traits));
}

/** When the version was first seen unused, not earlier than the last wave was told; null while it is in use. */
export function quietFrom(state: RotationState, version: VersionState): number | null {
  const quietSince = state.uses[version.id]?.quietSince ?? null;
  if (quietSince === null) return null;
  const told = Object.values(state.places).map((place) => place.toldAt ?? 0);
  return Math.max(quietSince, ...told);
}

/** The time under observation after a version was switched off; null where there is none, or nobody held it, or it has leaked. */
export function soakSpan(state: RotationState, version: VersionState): QuietSpan | null {
  const { disabledAt, leaked, delivered } = version;
  if (disabledAt === null || leaked || !delivered) return null;
  return { from: disabledAt, until: disabledAt + state.policy.disableSoakMs };
}

/**
 * The time that has to have been without a use before the next step takes something away, which may end ahead: what is read from
 * its end on tells whether somebody reads who has no session. Before a version is switched off it is from when the first of them
 * was quiet to when all of them had been for as long as is asked; before one is destroyed it is its soak, for whoever read it in
 * that can still have it back. Null while one is in use, and where nobody waits for it: on the way back, which needs no leave, and
 * in an emergency.
 */
export function quietSpan(state: RotationState): QuietSpan | null {
  if (isGoingBack(state) || state.emergency !== null || !targetOf(state).delivered) return null;
  const spans = others(state).flatMap((version): (QuietSpan | null)[] => {
    if (version.issuer === "disabled") {
      const soak = soakSpan(state, version);
      // Without a soak the reading before the switch has shown all that there is.
      return soak === null || soak.until <= soak.from ? [] : [soak];
    }
    if (version.issuer !== "enabled" || !version.delivered) return [];
    const from = quietFrom(state, version);
    return [from === null ? null : { from, until: from + quietNeededMs(state, version) }];
  });
  const known = spans.filter((one) => one !== null);
  if (known.length === 0 || known.length < spans.length) return null;
  return {
    from: Math.min(...known.map(({ from }) => from)),
    until: Math.max(...known.map(({ until }) => until)),
  };
}

/**
 * Where sessions do not tell versions (H23): the time before which a session may have been begun with another version
 * than the target. It is when every instance of the consumer was first seen to work on the target; of a session
 * that belongs to no consumer (`null`), or of one that is not of this plan, when the last of them was. `null` while
 * that has not come about: then any session may be another version's.
 */
export function adoptedAt(state: RotationState, consumer: string | null): number | null {
  const plan = state.amendments.at(-1) ?? state.plan;
  const since = (plan?.consumers ?? []).map(({ id }) => ({ id, since: state.consumers[id]?.since ?? null }));
  const own = since.find(({ id }) => id === consumer);
  if (own) return own.since;
  const times = since.map((one) => one.since);
  return times.length === 0 || times.includes(null)
    ? null
    : Math.max(...times.filter((time) => time !== null));
}

/**
 * How many sessions may still be ones of `version`. `sessions` are counted by the version that they tell, or, where
 * they tell none, all that began before their consumer had adopted; nobody has a session of what nobody was given.
 */
export function sessionsOf(
  state: RotationState,
  version: VersionState,
  sessions: readonly CountedSessions[],
): number {
  const tells = state.traits.sessionsTellVersions;
  const counted = sessions.filter(({ slot, oldestAt, consumer }) => {
    if (tells) return slot === version.slot;
    const adopted = adoptedAt(state, consumer);
    return adopted === null || oldestAt < adopted;
  });
  if (!tells && (!version.delivered || version.id === targetOf(state).id)) return 0;
  return counted.reduce((sum, { count }) => sum + count, 0);
}

/** Sessions of the account that a look found, of one consumer; `oldestAt` on the clock by which the state is dated. */
export interface CountedSessions {
  readonly slot: string | null;
  readonly consumer: string | null;
  readonly count: number;
  readonly oldestAt: number;
}

/**
 * True when sessions that were begun before adoption stand in the way and are to be ended now, while both versions are
 * valid: a pool that lives for ever would never show that the new version works for it (H23, H39).
 */
export function needsRenewal(state: RotationState, version: VersionState): boolean {
  const use = state.uses[version.id];
  return (
    !state.traits.sessionsTellVersions &&
    use !== undefined &&
    use.sessions > 0 &&
    use.watermarkAt !== null &&
    use.watermarkAt === state.surveyedAt
  );
}
