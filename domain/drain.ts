/** Gate 8: how long nobody must have used a version, and from when on that is counted (H21, H22). */
import type { RotationState, VersionState } from "./rotation/state.js";

/**
 * The quiet period for a version: the policy's, and never less than the longest memory (pool life, cache
 * life, cadence) of the consumers that could hold it. A version that was never delivered was held by nobody.
 */
export function quietNeededMs(state: RotationState, version: VersionState): number {
  if (!version.delivered) return 0;
  // What has leaked does not wait for a cadence; the plan lists whom that breaks.
  if (state.emergency && version.leaked) return 0;
  const plan = state.amendments.at(-1) ?? state.plan;
  const memories = (plan?.consumers ?? []).map((consumer) => consumer.memoryMs);
  return Math.max(state.policy.quietPeriodMs, 0, ...memories);
}

/** When the version was first seen unused, not earlier than the last wave was told; null while it is in use. */
export function quietFrom(state: RotationState, version: VersionState): number | null {
  const quietSince = state.uses[version.id]?.quietSince ?? null;
  if (quietSince === null) return null;
  const told = Object.values(state.places).map((place) => place.toldAt ?? 0);
  return Math.max(quietSince, ...told);
}
