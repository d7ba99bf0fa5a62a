/**
 * The part of a scan that a log's source is filling: what was seen is added up by reader and place, so that a million reads
 * are one claim, and the part is full before it gets large.
 */
import { agoMsMax, aheadMsMax } from "../../domain/discovery/believed.js";
import type {
  Claim,
  Copy,
  Malformed,
  ReaderThing,
  ScanPart,
  Seen,
  VersionRead,
} from "../../domain/discovery/said.js";
import { StretchTally } from "../../domain/discovery/stretches.js";
import { timesAt } from "../../domain/discovery/times.js";
import { withheld, withheldPart } from "../../domain/discovery/withheld.js";
import { RekeyError } from "../../domain/errors.js";

/** When a part is full. */
export interface PartLimits {
  /** Claims, copies, malformed records: each of them; and a few times as many versions, of all claims together. */
  readonly entries: number;
  readonly records: number;
}

/** Small enough to be kept at once, large enough that keeping costs little beside reading. */
export const partLimits: PartLimits = { entries: 2_000, records: 500_000 };

/** A version is small beside a claim, and those that read a place twice have mostly met two of them. */
const versionsAnEntry = 4;

/** The engine has few faces; more of them say nothing else. */
const ownMax = 100;

/** Different remarks on a claim that are kept. */
const remarksMax = 20;

type Told = Omit<Claim, "seen" | "versions" | "sentence" | "record">;

interface Counted<T> {
  readonly told: T;
  readonly remarks: Set<string>;
  readonly say: (remarks: readonly string[]) => string;
  first: number;
  last: number;
  count: number;
  times: number;
  /** From when until when each version was read; null while none was named. */
  versions: Map<string, { first: number; last: number }> | null;
}

/** Fills parts one after the other. `record` names the log in every claim. Times are milliseconds since the epoch. */
export class PartBuilder {
  readonly #record: string;
  readonly #now: number;
  readonly #limits: PartLimits;
  readonly #claims = new Map<string, Counted<Told>>();
  readonly #copies = new Map<string, Counted<Pick<Copy, "at" | "mark" | "literal" | "past">>>();
  readonly #own = new Map<string, ReaderThing>();
  #malformed: Malformed[] = [];
  #gaps: string[] = [];
  #gapsAgain: string[] = [];
  #records = 0;
  #versions = 0;
  #from = Number.POSITIVE_INFINITY;
  #until = Number.NEGATIVE_INFINITY;
  readonly #stretches = new StretchTally();
  /** The newest record of each log, where there are several; and of those that are read just now, since that was told. */
  readonly #reaches: Map<string, number | null>;
  #reading: readonly string[] = [];
  #newest = Number.NEGATIVE_INFINITY;
  #ahead: { count: number; where: string; most: number } = { count: 0, where: "", most: 0 };
  #ancient: { count: number; where: string } = { count: 0, where: "" };

  /** `logs`: names of those that always have something to write, where the source reads several. */
  constructor(record: string, now: number, limits: PartLimits = partLimits, logs: readonly string[] = []) {
    this.#reaches = new Map(logs.map((log) => [log, null]));
    this.#record = record;
    this.#now = now;
    this.#limits = limits;
  }

