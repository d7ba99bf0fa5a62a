/** Gate 7: when a wave counts as adopted, and how long it may take (H1, H10, H39). */
import { checkersMemoryMs } from "./roles.js";
import { others, targetOf } from "./rotation/moves.js";
import type { ConsumerState, RotationState, VersionState, Wave } from "./rotation/state.js";
import { allOn } from "./rotation/survey.js";
import { pass, type Verdict } from "./rotation/verdict.js";

/** How many equal listings of a consumer's instances make one that can be relied on. */
const listingsNeeded = 2;

/** True while the last look at the world was taken after the last change and is young enough to act on. */
export function isFresh(state: RotationState, now: number): boolean {
  return (
    state.surveyedAt !== null &&
    state.stale !== true &&
    now - state.surveyedAt <= state.policy.observationMaxAgeMs
  );
}

/** The first of these consumers that already fails: it must not be the one to judge the new version by (H39). */
export function firstRed(state: RotationState, consumers: readonly string[]): string | null {
  const red = consumers.find((id) => {
    const instances = state.consumers[id]?.instances ?? [];
    return instances.length === 0 || instances.some((instance) => !instance.working);
  });
  return red === undefined ? null : `Consumer ${red}`;
}

/** True when the last look, a fresh one, showed that nobody has the version, and no place in the store would give it out. */
export function isUnheld(state: RotationState, version: VersionState, now: number): boolean {
  const use = state.uses[version.id];
  const seen = Object.values(state.consumers);
  return (
    isFresh(state, now) &&
    use !== undefined &&
    use.sessions === 0 &&
    use.watermarkAt !== null &&
    use.watermarkAt === state.surveyedAt &&
    Object.values(state.places).every((place) => place.liveVersion !== version.id) &&
    seen.every(({ instances }) =>
      instances.every(
        ({ accepts, version: held }) => accepts !== undefined || (held !== null && held !== version.id),
      ),
    )
  );
}

/**
 * Passes when every instance of every consumer of the wave was freshly seen working on the target, in two
 * equal listings, since the wave was told, and has stayed so for the soak. Stuck when that has not come
 * about by the deadline; once another version is already off, an instance seen on it is reason enough.
 */
export function standing(state: RotationState, wave: Wave, now: number): Verdict {
  const { toldAt, settledAt } = wave.place === null ? published(state) : told(state, wave.place);
  const soakMs = state.emergency ? 0 : state.policy.adoptionSoakMs;
  let soakedAt = settledAt;
  // Absence of news is not news: look before anything is concluded from old facts.
  if (!isFresh(state, now)) return { is: "do", step: { do: "survey" } };
  for (const id of wave.consumers) {
    const seen = state.consumers[id];
    const fresh =
      seen !== undefined && seen.at >= toldAt && now - seen.at <= state.policy.observationMaxAgeMs;
    if (
      fresh &&
      seen.since !== null &&
      seen.stable >= listingsNeeded &&
      allOn(seen.instances, state.target)
    ) {
      soakedAt = Math.max(soakedAt, seen.since + soakMs);
      continue;
    }
    if (fresh && hasNeverLeft(state, wave, seen)) continue;
    const otherIsOff = others(state).some((other) => other.issuer === "disabled" && other.delivered);
    const strayed = seen?.instances.find(
      (instance) => instance.version !== null && instance.version !== state.target,
    );
    const reason = strayed
      ? `Consumer ${id}: instance ${strayed.instance} is on version ${strayed.version}.`
      : `Consumer ${id} was not seen working on version ${state.target}.`;
    const graceMs = otherIsOff ? state.policy.observationMaxAgeMs : state.policy.adoptionTimeoutMs;
    const begun = Math.max(
      settledAt,
      toldAt,
      seen?.lostAt ?? 0,
      state.resumedAt ?? 0,
      state.turned?.at ?? 0,
      otherIsOff ? state.changedAt : 0,
    );
    if (now >= begun + graceMs || (otherIsOff && strayed && !state.emergency)) return { is: "stuck", reason };
    return {
      is: "wait",
      until: begun + graceMs,
      for: `adoption. ${reason}`,
      who: `the owner of ${id}`,
      watch: true,
    };
  }
  if (now >= soakedAt) return pass;
  const what =
    soakedAt === settledAt
      ? "everybody who checks this version to have heard of it"
      : "the soak of this wave";
  return { is: "wait", until: soakedAt, for: what, who: "time", watch: true };
}

/**
 * True on the way back for a consumer whose place was told of nothing else in this rotation, and of which nothing says that it is
 * elsewhere or fails. Of one that only a person's word tells of, the word would be about a version that it had no way to leave.
 */
function hasNeverLeft(state: RotationState, { place }: Wave, { instances }: ConsumerState): boolean {
  const known = place === null ? undefined : state.places[place];
  return (
    known !== undefined &&
    known.toldAt === null &&
    known.liveVersion === state.target &&
    !known.unknown &&
    instances.length > 0 &&
    instances.every(({ version, working }) => working && (version === null || version === state.target))
  );
}

/** From when on a wave is observed, and when it is not too early any more whatever is seen. */
interface Beginning {
  readonly toldAt: number;
  readonly settledAt: number;
}

function told(state: RotationState, place: string): Beginning {
  return { toldAt: state.places[place]?.toldAt ?? state.startedAt, settledAt: 0 };
}

/**
 * Whoever takes a version from the issuer hears of it when its memory of what was there before has run out. A
 * version that was never off in this rotation is known to everybody.
 */
function published(state: RotationState): Beginning {
  const { enabledAt } = targetOf(state);
  if (enabledAt === undefined) return { toldAt: state.startedAt, settledAt: 0 };
  return { toldAt: enabledAt, settledAt: enabledAt + checkersMemoryMs(state) };
}
