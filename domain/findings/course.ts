/**
 * A finding's course: it opens, is excepted until a day, is open again when that day is over, and ends when it is no longer
 * found. One that comes back goes on under its name. Nothing is forgotten: each change of state is a row of its own.
 */

import { type BoundedException, exceptionsFor, type Fitting, tooLongText } from "../exceptions.js";
import { keyOf, type Present } from "./present.js";

/** Where a finding stands. */
export type FindingState = "open" | "excepted" | "ended";

/** Who answers for an exception, why, and until when: milliseconds since the epoch. */
export interface HeldException {
  readonly owner: string;
  readonly reason: string;
  readonly until: number;
}

/** A finding as the records have it. Times are milliseconds since the epoch. */
export interface KeptFinding extends Omit<Present, "sources" | "shownBy"> {
  /** Its number, by which people name it. */
  readonly number: number;
  readonly state: FindingState;
  readonly exception: HeldException | null;
  /** Who shows it: sources by their ids, and `estate`. Empty where it follows from what nobody shows, or an earlier release kept it. */
  readonly sources: readonly string[];
  readonly firstSeen: number;
  readonly lastSeen: number;
  /** Since when it has been in its state. */
  readonly since: number;
}

/** A finding with where it stands now, and whether that is news. */
export interface Standing extends Present {
  readonly key: string;
  readonly state: Exclude<FindingState, "ended">;
  readonly exception: HeldException | null;
  /** It was in another state, or excepted otherwise, or not known at all. */
  readonly isNews: boolean;
  /** Since when, where it is news: an exception that has run out did so on its day, however late that is noticed. */
  readonly since: number;
}

/** What is known of a finding already. */
export interface KnownState {
  readonly state: FindingState;
  readonly exception: HeldException | null;
}

/**
 * Where a finding that is there stands at `now`. `exceptions` are those of the credential, or of the sources, that it
 * concerns; `about` of an exception names what the finding is about. One of several places is excepted when each of them is: one
 * that turns up later was nobody's to answer for. The sentence says what an exception without `about` covers besides, and that one
 * does not count because it lasts too long.
 */
export function standingOf(
  present: Present,
  known: KnownState | undefined,
  exceptions: readonly BoundedException[],
  now: number,
): Standing {
  const { code, subject, about, credential } = present;
  const { holding, tooLong } = exceptionsOf(present, exceptions, now);
  const exception =
    holding === null
      ? null
      : { owner: holding.owner, reason: holding.reason, until: Date.parse(holding.until) };
  const state = exception === null ? "open" : "excepted";
  const isNews = known?.state !== state || !isSame(known.exception, exception);
  const over = known?.exception?.until ?? now;
  const since = exception === null && over < now ? over : now;
  // Of these themselves there is one of each code.
  const isOne = about === null && ["credential", "consumer", "source"].includes(subject.type);
  const told =
    holding !== null && holding.about === undefined && !isOne
      ? ` The exception is for every ${code} ${credential === null ? "that the source shows" : "of the credential"}.`
      : tooLong === null
        ? ""
        : ` ${tooLongText(tooLong)}`;
  const sentence = `${present.sentence}${told}`;
  return { ...present, sentence, key: keyOf(present), state, exception, isNews, since };
}

function exceptionsOf(
  { code, subject, about, places }: Present,
  exceptions: readonly BoundedException[],
  now: number,
): Pick<Fitting, "holding" | "tooLong"> {
  const whole = exceptionsFor(exceptions, code, [about?.name ?? subject.name], now);
  if (about !== null || whole.holding !== null || places.length === 0) return whole;
  const each = places.map((place) => exceptionsFor(exceptions, code, [place], now));
  const holding = each
    .flatMap((one) => one.holding ?? [])
    .toSorted((one, other) => Date.parse(one.until) - Date.parse(other.until));
  const tooLong = [whole, ...each].find((one) => one.tooLong !== null)?.tooLong ?? null;
  return { holding: holding.length === each.length ? (holding[0] ?? null) : null, tooLong };
}

/** A kept finding as it stands at `now`: an exception holds until its day, whether or not anybody has looked since. */
export function keptAt(finding: KeptFinding, now: number): KeptFinding {
  const { state, exception } = finding;
  if (state !== "excepted" || exception === null || now < exception.until) return finding;
  return { ...finding, state: "open", exception: null, since: exception.until };
}

function isSame(one: HeldException | null, other: HeldException | null): boolean {
  if (one === null || other === null) return one === other;
  return one.owner === other.owner && one.reason === other.reason && one.until === other.until;
}
