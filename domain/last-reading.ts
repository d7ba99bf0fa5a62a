/**
 * The reading before a version is taken away: what it takes for a source to say that nobody reads the old one any more. Looks at
 * sessions do not see who only fetches a value, so each source has to have shown the whole quiet time (gate 8, H21).
 */
import { span } from "./duration.js";
import type { Finding, Severity } from "./finding.js";
import { minuteOf, type WatchingSource } from "./watched.js";

/** The time for which nobody used what is to be taken away, in milliseconds since the epoch: since when, and when that was long enough. */
export interface QuietSpan {
  readonly from: number;
  readonly until: number;
}

/**
 * A source that is to be read before a version is taken away. Times are milliseconds since the epoch: `begunAt`, when its last whole
 * reading began, and `tellsFrom`, from when on one that begins can show all (absent in a look of before this was kept).
 */
export interface SourceToRead {
  readonly id: string;
  readonly name: string;
  readonly begunAt: number | null;
  readonly tellsFrom?: number;
  /** What is wrong with that reading, other than that it began too early: a sentence. */
  readonly lacks?: string;
}

/** A source that would show a use of the credential. */
export interface Watcher {
  readonly id: string;
  readonly name: string;
  /** How long after a use its record may still come. */
  readonly deliveredWithinMs: number;
  /** What it is pointed at and what it leaves out, as a digest of its settings; absent in looks of before this was kept. */
  readonly settingsDigest?: string;
}

/** A source's readings, as far as they tell of the quiet time. Times are milliseconds since the epoch. */
export interface LastReading extends Watcher, Pick<WatchingSource, "tied" | "seesUse"> {
  readonly begunAt: number | null;
  /** Of a log in which there is always something, the time of its newest record, null where it has none; of everything else undefined. */
  readonly reachesTo: number | null | undefined;
  /** What each reading lacked, by when it ended: of a log all of them, of what is there now the last whole one. */
  readonly lacking: readonly { readonly at: number; readonly gaps: readonly string[] }[];
}

/** What the readings of a source tell of the quiet time that was never read to its end. */
export const noReading = { begunAt: null, reachesTo: undefined, lacking: [] } as const;

/**
 * The sources that would show a use of the credential and do not show yet that there was none in the quiet time (null: none has
 * to). A reading tells of it where
 * - it began after its end, and after the last record of that time can have come (`deliveredWithinMs`);
 * - the records of a log in which there is always something reach to its end: the engine's own looks at the store are in it, so
 *   that one which has none of them yet is behind. A log that may rightly be silent has no such mark, and only its delivery time;
 * - nothing of that time is missing. What is there now is asked anew by each reading, and a later one mends it; a log that has
 *   lost something has lost it.
 */
export function toRead(sources: readonly LastReading[], quiet: QuietSpan | null): SourceToRead[] {
  if (quiet === null) return [];
  return sources.flatMap((source): SourceToRead[] => {
    const { tied, seesUse, id, name, begunAt } = source;
    if (!tied || !seesUse) return [];
    const about = { id, name, begunAt, tellsFrom: quiet.until + source.deliveredWithinMs };
    if (begunAt === null || begunAt < quiet.until) return [about];
    const lacks = lackOf(source, begunAt, quiet);
    return lacks === null ? [] : [{ ...about, lacks }];
  });
}

function lackOf(
  { reachesTo, deliveredWithinMs, lacking }: LastReading,
  begunAt: number,
  quiet: QuietSpan,
): string | null {
  if (begunAt < quiet.until + deliveredWithinMs)
    return `Its records may come ${span(deliveredWithinMs)} late, so that it is read once more after ${minuteOf(quiet.until + deliveredWithinMs)}.`;
  if (reachesTo !== undefined && (reachesTo === null || reachesTo < quiet.until)) {
    const newest =
      reachesTo === null ? "It has no record yet" : `Its newest record is of ${minuteOf(reachesTo)}`;
    return `${newest}, and it has to show everything until ${minuteOf(quiet.until)}: Rekey's own looks at the store leave a record, so the log is behind, or is written elsewhere.`;
  }
  const gaps = [...new Set(lacking.filter(({ at }) => at >= quiet.from).flatMap((one) => one.gaps))];
  const [first] = gaps;
  if (first === undefined) return null;
  return `It did not see all since ${minuteOf(quiet.from)}: ${first}${gaps.length === 1 ? "" : ` And ${gaps.length - 1} more like that.`}`;
}

/** What stands in the way until they are read. It refuses as an unmapped reader would, whom they might show. */
export function unreadFindings(unread: readonly SourceToRead[], severity: Severity): Finding[] {
  return unread.map(({ name, begunAt, lacks }) => ({
    ...{ code: "last-reading", severity, subject: name },
    sentence: `The source ${name} ${begunAt === null ? "was never read" : `was read last on ${minuteOf(begunAt)}`}; before a version is taken away it is read once more.${lacks === undefined ? "" : ` ${lacks}`}`,
    hint:
      lacks === undefined
        ? `Rekey reads it. Where that fails, \`rekey discover ${name}\` says why.`
        : `Rekey reads it once a minute until it does. \`rekey discover ${name}\` names what it meets; an exception to \`last-reading\` about ${name} goes on without it.`,
  }));
}
