/** Parts of a scan, the same for every source that looks at something as it is now: a report on a disk, a list of servers. */
import { z } from "zod";
import { aheadMsMax } from "../../domain/discovery/believed.js";
import { hiddenIn } from "../../domain/discovery/hidden.js";
import type { Claim, Copy, Hidden, Listed, Malformed, ScanPart, Use } from "../../domain/discovery/said.js";
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
  /** Where that is which its gaps and malformed records hide; absent: anywhere. */
  readonly hidden?: readonly Hidden[];
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
  const hidden = said.map(({ gaps = [], malformed = [], ...one }) => hiddenIn({ ...one, gaps, malformed }));
  return withheldPart({
    ...(hidden.includes(null) ? {} : { hidden: hidden.flatMap((some) => some ?? []) }),
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

/** How reports of a kind are read. */
export interface ReportReader {
  readonly recordOf: (path: string) => string;
  readonly read: (report: OpenReport) => AsyncIterable<Said>;
}

const reportCursor = z.strictObject({ path: z.string(), of: z.string(), taken: z.int().min(0) });

/**
 * The files one after the other, in parts. A cursor counts records within a file, so going on reads it again up to there;
 * a file that was written anew meanwhile is read from its beginning. What says that it was written later than `now`
 * (milliseconds since the epoch) counts as written now, which is said. What a report hides stands in its own record, as
 * `recordOf` calls it by its path.
 */
export async function* reportParts(
  paths: readonly string[],
  cursor: string | null,
  { recordOf, read }: ReportReader,
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
      const record = recordOf(path);
      yield* partsOf(
        report,
        of,
        taken,
        async function* (one) {
          for await (const said of read(one)) yield { ...said, hidden: hiddenAt(record, said) };
        },
        now,
      );
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
    part.push({ gaps: [gap], hidden: [], records: 0 });
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

/** What a record hides by its gaps and by what of it could not be read. */
function hiddenAt(record: string, { gaps = [], malformed = [] }: Pick<Said, "gaps" | "malformed">): Hidden[] {
  return [...gaps, ...malformed.map(({ where, why }) => `${where}: ${why}`)].map((why) => ({ record, why }));
}

const placeCursor = z.strictObject({ after: z.string() });

/**
 * Looks at each place, several at once, in their order; one part each, or several where one would be too large: all but the last
 * of them stand before the place, which is looked at again by whoever goes on from there. A place that does not answer is a gap, because the
 * others are there to be seen: nothing was seen of it, which is not that nothing is there. Throws what kept the first of them
 * from answering where none does. `recordOf`: the one record of a place, where each has one; what a place hides stands in it.
 */
export async function* placeParts<Place extends { readonly name: string }>(
  places: readonly Place[],
  cursor: string | null,
  look: (place: Place, call: Call) => Promise<{ readonly said: Said; readonly at: number }>,
  call: Call,
  recordOf?: (place: Place) => string,
): AsyncIterable<ScanPart> {
  const after = cursor === null ? null : cursorIn(placeCursor, cursor).after;
  const left = places.slice(places.findIndex(({ name }) => name === after) + 1);
  const hides = (place: Place, said: Said): Said =>
    recordOf === undefined ? said : { ...said, hidden: hiddenAt(recordOf(place), said) };
  const unseen: Said[] = [];
  let before = cursor ?? JSON.stringify({ after: "" });
  let last: Place | undefined;
  let failure: unknown;
  let seen = cursor !== null;
  for (let from = 0; from < left.length; from += askedAtOnce) {
    const asked = left.slice(from, from + askedAtOnce);
    const answers = await Promise.allSettled(asked.map((place) => look(place, call)));
    for (const [index, answer] of answers.entries()) {
      const place = asked[index] as Place;
      last = place;
      if (answer.status === "rejected") {
        if (!(answer.reason instanceof RekeyError)) throw answer.reason;
        failure ??= answer.reason;
        unseen.push(
          hides(place, { gaps: [`${place.name} was not seen: ${answer.reason.message}`], records: 0 }),
        );
        continue;
      }
      seen = true;
      const { said, at } = answer.value;
      const behind = JSON.stringify({ after: place.name });
      yield* cutUp(unseen.splice(0), hides(place, said), { from: at, until: at }, before, behind);
      before = behind;
    }
  }
  if (!seen && failure !== undefined) throw failure;
  if (unseen.length > 0) yield partOf(unseen, null, JSON.stringify({ after: last?.name ?? "" }));
}

/** What stands in the last part of a place alone. */
const onlyOnce = { listed: [], uses: [], gaps: [] } as const;

function* cutUp(
  unseen: readonly Said[],
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
    yield partOf([{ ...said, ...cut(from, from + itemsMax), ...onlyOnce, records: 0 }], covered, before);
  yield partOf([...unseen, { ...said, ...cut(from) }], covered, behind);
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
