/**
 * The reading before a version is taken away: what it takes for a source to say that nobody reads the old one any more. Looks at
 * sessions do not see who only fetches a value, so each source has to have shown the whole quiet time (gate 8, H21).
 */
import type { LogReach, Malformed } from "./discovery/said.js";
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
  /** What is wrong with that reading, other than that it began too early: a sentence. And what mends it, where it is not the next reading. */
  readonly lacks?: string;
  readonly mend?: string;
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

/** What one reading lacked. `at`: when it ended, in milliseconds since the epoch. */
export interface Lacking {
  readonly at: number;
  readonly gaps: readonly string[];
  /** Records that could not be read, and the first of them; null where there is none, or none was kept. */
  readonly unreadable: number;
  readonly firstUnreadable: Malformed | null;
}

/** A source's readings, as far as they tell of the quiet time. Times are milliseconds since the epoch. */
export interface LastReading extends Watcher, Pick<WatchingSource, "tied" | "seesUse"> {
  readonly begunAt: number | null;
  /** Of a log in which there is always something, the time of its newest record, null where it has none; of everything else undefined. */
  readonly reachesTo: number | null | undefined;
  /** The same of each of its logs that always have something to write, where it reads several. */
  readonly logs: readonly LogReach[];
  /** What each reading lacked, by when it ended: of a log all of them, of what is there now the last whole one. */
  readonly lacking: readonly Lacking[];
}

/** What the readings of a source tell of the quiet time that was never read to its end. */
export const noReading = { begunAt: null, reachesTo: undefined, logs: [], lacking: [] } as const;

/**
 * The sources that would show a use of the credential and do not show yet that there was none in the quiet time (null: none has
 * to). A reading tells of it where
 * - it began after its end, and after the last record of that time can have come (`deliveredWithinMs`);
 * - the records of a log in which there is always something reach to its end: the engine's own looks at the store are in it, so
 *   that one which has none of them yet is behind. A log that may rightly be silent has no such mark, and only its delivery time.
 *   Of several logs each has to: what one node writes says nothing of whether another's log still comes;
 * - nothing of that time is missing, and every record of it could be read: what cannot be read may be a read of the old version,
 *   and nobody can tell that it is none. What is there now is asked anew by each reading, and a later one
 *   mends it; a log that has lost something has lost it, and what it has is read again from its beginning once it is mended.
 */
export function toRead(sources: readonly LastReading[], quiet: QuietSpan | null): SourceToRead[] {
  if (quiet === null) return [];
  return sources.flatMap((source): SourceToRead[] => {
    const { tied, seesUse, id, name, begunAt } = source;
    if (!tied || !seesUse) return [];
    const about = { id, name, begunAt, tellsFrom: quiet.until + source.deliveredWithinMs };
    if (begunAt === null || begunAt < quiet.until) return [about];
    const lacks = lackOf(source, begunAt, quiet);
    return lacks === null ? [] : [{ ...about, ...lacks }];
  });
}

type Lack = Pick<SourceToRead, "lacks" | "mend">;

function lackOf(source: LastReading, begunAt: number, quiet: QuietSpan): Lack | null {
  const { name, deliveredWithinMs, lacking } = source;
  if (begunAt < quiet.until + deliveredWithinMs)
    return {
      lacks: `Its records may come ${span(deliveredWithinMs)} late, so that it is read once more after ${minuteOf(quiet.until + deliveredWithinMs)}.`,
    };
  const behind = behindOf(source, quiet);
  if (behind !== null) return behind;
  const since = lacking.filter(({ at }) => at >= quiet.from);
  const unreadable = unreadableOf(since);
  const [first, ...more] = [...new Set(since.flatMap(({ gaps }) => gaps)), ...unreadable];
  if (first === undefined) return null;
  const lacks = `It did not see all since ${minuteOf(quiet.from)}: ${first}${more.length === 0 ? "" : ` And ${more.length} more like that.`}`;
  if (unreadable.length === 0) return { lacks };
  const mend = `What could not be read is mended where it stands; of a log it counts as mended once \`rekey discover ${name} --anew\` has read it. What a crash has torn cannot be mended, and somebody answers for it.`;
  return { lacks, mend };
}

/** The newest record of a log does not reach to the end of the quiet time. */
function behindOf({ name, reachesTo, logs }: LastReading, quiet: QuietSpan): Lack | null {
  const isBehind = (until: number | null) => until === null || until < quiet.until;
  const asked = `has to show everything until ${minuteOf(quiet.until)}`;
  if (reachesTo !== undefined && isBehind(reachesTo)) {
    const newest =
      reachesTo === null ? "It has no record yet" : `Its newest record is of ${minuteOf(reachesTo)}`;
    return {
      lacks: `${newest}, and it ${asked}: Rekey's own looks at the store leave a record, so the log is behind, or is written elsewhere.`,
    };
  }
  const late = logs.filter(({ until }) => isBehind(until));
  const [first] = late;
  if (first === undefined) return null;
  const others = late.length === 1 ? "" : ` And ${late.length - 1} more of its logs like that.`;
  const { log, until } = first;
  const newest =
    until === null
      ? `Its log ${log} has no record yet`
      : `The newest record of its log ${log} is of ${minuteOf(until)}`;
  return {
    lacks: `${newest}, and it ${asked}: what other logs show says nothing of this one, which is behind, is written elsewhere, or has nothing to write.${others}`,
    mend: `A log that has nothing to write, such as that of a standby that serves no reads, is named in \`mayBeSilent\` of ${name}.`,
  };
}

/** A sentence for those of all these readings, with the place of the first; none where every record could be read. */
function unreadableOf(lacking: readonly Lacking[]): string[] {
  const count = lacking.reduce((sum, { unreadable }) => sum + unreadable, 0);
  if (count === 0) return [];
  const first = lacking.find(({ firstUnreadable }) => firstUnreadable !== null)?.firstUnreadable;
  const where = first ? `; the first, ${first.where}, ${first.why}` : "";
  return [`${count} of its records could not be read${where}.`];
}

/** What stands in the way until they are read. It refuses as an unmapped reader would, whom they might show. */
export function unreadFindings(unread: readonly SourceToRead[], severity: Severity): Finding[] {
  return unread.map(({ name, begunAt, lacks, mend }) => ({
    ...{ code: "last-reading", severity, subject: name },
    sentence: `The source ${name} ${begunAt === null ? "was never read" : `was read last on ${minuteOf(begunAt)}`}; before a version is taken away it is read once more.${lacks === undefined ? "" : ` ${lacks}`}`,
    hint:
      lacks === undefined
        ? `Rekey reads it. Where that fails, \`rekey discover ${name}\` says why.`
        : `Rekey reads it once a minute until it does.${mend === undefined ? "" : ` ${mend}`} \`rekey discover ${name}\` names what it meets; an exception to \`last-reading\` about ${name} goes on without it.`,
  }));
}
