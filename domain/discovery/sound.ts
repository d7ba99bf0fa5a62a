/**
 * What a source says is kept as it was said, so it has to be something that can be kept: texts without a NUL and without half
 * of a surrogate pair, names that an index takes, times within the years 1 to 9999. Whoever may choose a name (of a connection, in a
 * file of a repository) must not be lost by it, or the rotation would go past them: a text is kept as it can be, with a mark in the
 * place of what cannot, and a long one by its beginning and a digest (C7). One record whose times or counts are none must not hold
 * up the others: it is taken out of its part, and told like every record that cannot be read.
 *
 * And what it says is shown to people: nobody must move the cursor of somebody's terminal with a name, nor forge a line of a table.
 * Control characters are kept as pictures of themselves.
 */
import { type Length, shortened } from "../shortened.js";
import { hiddenIn } from "./hidden.js";
import { namedApart } from "./reaches.js";
import type { Hidden, LogReach, Malformed, ScanPart, Seen, Thing, VersionRead } from "./said.js";
import { withheldPart } from "./withheld.js";

/** The longest that a claim of the estate (`match`) may be: all of it is kept of a longer trait, so that what is claimed is found. */
const readerLength: Length = { longest: 400, kept: 400 };
/** The longest path of a file. Longer is no place of an estate. */
const thingLength: Length = { longest: 4_096, kept: 200 };
/** A sentence is read by people. */
const sentenceLength: Length = { longest: 1_000, kept: 400 };
/** The longest that a store gives a version as its name is 64. */
const versionLength: Length = { longest: 256, kept: 200 };
/** An index of the inventory takes 2,704 bytes a row, and there is more in one than a name; a character has up to three. */
const recordBytesMax = 2_000;
const recordLength: Length = { longest: 0, kept: 600 };
/** `0001-01-01T00:00:00Z` and the last millisecond of 9999, in milliseconds since the epoch. */
const timeMin = -62_135_596_800_000;
const timeMax = 253_402_300_799_999;

/**
 * The part with everything in it that can be kept, without a secret in a text; what cannot is among its malformed records.
 * `sha256Hex` hashes a text.
 */
export function soundPart(said: ScanPart, sha256Hex: (text: string) => string): ScanPart {
  const part = withheldPart(said);
  const malformed: Malformed[] = [];
  const hidden: Hidden[] = [];
  const kept = keeping(sha256Hex);
  const isSound = (record: string, why: string | null): boolean => {
    if (why !== null) {
      malformed.push({ where: kept.record(record), why });
      hidden.push({ record, why });
    }
    return why === null;
  };
  const covered =
    part.covered === null || isTime(part.covered.from, part.covered.until) ? part.covered : null;
  if (covered !== part.covered)
    malformed.push({ where: "the times of a part", why: "they are none that can be kept" });
  const sound = {
    ...part,
    claims: part.claims
      .filter(({ record, from, to, seen, versions = [] }) =>
        isSound(record, wrongIn([from, to], seen) ?? wrongInVersions(versions)),
      )
      .map((claim) => ({
        ...claim,
        ...{ record: kept.record(claim.record), sentence: kept.sentence(claim.sentence) },
        ...{ from: kept.thing(claim.from), to: kept.thing(claim.to) },
        ...(claim.versions === undefined ? {} : { versions: kept.versions(claim.versions) }),
      })),
    copies: part.copies
      .filter(({ record, at, mark, seen }) => isSound(record, wrongMark(mark) ?? wrongIn([at], seen)))
      .map((copy) => ({
        ...copy,
        ...{ record: kept.record(copy.record), at: kept.thing(copy.at) },
        sentence: kept.sentence(copy.sentence),
      })),
    listed: part.listed
      .filter(({ record, thing, seen, expiresAt }) =>
        isSound(record, wrongIn([thing], seen) ?? (isTime(expiresAt ?? 0) ? null : wrongTime)),
      )
      .map((listed) => ({
        ...listed,
        ...{ record: kept.record(listed.record), thing: kept.thing(listed.thing) },
        ...(listed.purpose === undefined ? {} : { purpose: kept.sentence(listed.purpose) }),
      })),
    ...(part.uses === undefined
      ? {}
      : {
          uses: part.uses
            .filter(({ record, of, seen }) => isSound(record, wrongIn([of], seen)))
            .map((use) => ({
              ...use,
              ...{ record: kept.record(use.record), of: kept.thing(use.of) },
              sentence: kept.sentence(use.sentence),
            })),
        }),
    ...(part.own === undefined ? {} : { own: part.own.map(kept.thing) }),
    covered,
    ...(part.stretches === undefined
      ? {}
      : { stretches: part.stretches.filter((stretch) => isTime(...stretch)) }),
    ...(part.reaches === undefined ? {} : { reaches: soundReaches(part.reaches) }),
    malformed: [
      ...part.malformed.map(({ where, why }) => ({ where: clean(where), why: clean(why) })),
      ...malformed,
    ],
    gaps: part.gaps.map(clean),
    ...(part.gapsAgain === undefined ? {} : { gapsAgain: part.gapsAgain.map(clean) }),
  };
  if (sound.gaps.length + sound.malformed.length === 0) return sound;
  // What could not be kept is hidden in its record, and with that all within it (`a/b` in `a`). Of a name that is as long as those
  // that are cut, nobody can tell any more what is within it.
  const { hidden: _, ...untold } = sound;
  const before = hiddenIn(part);
  if (before === null) return untold;
  const told = [...before, ...hidden].map(({ record, why }) => ({ record: whole(record), why: clean(why) }));
  return told.every(({ record }) => record.length < recordLength.kept) ? { ...untold, hidden: told } : untold;
}

