/**
 * Gate 9, what comes after the switch (H27): a version counts as revoked when it was refused several times over the
 * time that the issuer's nodes need to agree, and when what was taken with it has ended or run out.
 */
import { count } from "./count.js";
import { formatDuration } from "./duration.js";
import { isDisplaced } from "./rotation/moves.js";
import type { RotationState, VersionState } from "./rotation/state.js";
import { pass, type Verdict } from "./rotation/verdict.js";

/** How many refusals in a row, the one right after the switch among them, spread evenly over the propagation time. */
const refusalsOverTime = 3;

/** A switch is proved with the switch; what was replaced in its place has been tried by nobody. */
function refusalsNeeded(state: RotationState, { id }: VersionState): number {
  if (state.traits.propagationMs > 0) return refusalsOverTime;
  return isDisplaced(state, id) ? 1 : 0;
}

/** Passes once the version was refused often and long enough, and nothing lives any more that was taken with it. */
export function revoked(state: RotationState, version: VersionState, now: number): Verdict {
  const { id, slot, refusals = 0, refusedSince = null, disabledAt } = version;
  const { propagationMs } = state.traits;
  if (version.untried) {
    // Nothing is left to try: then only the time is waited for that the nodes need, and the end says so (I5).
    const heardBy = (disabledAt ?? 0) + propagationMs;
    if (now < heardBy) return untilHeard(id, heardBy);
  } else if (refusals < refusalsNeeded(state, version)) {
    const due = (refusedSince ?? 0) + Math.ceil((propagationMs * refusals) / (refusalsOverTime - 1));
    if (now >= due) return { is: "do", step: { do: "probe", version: id, slot } };
    return untilHeard(id, due);
  }
  const lastMs = Math.max(0, ...outliving(state).map(({ maxLifeMs }) => maxLifeMs ?? 0));
  const until = (disabledAt ?? 0) + propagationMs + lastMs;
  if (lastMs === 0 || !mayHaveChildren(version) || now >= until) return pass;
  return { is: "wait", until, for: `what was taken with ${id} to run out`, who: "time", watch: true };
}

function untilHeard(id: string, until: number): Verdict {
  return {
    is: "wait",
    until,
    for: `every node to have heard that ${id} is disabled`,
    who: "time",
    watch: true,
  };
}

/** A version that nobody ever held has nothing that was taken with it. */
function mayHaveChildren({ delivered, leaked }: VersionState): boolean {
  return delivered || leaked;
}

/** What disabling does not end. */
function outliving({ traits }: RotationState): RotationState["traits"]["derives"] {
  return traits.derives.filter(({ endedByDisable }) => !endedByDisable);
}

/** What the end of a rotation says of the versions that it revoked, as of `now`; empty where a switch is all there is to it. */
export function revocations(state: RotationState, now: number): string {
  const { propagationMs } = state.traits;
  return Object.values(state.versions)
    .flatMap((version) => {
      const { id, disabledAt, refusals = 0 } = version;
      if (disabledAt === null || id === state.target || !mayHaveChildren(version)) return [];
      const refused = version.untried
        ? [
            `${id} was tried by nobody, because no copy of it was left; that it is refused rests on the switch`,
          ]
        : propagationMs > 0
          ? [`${id} was refused ${count(refusals, "time")} in a row over ${formatDuration(propagationMs)}`]
          : [];
      const children = outliving(state).map(({ what, maxLifeMs }) => {
        if (maxLifeMs === null)
          return `${what} that were taken with ${id} were not ended, and have no known end`;
        const ended = now >= disabledAt + propagationMs + maxLifeMs;
        return `${what} that were taken with ${id} ${ended ? "were waited out" : "were not waited out"} (${formatDuration(maxLifeMs)})`;
      });
      return [...refused, ...children];
    })
    .join("; ");
}