  /** It should be kept now. */
  get full(): boolean {
    const { entries, records } = this.#limits;
    return (
      this.#records >= records ||
      this.#versions >= entries * versionsAnEntry ||
      Math.max(this.#claims.size, this.#copies.size, this.#malformed.length, this.#gaps.length) >= entries
    );
  }

  /** One more record was read. */
  count(): void {
    this.#records++;
  }

  /** What comes now is of these logs; of those that it was not told of at the beginning nothing is kept. */
  reading(logs: readonly string[]): void {
    this.#noteNewest();
    this.#reading = logs;
  }

  malformed(where: string, why: string): void {
    this.#malformed.push({ where, why });
  }

  /** `again`: a reading from the beginning would name it again. What is lost for ever is not. */
  gap(sentence: string, { again = false } = {}): void {
    this.#gaps.push(sentence);
    if (again) this.#gapsAgain.push(sentence);
  }

  /**
   * The time that counts for a record: its own, and now for one whose clock was wrong, because it is from the future or from
   * ten years ago; which is said (its place by `where`).
   */
  timeOf(own: number, where: () => string): number {
    const ahead = own - this.#now;
    if (ahead > aheadMsMax) {
      if (this.#ahead.count === 0) this.#ahead.where = where();
      this.#ahead.count++;
      this.#ahead.most = Math.max(this.#ahead.most, ahead);
      return this.#now;
    }
    if (-ahead > agoMsMax) {
      if (this.#ancient.count === 0) this.#ancient.where = where();
      this.#ancient.count++;
      return this.#now;
    }
    if (own < this.#from) this.#from = own;
    if (own > this.#until) this.#until = own;
    if (own > this.#newest) this.#newest = own;
    this.#stretches.add(own);
    return own;
  }

  /**
   * Something was seen once more. What has the same key is one claim; `remark` is what differs, for its sentence, and `version`
   * what was read of a place, where the record tells it.
   */
  claim(
    key: string,
    at: number,
    remark: string,
    make: () => { told: Told; say: (remarks: readonly string[]) => string },
    version?: string,
  ): void {
    const known = add(this.#claims, key, at, remark, make);
    if (version === undefined) return;
    known.versions ??= new Map();
    const span = known.versions.get(version);
    if (span === undefined) {
      known.versions.set(version, { first: at, last: at });
      this.#versions++;
      return;
    }
    if (at < span.first) span.first = at;
    if (at > span.last) span.last = at;
  }

  /** The engine itself was met, as one who would be this reader. */
  own(reader: ReaderThing): void {
    if (this.#own.size < ownMax) this.#own.set(JSON.stringify(reader.traits), reader);
  }

  /** A value was met once more, by its mark. */
  copy(at: number, copy: Pick<Copy, "at" | "mark" | "literal" | "past">, sentence: string): void {
    const key = JSON.stringify([copy.at, copy.mark]);
    add(this.#copies, key, at, "", () => ({ told: copy, say: () => sentence }));
  }

  /** The part, and room for the next one. */
  take(cursor: string): ScanPart {
    const record = this.#record;
    if (this.#ahead.count > 0) this.gap(this.#aheadSentence(), { again: true });
    if (this.#ancient.count > 0) this.gap(this.#ancientSentence(), { again: true });
    this.#noteNewest();
    const part = withheldPart({
      records: this.#records,
      claims: [...this.#claims.values()].map((one) => ({
        record,
        ...one.told,
        seen: seenOf(one),
        ...(one.versions === null ? {} : { versions: versionsOf(one.versions) }),
        sentence: one.say([...one.remarks]),
      })),
      copies: [...this.#copies.values()].map((one) => ({
        record,
        ...one.told,
        seen: seenOf(one),
        sentence: one.say([]),
      })),
      listed: [],
      ...(this.#own.size === 0 ? {} : { own: [...this.#own.values()] }),
      malformed: this.#malformed,
      covered: this.#from <= this.#until ? { from: this.#from, until: this.#until } : null,
      stretches: this.#stretches.take(),
      ...(this.#reaches.size === 0
        ? {}
        : { reaches: [...this.#reaches].map(([log, until]) => ({ log, until })) }),
      gaps: this.#gaps,
      gapsAgain: this.#gapsAgain,
      cursor,
    });
    this.#claims.clear();
    this.#copies.clear();
    this.#own.clear();
    for (const log of this.#reaches.keys()) this.#reaches.set(log, null);
    this.#malformed = [];
    this.#gaps = [];
    this.#gapsAgain = [];
    this.#records = 0;
    this.#versions = 0;
    this.#from = Number.POSITIVE_INFINITY;
    this.#until = Number.NEGATIVE_INFINITY;
    this.#ahead = { count: 0, where: "", most: 0 };
    this.#ancient = { count: 0, where: "" };
    return part;
  }

  #noteNewest(): void {
    if (this.#newest === Number.NEGATIVE_INFINITY) return;
    for (const log of this.#reading) {
      const known = this.#reaches.get(log);
      if (known !== undefined) this.#reaches.set(log, Math.max(known ?? this.#newest, this.#newest));
    }
    this.#newest = Number.NEGATIVE_INFINITY;
  }

  #aheadSentence(): string {
    const { count, where, most } = this.#ahead;
    const seconds = Math.ceil(most / 1_000);
    return `${count} of the records say that they are from the future, by up to ${seconds} s, the first at ${where}. Their times are not believed: they count as of now.`;
  }

  #ancientSentence(): string {
    const { count, where } = this.#ancient;
    return `${count} of the records say that they are more than ten years old, the first at ${where}. Their times are not believed: they count as of now.`;
  }
}

function add<T>(
  into: Map<string, Counted<T>>,
  key: string,
  at: number,
  remark: string,
  make: () => { told: T; say: (remarks: readonly string[]) => string },
): Counted<T> {
  let known = into.get(key);
  if (known === undefined) {
    known = { ...make(), remarks: new Set(), first: at, last: at, count: 0, times: 0, versions: null };
    into.set(key, known);
  }
  known.count++;
  known.times |= timesAt(at);
  if (at < known.first) known.first = at;
  if (at > known.last) known.last = at;
  if (remark !== "" && known.remarks.size < remarksMax) known.remarks.add(remark);
  return known;
}

function seenOf({ first, last, count, times }: Counted<unknown>): Seen {
  return { first, last, count, times };
}

function versionsOf(versions: ReadonlyMap<string, { first: number; last: number }>): VersionRead[] {
  return [...versions]
    .map(([version, span]) => ({ version, ...span }))
    .sort((one, other) => (one.version < other.version ? -1 : 1));
}

const shownMax = 200;

/** Text out of a log, for a sentence or a name: on one line, and not longer than people read. */
export function shown(whole: string): string {
  // Before it is cut: what is left of an address is none any more, and its password stands there still. The part does it for the others.
  const text = whole.length > shownMax ? withheld(whole) : whole;
  const clean = [...text.slice(0, shownMax)]
    .map((char) => (char < " " || char === "\u007F" ? " " : char))
    .join("");
  return text.length > shownMax ? `${clean}…` : clean;
}

/** The member of an object that was read from a log; undefined for whatever is none. */
export function inside(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined;
}

/** The member, where it is a text that is not empty. */
export function textIn(value: unknown, name: string): string | undefined {
  const found = inside(value, name);
  return typeof found === "string" && found !== "" ? found : undefined;
}

/** Refuses to go on with a scan that is over. */
export function unlessOver(signal: AbortSignal, what: string): void {
  if (signal.aborted) throw new RekeyError("unreachable", `${what} was not read in time.`);
}