/** One whose time cannot be kept has none that anybody knows. */
function soundReaches(reaches: readonly LogReach[]): LogReach[] {
  const kept = reaches.map(({ log, until }) => ({
    log: clean(log),
    until: until !== null && isTime(until) ? until : null,
  }));
  return namedApart(kept);
}

const wrongTime = "it has a time that cannot be kept: outside of the years 1 to 9999";

/** Why this cannot be kept, without a character of it; null where it can. */
function wrongIn(things: readonly Thing[], seen: Seen): string | null {
  if (!isTime(seen.first, seen.last, ...things.flatMap(timesOf))) return wrongTime;
  return Number.isSafeInteger(seen.count) ? null : "it has a count that is none";
}

/** A mark is ours, and is compared by every character. */
function wrongMark(mark: string): string | null {
  return isText(mark) && mark.length <= recordLength.kept ? null : "it has a mark that is none of ours";
}

/** The same of the versions that were read. */
function wrongInVersions(versions: readonly VersionRead[]): string | null {
  if (!versions.every(({ first, last }) => isTime(first, last)))
    return "it has a version with a time that cannot be kept: outside of the years 1 to 9999";
  return null;
}

/** Texts as they can be kept: each the same at every reading, and two that are different are so still where only the length is wrong. */
function keeping(sha256Hex: (text: string) => string) {
  const short = (text: string, length: Length) => clean(shortened(text, length, sha256Hex));
  const inner = (value: unknown, length: Length): unknown => {
    if (typeof value === "string") return short(value, length);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([name, text]) => [short(name, length), inner(text, length)]),
    );
  };
  return {
    record: (record: string): string =>
      Buffer.byteLength(whole(record)) > recordBytesMax ? short(record, recordLength) : whole(record),
    sentence: (text: string): string => short(text, sentenceLength),
    thing: <Of extends Thing>(thing: Of): Of =>
      inner(thing, thing.is === "reader" ? readerLength : thingLength) as Of,
    /** Each name once, also where two look the same without what was withheld or is a picture now. */
    versions: (versions: readonly VersionRead[]): VersionRead[] => {
      const byName = new Map<string, VersionRead>();
      for (const { version: name, first, last } of versions) {
        const version = short(name, versionLength);
        const known = byName.get(version) ?? { first, last };
        byName.set(version, {
          version,
          first: Math.min(known.first, first),
          last: Math.max(known.last, last),
        });
      }
      return [...byName.values()];
    },
  };
}

function timesOf(thing: Thing): number[] {
  const { createdAt, expiresAt } = thing as { createdAt?: number; expiresAt?: number };
  return [createdAt, expiresAt].filter((at) => at !== undefined);
}

const isText = (text: string): boolean => text.isWellFormed() && !text.includes("\0");

const isTime = (...times: readonly number[]): boolean =>
  times.every((at) => Number.isFinite(at) && at >= timeMin && at <= timeMax);

/** The text with a mark in the place of what cannot be kept. */
const whole = (text: string): string => text.toWellFormed().replaceAll("\0", "\uFFFD");

/** The same, as it may be printed. */
const clean = (text: string): string => shown(whole(text));

/** Control characters, line breaks among them, and what turns the direction of a text. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const controls = /[\u0001-\u001F\u007F-\u009F\u200E\u200F\u2028-\u202E\u2066-\u2069]/g;

/** The text as it may be printed: a picture of each control character (U+2400 and on) in its place. */
function shown(text: string): string {
  return text.replace(controls, (control) => {
    const code = control.charCodeAt(0);
    return code < 0x20 ? String.fromCharCode(0x2400 + code) : code === 0x7f ? "\u2421" : "\u2426";
  });
}
