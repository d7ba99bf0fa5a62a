/**
 * Times that a source says are kept only where they can be true: a consumer that was last seen in another century never fades, and a
 * log that began in 1970 has watched since then. Logs ask for each record; of every source it is asked again before a part is kept.
 */
import { hiddenIn } from "./hidden.js";
import type { Claim, Copy, Listed, ScanPart, Seen, Use, VersionRead } from "./said.js";

/** How far a record's clock may be ahead of ours before it is not believed, in milliseconds. */
export const aheadMsMax = 300_000;

const yearMs = 365 * 24 * 60 * 60_000;

/** How old a record may be, in milliseconds: a clock that lost its battery begins in 1970 or 2000, and would have watched since then. */
export const agoMsMax = 10 * yearMs;

/** An issuer keeps for longer than any log when a key was used last; from 1970 or 2000 it is from no issuer's clock either. */
const usedAgoMsMax = 20 * yearMs;

/**
 * The part with times that can be true: what says that it is more than five minutes ahead of `now` (milliseconds since the epoch), or
 * that somebody was seen more than ten years ago, counts as of now, and a gap says so. What was only written down may be of any age.
 */
export function believedPart(part: ScanPart, now: number): ScanPart {
  const doubted: string[] = [];
  const heard =
    <Of extends Heard>(agoMax: (one: Of) => number) =>
    (one: Of): Of => {
      const { record, versions = [] } = one;
      const seen = spanBelieved(one.seen, now, agoMax(one));
      const read = versions.map((version) => spanBelieved(version, now, agoMax(one)));
      if (seen === one.seen && read.every((version, index) => version === versions[index])) return one;
      doubted.push(record);
      return { ...one, seen, ...(one.versions === undefined ? {} : { versions: read }) };
    };
  const ever = () => Number.POSITIVE_INFINITY;
  const claims = part.claims.map(
    heard<Claim>(({ known }) => (known === "read" || known === "session" ? agoMsMax : ever())),
  );
  const copies = part.copies.map(heard<Copy>(ever));
  const listed = part.listed.map(heard<Listed>(ever));
  const uses = part.uses?.map(heard<Use>(() => usedAgoMsMax));
  const covered = coveredBy(part, [...claims, ...(uses ?? [])], now);
  if (doubted.length === 0 && covered === part.covered) return part;
  const [record] = doubted;
  const of = record === undefined ? "" : `, the first of them in ${record}`;
  const gap = `${doubted.length} of the times are from the future or from long ago${of}. They are not believed: they count as of now.`;
  // Such a record is there and was read: it hides nothing.
  const hidden = hiddenIn(part);
  return {
    ...part,
    ...{ claims, copies, listed, covered, gaps: [...part.gaps, gap] },
    ...(hidden === null ? {} : { hidden }),
    ...(uses === undefined ? {} : { uses }),
    // A reading from the beginning would find the same.
    gapsAgain: [...(part.gapsAgain ?? []), gap],
  };
}

interface Heard {
  readonly record: string;
  readonly seen: Seen;
  readonly versions?: readonly VersionRead[];
}

const believed = (at: number, now: number, agoMax: number): number =>
  at > now + aheadMsMax || now - at > agoMax ? now : at;

/** The same one where both of its times are believed. */
function spanBelieved<Of extends Pick<Seen, "first" | "last">>(span: Of, now: number, agoMax: number): Of {
  const first = believed(span.first, now, agoMax);
  const last = believed(span.last, now, agoMax);
  return first === span.first && last === span.last ? span : { ...span, first: Math.min(first, last), last };
}

/** Watched only between times that are believed; where both are as old as each other, it is the age of a file. */
function coveredBy(
  { covered }: ScanPart,
  said: readonly { readonly seen: Seen }[],
  now: number,
): ScanPart["covered"] {
  if (covered === null) return null;
  const until = believed(covered.until, now, Number.POSITIVE_INFINITY);
  const isAncient = now - covered.from > agoMsMax && now - until <= agoMsMax;
  const least = said.reduce((least, { seen }) => Math.min(least, seen.first), until);
  const from = Math.min(isAncient ? least : covered.from, until);
  return from === covered.from && until === covered.until ? covered : { from, until };
}
