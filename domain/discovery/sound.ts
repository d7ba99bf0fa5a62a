/**
 * What a source says is kept as it was said, so it has to be something that can be kept: texts without a NUL and without half
 * of a surrogate pair, names that an index takes, times within the years 1 to 9999. One record that is not must not hold up
 * the others: it is taken out of its part, and told like every record that cannot be read.
 *
 * And what it says is shown to people: whoever may choose a name (of a connection, in a file of a repository) must not move
 * the cursor of somebody's terminal with it, nor forge a line of a table. Control characters are kept as pictures of themselves.
 */
import { hiddenIn } from "./hidden.js";
import { namedApart } from "./reaches.js";
import type { Hidden, LogReach, Malformed, ScanPart, Seen, Thing, VersionRead } from "./said.js";
import { withheldPart } from "./withheld.js";

/** An index of the inventory takes 2,704 bytes a row, and there is more in one than a name. */
const nameBytesMax = 2_000;
/** The longest that a store gives a version as its name is 64. */
const versionCharsMax = 256;
/** `0001-01-01T00:00:00Z` and the last millisecond of 9999, in milliseconds since the epoch. */
const timeMin = -62_135_596_800_000;
const timeMax = 253_402_300_799_999;

/** The part with everything in it that can be kept, without a secret in a text; what cannot is among its malformed records. */
export function soundPart(said: ScanPart): ScanPart {
  const part = withheldPart(said);
  const malformed: Malformed[] = [];
  const hidden: Hidden[] = [];
  const isSound = (record: string, why: string | null): boolean => {
    if (why !== null) {
      malformed.push({ where: clean(record), why });
      hidden.push({ record, why });
    }
    return why === null;
  };
  const covered =
    part.covered === null || isTime(part.covered.from, part.covered.until) ? part.covered : null;
  if (covered !== part.covered)
    malformed.push({ where: "the times of a part", why: "they are none that can be kept" });
  const kept = {
    ...part,
    claims: part.claims
      .filter(({ record, from, to, sentence, seen, versions = [] }) =>
        isSound(record, wrongIn([record], [from, to], [sentence], seen) ?? wrongInVersions(versions)),
      )
      .map((claim) => ({
        ...claim,
        ...{ from: shownThing(claim.from), to: shownThing(claim.to), sentence: shown(claim.sentence) },
        ...(claim.versions === undefined ? {} : { versions: shownVersions(claim.versions) }),
      })),
    copies: part.copies
      .filter(({ record, at, mark, sentence, seen }) =>
        isSound(record, wrongIn([record, mark], [at], [sentence], seen)),
      )
      .map((copy) => ({ ...copy, at: shownThing(copy.at), sentence: shown(copy.sentence) })),
    listed: part.listed
      .filter(({ record, thing, seen, purpose, expiresAt }) =>
        isSound(
          record,
          wrongIn([record], [thing], purpose === undefined ? [] : [purpose], seen) ??
            (isTime(expiresAt ?? 0) ? null : wrongTime),
        ),
      )
      .map((listed) => ({
        ...listed,
        thing: shownThing(listed.thing),
        ...(listed.purpose === undefined ? {} : { purpose: shown(listed.purpose) }),
      })),
    ...(part.uses === undefined
      ? {}
      : {
          uses: part.uses
            .filter(({ record, of, sentence, seen }) =>
              isSound(record, wrongIn([record], [of], [sentence], seen)),
            )
            .map((use) => ({ ...use, of: shownThing(use.of), sentence: shown(use.sentence) })),
        }),
    ...(part.own === undefined ? {} : { own: part.own.map(shownThing) }),
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
  if (kept.gaps.length + kept.malformed.length === 0) return kept;
  // What could not be kept is hidden in its record. Where one has a name that cannot be kept, nobody can tell what it is of.
  const { hidden: _, ...untold } = kept;
  const before = hiddenIn(part);
  if (before === null) return untold;
  const told = [...before.map(({ record, why }) => ({ record, why: clean(why) })), ...hidden];
  return told.every(({ record }) => isText(record)) ? { ...untold, hidden: told } : untold;
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
function wrongIn(
  names: readonly string[],
  things: readonly Thing[],
  sentences: readonly string[],
  seen: Seen,
): string | null {
  const told = [...names, ...things.map((thing) => JSON.stringify(textsOf(thing)))];
  if (told.some((name) => Buffer.byteLength(name) > nameBytesMax))
    return "it has a name that is too long to be kept";
  const texts = [...names, ...things.flatMap(textsOf), ...sentences];
  if (!texts.every(isText)) return "it has a text that cannot be kept: a NUL, or half of a surrogate pair";
  if (!isTime(seen.first, seen.last, ...things.flatMap(timesOf))) return wrongTime;
  return Number.isSafeInteger(seen.count) ? null : "it has a count that is none";
}

/** The same of the versions that were read. */
function wrongInVersions(versions: readonly VersionRead[]): string | null {
  if (versions.some(({ version }) => version.length > versionCharsMax))
    return "it has a version whose name is too long to be kept";
  if (!versions.every(({ version }) => isText(version)))
    return "it has a version whose name cannot be kept: a NUL, or half of a surrogate pair";
  if (!versions.every(({ first, last }) => isTime(first, last)))
    return "it has a version with a time that cannot be kept: outside of the years 1 to 9999";
  return null;
}

function textsOf(thing: Thing): string[] {
  switch (thing.is) {
    case "reader":
      return [thing.name, ...Object.values(thing.traits)];
    case "place":
      return [thing.store, ...Object.entries(thing.place).flat()];
    case "account":
      return [thing.issuer, thing.account];
    case "location":
      return [thing.scope, thing.path];
    case "credential":
      return [thing.scope, thing.name];
    case "named":
      return [thing.name];
  }
}

function timesOf(thing: Thing): number[] {
  const { createdAt, expiresAt } = thing as { createdAt?: number; expiresAt?: number };
  return [createdAt, expiresAt].filter((at) => at !== undefined);
}

const isText = (text: string): boolean => text.isWellFormed() && !text.includes("\0");

const isTime = (...times: readonly number[]): boolean =>
  times.every((at) => Number.isFinite(at) && at >= timeMin && at <= timeMax);

/** The text with a mark in the place of what cannot be kept. */
const clean = (text: string): string => shown(text.toWellFormed().replaceAll("\0", "\uFFFD"));

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

/** Each name once, also where two look the same without what was withheld or is a picture now. */
function shownVersions(versions: readonly VersionRead[]): VersionRead[] {
  const byName = new Map<string, VersionRead>();
  for (const { version: name, first, last } of versions) {
    const version = shown(name);
    const known = byName.get(version) ?? { first, last };
    byName.set(version, {
      version,
      first: Math.min(known.first, first),
      last: Math.max(known.last, last),
    });
  }
  return [...byName.values()];
}

function shownThing<Of extends Thing>(thing: Of): Of {
  return Object.fromEntries(
    Object.entries(thing).map(([field, value]) => [field, shownIn(value)]),
  ) as unknown as Of;
}

function shownIn(value: unknown): unknown {
  if (typeof value === "string") return shown(value);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, text]) => [shown(name), shownIn(text)]));
}
