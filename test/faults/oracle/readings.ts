/**
 * What the sources are worth to a rotation: the old version stays until each of them was read to its end behind the delivery, and
 * whoever only a source shows is named, and keeps it until somebody has answered for them, or, where they are a consumer's copy, for
 * the quiet period after they have fetched it last (I2, H21).
 */
import { pinnedQuietMs, strangerQuietMs } from "../house/estate.js";
import type { Seen } from "../seam/witness.js";

/** What a visit of somebody showed whom nobody declared. */
export interface Visited {
  /** What a source calls them. */
  readonly name: string;
  /** When they had fetched the old value, in ms since the epoch; null where the rotation was over before. */
  readonly fetchedAt: number | null;
  /** The rotation said who it was, as something that stands in its way. */
  readonly isNamed: boolean;
  /** The old version was seen switched off, and nobody had answered for them. */
  readonly isLost: boolean;
}

/** What a copy of a consumer did that has pinned the old version, and what became of that. Times are milliseconds since the epoch. */
export interface PinnedVisit {
  /** The consumer. */
  readonly name: string;
  /** When it fetched the old version: when each fetch was begun, and when it was answered. */
  readonly reads: readonly { readonly begunAt: number; readonly endedAt: number }[];
  /** The rotation said that the consumer has read this version. */
  readonly isNamed: boolean;
  /** By when the old version was seen switched off; null where it was not for as long as it had to stay. */
  readonly closedAt: number | null;
}

/** Several clocks are asked, each over a connection: what is closer together is not told apart. */
const clocksMs = 500;

const delivery = /^deliver\.store\.promote\./;

/** Which of the sources were not read to their end between the delivery and `revokedAt`, in milliseconds since the epoch. */
export function unreadAt(seen: readonly Seen[], sources: readonly string[], revokedAt: number): string[] {
  const told = seen.findLast(
    ({ point, what, at }) => what === "begin" && delivery.test(point) && at < revokedAt,
  );
  if (told === undefined) return [];
  return sources.filter((name) => {
    const calls = seen.filter(({ point, at }) => point.startsWith(`scan_${name}.`) && at < revokedAt);
    const readings = Map.groupBy(calls, ({ execution }) => execution);
    return ![...readings.values()].some((reading) => isWhole(reading, told.at));
  });
}

/** One attempt that began behind that time, met no part that failed, and whose end was kept. */
function isWhole(reading: readonly Seen[], since: number): boolean {
  const parts = reading.filter(({ point }) => /\.source\.scan\./.test(point));
  const first = parts.find(({ what }) => what === "begin");
  const isEnded = reading.some(
    ({ point, what, code }) =>
      /\.inventory\.endScan\./.test(point) && (what === "end" || lostButKept(what, code)),
  );
  return first !== undefined && first.at >= since && isEnded && !parts.some(({ what }) => what === "threw");
}

/**
 * They fetched it in time to be found: the version is quiet no earlier than so long after the first consumer could have had the
 * new one, and is read about after that.
 */
export function cameInTime({ fetchedAt }: Visited, seen: readonly Seen[]): boolean {
  const told = seen.find(({ point, what }) => what === "begin" && delivery.test(point));
  return fetchedAt !== null && told !== undefined && fetchedAt < told.at + strangerQuietMs;
}

/** What is asked of a rotation for such a copy. */
export interface Kept {
  /** Of its reads, those that came in time to be found: the first before any quiet period can have ended, each other before that of the one before it has. */
  readonly reads: PinnedVisit["reads"];
  /** Up to when the old version stays for them: null where none came in time. */
  readonly until: number | null;
  /** One of them was made when the new version had been seen to be live: no read of before is known for one of an old version. */
  readonly isShown: boolean;
}

/** The same from what was seen; a read that came too late asks nothing, nor does one behind it. */
export function keptFor({ reads }: PinnedVisit, seen: readonly Seen[]): Kept {
  const told = seen.find(({ point, what }) => what === "begin" && delivery.test(point));
  const live = seen.find(
    ({ point, what, code, at }) =>
      told !== undefined &&
      at > told.at &&
      /\.inventory\.keepLiveVersions\./.test(point) &&
      (what === "end" || lostButKept(what, code)),
  );
  const inTime: { begunAt: number; endedAt: number }[] = [];
  let until = (told?.at ?? Number.NEGATIVE_INFINITY) + pinnedQuietMs;
  for (const read of reads) {
    if (read.endedAt + clocksMs >= until) break;
    inTime.push(read);
    until = Math.max(until, read.begunAt + pinnedQuietMs);
  }
  return {
    reads: inTime,
    until: inTime.length === 0 ? null : until,
    isShown: inTime.some(({ begunAt }) => live !== undefined && begunAt > live.at + clocksMs),
  };
}

/** The old version was switched off before that: certainly, whatever the clocks. */
export function isClosedEarly({ closedAt }: PinnedVisit, { until }: Kept): boolean {
  return closedAt !== null && until !== null && closedAt + clocksMs < until;
}

/** A commit whose answer was lost on purpose was kept; the engine finds it and goes on. */
export function lostButKept(what: Seen["what"], code: string | undefined): boolean {
  return what === "planted" && (code?.startsWith("after-") === true || code === "before-late");
}
