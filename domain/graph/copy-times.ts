/**
 * When copies of credentials came and ended. What the map is asked about copies it works out from what is so now; whoever asks what
 * has changed wants those that are over, too, and since when each of them was one.
 */
import { copyEdges, type Meeting } from "./copies.js";
import type { GraphEdge } from "./types.js";

/** One value of a credential at a place, as one source met it, from when it could be told for as long as it was there and may have been accepted. */
export interface Stay extends Omit<Meeting, "count"> {
  readonly learntAt: number;
  /** Null while it is so. */
  readonly endedAt: number | null;
}

/** For how long a place was one where a credential is kept by the estate's word: there its value is no copy. */
export interface Kept {
  readonly credential: string;
  readonly place: string;
  readonly since: number;
  /** Null while it is so. */
  readonly endedAt: number | null;
}

/**
 * The edges to copies that there are or were, one for each credential and place, and `past`: those that came back, as they were before.
 * One that came back was learnt of again then, and its record begins with its first day, as for every edge of the map.
 */
export function copiesOverTime(
  stays: readonly Stay[],
  kept: readonly Kept[],
): { readonly edges: GraphEdge[]; readonly past: GraphEdge[] } {
  const keptAt = Map.groupBy(kept, pairOf);
  const copies = stays.flatMap((stay) => (keptAt.get(pairOf(stay)) ?? []).reduce(without, [stay]));
  const [edges, past]: [GraphEdge[], GraphEdge[]] = [[], []];
  for (const pair of Map.groupBy(copies, pairOf).values()) {
    const firstSeen = Math.min(...pair.map((stay) => stay.firstSeen));
    const times = timesOf(pair);
    for (const [index, time] of times.entries())
      (index === times.length - 1 ? edges : past).push(...edgeOver(time, firstSeen));
  }
  return { edges, past };
}

function pairOf({ credential, place }: { readonly credential: string; readonly place: string }): string {
  return `${credential} ${place}`;
}

const endOf = ({ endedAt }: { readonly endedAt: number | null }) => endedAt ?? Number.POSITIVE_INFINITY;

/** What is left of them before and after a place was one where the credential is kept. */
function without(stays: readonly Stay[], kept: Kept): Stay[] {
  return stays.flatMap((stay) => {
    const before = kept.since > stay.learntAt ? [{ ...stay, endedAt: earlier(stay, kept.since) }] : [];
    const after =
      endOf(kept) < endOf(stay) ? [{ ...stay, learntAt: Math.max(stay.learntAt, endOf(kept)) }] : [];
    return [...before, ...after];
  });
}

function earlier(stay: Stay, at: number): number {
  return Math.min(endOf(stay), at);
}

/** The stays of one credential and place by the time for which there was a copy without a gap, the first time first. */
function timesOf(stays: readonly Stay[]): Stay[][] {
  const times: Stay[][] = [];
  let end = Number.NEGATIVE_INFINITY;
  for (const stay of stays.toSorted((a, b) => a.learntAt - b.learntAt)) {
    // Where one value took another's place without a gap, the copy has not gone.
    if (stay.learntAt > end) times.push([]);
    times.at(-1)?.push(stay);
    end = Math.max(end, endOf(stay));
  }
  return times;
}

/** One such time: as the copy stood at its end, or stands now. */
function edgeOver(time: readonly Stay[], firstSeen: number): GraphEdge[] {
  const end = Math.max(...time.map(endOf));
  const latest = time.filter((stay) => endOf(stay) === end);
  const learntBy = (some: readonly Stay[]) => Math.min(...some.map(({ learntAt }) => learntAt));
  const bySource = Map.groupBy(time, ({ source }) => source);
  return copyEdges(meetingsOf(latest)).map((edge) => ({
    ...edge,
    ...{ firstSeen, learntAt: learntBy(time), endedAt: Number.isFinite(end) ? end : null },
    evidence: edge.evidence.map((one) => ({ ...one, learntAt: learntBy(bySource.get(one.source) ?? time) })),
  }));
}

/** As each source met it. */
function meetingsOf(stays: readonly Stay[]): Meeting[] {
  return [...Map.groupBy(stays, ({ source }) => source).values()].map((met) => ({
    ...(met[0] as Stay),
    literal: met.some(({ literal }) => literal),
    past: met.every(({ past }) => past),
    sentence: met.map(({ sentence }) => sentence).sort()[0] as string,
    count: met.length,
    firstSeen: Math.min(...met.map(({ firstSeen }) => firstSeen)),
    lastSeen: Math.max(...met.map(({ lastSeen }) => lastSeen)),
  }));
}
