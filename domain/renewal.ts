/**
 * When a rotation of the very key that seals its own history has to go on in a new run: one begun before everybody sealed
 * with the new key could not be read any more once the old key is gone, and would itself keep it from going (H26).
 */
import { adoptedAt } from "./drain.js";
import { rolesOf } from "./roles.js";
import type { RotationState } from "./rotation/state.js";

/** One that waits for long goes on anew each day, whatever it was sealed with meanwhile. */
const renewEveryMs = 24 * 60 * 60_000;
const shortestLookMs = 1_000;

/**
 * True where the run that began at `begunAt` is to be followed by another one now. Twice the memory of those who tell
 * nobody has passed since everybody was seen on the target: then nothing is sealed with the other key any more.
 */
export function isOutgrown(state: RotationState, begunAt: number, now: number): boolean {
  const settled = settledAt(state);
  if (settled === null || state.closed !== null) return false;
  return now >= settled && (begunAt < settled || now - begunAt >= renewEveryMs);
}

/** How long one look lasts at most: not so long that a run which is soon outgrown would be in the middle of it. */
export function lookMsMaxOf(state: RotationState, begunAt: number, usualMs: number): number {
  if (state.traits.sealsHistories !== true || state.versions[state.target]?.delivered !== true)
    return usualMs;
  const settled = settledAt(state);
  const isRenewed = settled !== null && begunAt >= settled;
  return isRenewed ? usualMs : Math.min(usualMs, Math.max(shortestLookMs, graceMs(state)));
}

/** When nothing is sealed with the other key any more; null while that is not known, or matters to nobody. */
function settledAt(state: RotationState): number | null {
  if (state.traits.sealsHistories !== true || state.plan === null) return null;
  const adopted = adoptedAt(state, null);
  return adopted === null ? null : adopted + graceMs(state);
}

function graceMs({ traits }: RotationState): number {
  return 2 * Math.max(0, ...rolesOf(traits).map(({ memoryMs }) => memoryMs));
}
