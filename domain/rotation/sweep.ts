/**
 * Taking away what is nobody's, as a rotation that leads to the version that is live: the same gates see to it that
 * every consumer works on that one and nobody uses the other, before anything is switched off (I2).
 */
import { parseTag } from "../fence.js";
import type { Orphan } from "../reconcile.js";
import { plannedVersion } from "./moves.js";
import type { RotationState, VersionState } from "./state.js";

/** The state of a rotation that was just opened, as one that makes nothing and takes the orphans away. */
export function sweeping(initial: RotationState, orphans: readonly Orphan[]): RotationState {
  const known = Object.values(initial.versions).filter(({ id }) => id !== initial.target);
  const origin = initial.versions[initial.origin];
  const found = orphans
    .filter((orphan) => orphan.version !== initial.origin)
    .filter((orphan) => orphan.found === "copy" || orphan.slot !== origin?.slot)
    .map(orphaned);
  const versions = [...known, ...found].map((version) => [version.id, version]);
  const free = Object.entries(initial.tags)
    .filter(([slot, tag]) => parseTag(tag) === null || found.every((version) => version.slot !== slot))
    .map(([slot]) => slot);
  return {
    ...initial,
    target: initial.origin,
    acceptable: [initial.origin],
    versions: Object.fromEntries(versions),
    freeSlots: initial.freeSlots.filter((slot) => free.includes(slot)),
  };
}

function orphaned({ version, slot, found }: Orphan): VersionState {
  const base = { ...plannedVersion(version, slot), orphan: found };
  return found === "slot"
    ? { ...base, life: "retiring", issuer: "enabled", delivered: true }
    : { ...base, life: "disabled", issuer: "destroyed", refused: true };
}
