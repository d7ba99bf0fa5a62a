/** Parts of a scan, the same for every source that looks at something as it is now: a report on a disk, a list of servers. */
import { z } from "zod";
import { aheadMsMax } from "../../domain/discovery/believed.js";
import type { Claim, Copy, Listed, Malformed, ScanPart, Use } from "../../domain/discovery/said.js";
import { withheldPart } from "../../domain/discovery/withheld.js";
import { RekeyError } from "../../domain/errors.js";
import type { Call } from "../ports.js";
import { unreadableCursor } from "./source-cursor.js";
import { type OpenReport, openReport } from "./source-text.js";

/** What one record says. A gap is no record. */
export interface Said {
  readonly claims?: readonly Claim[];
  readonly copies?: readonly Copy[];
  readonly listed?: readonly Listed[];
  readonly uses?: readonly Use[];
  readonly malformed?: readonly Malformed[];
  readonly gaps?: readonly string[];
  /** How many records that was; 1 unless given. */
  readonly records?: number;
}

/** Records in one part of a report. */
const recordsMax = 1_000;
/** Claims, copies and malformed records, each, in one part of what a server shows. */
const itemsMax = 2_000;
/** Servers that are asked at once. */
const askedAtOnce = 8;

/** Several records as one part. */
export function partOf(said: readonly Said[], covered: ScanPart["covered"], cursor: string): ScanPart {
  return withheldPart({
    records: said.reduce((sum, { records = 1 }) => sum + records, 0),
    claims: said.flatMap(({ claims = [] }) => claims),
    copies: said.flatMap(({ copies = [] }) => copies),
    listed: said.flatMap(({ listed = [] }) => listed),
    uses: said.flatMap(({ uses = [] }) => uses),
    malformed: said.flatMap(({ malformed = [] }) => malformed),
    gaps: said.flatMap(({ gaps = [] }) => gaps),
    covered,
    cursor,
  });
}

const reportCursor = z.strictObject({ path: z.string(), of: z.string(), taken: z.int().min(0) });

/**
 * The files one after the other, in parts. A cursor counts records within a file, so going on reads it again up to there;
 * a file that was written anew meanwhile is read from its beginning. What says that it was written later than `now`
 * (milliseconds since the epoch) counts as written now, which is said.
 */
export async function* reportParts(
  paths: readonly string[],
  cursor: string | null,
  read: (report: OpenReport) => AsyncIterable<Said>,
  call: Call,
  now: number,
): AsyncIterable<ScanPart> {
  const at = cursor === null ? null : cursorIn(reportCursor, cursor);
  const first = at === null ? 0 : Math.max(0, paths.indexOf(at.path));
  for (const path of paths.slice(first)) {
    const report = await openReport(path, call);
    try {
      const of = `${report.size}-${report.modifiedAt}`;
      const taken = at !== null && at.path === path && at.of === of ? at.taken : null;
      yield* partsOf(report, of, taken, read, now);
    } finally {
      await report.close();
    }
  }
}

async function* partsOf(
  report: OpenReport,
  of: string,
  taken: number | null,
  read: (report: OpenReport) => AsyncIterable<Said>,
  now: number,
): AsyncIterable<ScanPart> {
  const modifiedAt = report.modifiedAt > now + aheadMsMax ? now : report.modifiedAt;
  const covered = { from: modifiedAt, until: modifiedAt };
  const part: Said[] = [];
  if (modifiedAt !== report.modifiedAt) {
    const gap = `${report.path} says that it was written in the future. That is not believed: it counts as written now.`;
    part.push({ gaps: [gap], records: 0 });
  }
  let number = 0;
  const cut = () => partOf(part.splice(0), covered, JSON.stringify({ path: report.path, of, taken: number }));
  for await (const said of read({ ...report, modifiedAt })) {
    number++;
    if (taken !== null && number <= taken) continue;
    part.push(said);
    if (part.length >= recordsMax) yield cut();
  }
  if (part.length > 0 || taken === null) yield cut();
}

const placeCursor = z.strictObject({ after: z.string() });

/**
 * Looks at each place, several at once, in their order; one part each, or several where one would be too large: all but the last
 * of them stand before the place, which is looked at again by whoever goes on from there. A place that does not answer is a gap, because the
 * others are there to be seen: nothing was seen of it, which is not that nothing is there. Throws what kept the first of them
 * from answering where none does.
 */
export async function* placeParts<Place extends { readonly name: string }>(
  places: readonly Place[],
  cursor: string | null,
  look: (place: Place, call: Call) => Promise<{ readonly said: Said; readonly at: number }>,
  call: Call,
): AsyncIterable<ScanPart> {
  const after = cursor === null ? null : cursorIn(placeCursor, cursor).after;
  const left = places.slice(places.findIndex(({ name }) => name === after) + 1);
  const gaps: string[] = [];
  let before = cursor ?? JSON.stringify({ after: "" });
  let last: { name: string } | undefined;
  let failure: unknown;
  let seen = cursor !== null;
  for (let from = 0; from < left.length; from += askedAtOnce) {
    const asked = left.slice(from, from + askedAtOnce);
    const answers = await Promise.allSettled(asked.map((place) => look(place, call)));
    for (const [index, answer] of answers.entries()) {
      last = asked[index];
      if (answer.status === "rejected") {
        if (!(answer.reason instanceof RekeyError)) throw answer.reason;
        failure ??= answer.reason;
        gaps.push(`${last?.name} was not seen: ${answer.reason.message}`);
        continue;
      }
      seen = true;
      const { said, at } = answer.value;
      const withGaps = { ...said, gaps: [...gaps.splice(0), ...(said.gaps ?? [])] };
      const behind = JSON.stringify({ after: last?.name ?? "" });
      yield* cutUp(withGaps, { from: at, until: at }, before, behind);
      before = behind;
    }
  }
  if (!seen && failure !== undefined) throw failure;
  if (gaps.length > 0)
    yield partOf([{ gaps, records: 0 }], null, JSON.stringify({ after: last?.name ?? "" }));
}

function* cutUp(
  { claims = [], copies = [], malformed = [], ...said }: Said,
  covered: ScanPart["covered"],
  before: string,
  behind: string,
): Generator<ScanPart> {
  const cut = (from: number, until?: number) => ({
    claims: claims.slice(from, until),
    copies: copies.slice(from, until),
    malformed: malformed.slice(from, until),
  });
  const most = Math.max(claims.length, copies.length, malformed.length);
  let from = 0;
  for (; most - from > itemsMax; from += itemsMax)
    yield partOf([{ ...cut(from, from + itemsMax), records: 0 }], covered, before);
  yield partOf([{ ...said, ...cut(from) }], covered, behind);
}

/** What a cursor says. Throws `bad-input` for a text that is no cursor of this source. */
export function cursorIn<S extends z.ZodType>(schema: S, text: string): z.output<S> {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    content = undefined;
  }
  const parsed = schema.safeParse(content);
  if (parsed.success) return parsed.data;
  throw unreadableCursor();
}
