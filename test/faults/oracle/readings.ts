/**
 * What the sources are worth to a rotation: the old version stays until each of them was read to its end behind the delivery, and
 * whoever only a source shows is named, and keeps it until somebody has answered for them (I2, H21).
 */
import { strangerQuietMs } from "../house/estate.js";
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

/** A commit whose answer was lost on purpose was kept; the engine finds it and goes on. */
export function lostButKept(what: Seen["what"], code: string | undefined): boolean {
  return what === "planted" && (code?.startsWith("after-") === true || code === "before-late");
}
