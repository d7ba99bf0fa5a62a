/** How sure an edge is: what was seen outweighs what somebody wrote, and that outweighs what only could be. */

import { isSeen } from "./current.js";
import { estateSource } from "./declared.js";
import type { Evidence, EvidenceKind, GraphEdge } from "./types.js";

/** From the weakest to the strongest. */
const strength: Readonly<Record<EvidenceKind, number>> = {
  ...{ potential: 0, declared: 1, met: 2, read: 3, session: 4 },
};

/** The strongest way in which an edge is known; an edge without any evidence is one that only could be. */
export function bestKnown({ evidence }: Pick<GraphEdge, "evidence">): EvidenceKind {
  return strongest(evidence)?.kind ?? "potential";
}

/**
 * The piece of evidence that says most: of the strongest kind, and of those the latest; what a source says before what the estate
 * does, which says the same of every use.
 */
export function strongest(evidence: readonly Evidence[]): Evidence | undefined {
  const isSaid = ({ source }: Evidence) => Number(source !== estateSource);
  return [...evidence]
    .sort((a, b) => byStrength(a.kind, b.kind) || isSaid(a) - isSaid(b) || a.lastSeen - b.lastSeen)
    .at(-1);
}

/** The weakest link of a way; of no edge at all it is as sure as can be. */
export function weakest(way: readonly GraphEdge[]): EvidenceKind {
  return way.map(bestKnown).sort(byStrength)[0] ?? "session";
}

/** When something was last seen on an edge, and not only written down or possible; null where it never was. */
export function lastSeenUse({ evidence }: Pick<GraphEdge, "evidence">): number | null {
  const seen = evidence.filter(isSeen);
  return seen.length === 0 ? null : Math.max(...seen.map(({ lastSeen }) => lastSeen));
}

/** Orders edges by how they are known, the weakest first. */
export function byKnown(one: Pick<GraphEdge, "evidence">, other: Pick<GraphEdge, "evidence">): number {
  return byStrength(bestKnown(one), bestKnown(other));
}

function byStrength(a: EvidenceKind, b: EvidenceKind): number {
  return strength[a] - strength[b];
}
