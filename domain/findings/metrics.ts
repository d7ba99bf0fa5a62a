/**
 * Figures of the programme: each a part of a whole that is named, with what is known and not counted. A figure without its
 * denominator says nothing, and one that leaves out what nobody can see says too much (C31).
 */
import {
  type CredentialFacts,
  dormancyOfCredential,
  findingsOfCredential,
  isVisible,
  type Picture,
} from "./credential.js";

/** What a figure is called. */
export type FigureName =
  | "declared"
  | "visible"
  | "owned"
  | "readers-owned"
  | "explained"
  | "overdue"
  | "proved"
  | "dormant"
  | "outside"
  | "offboarded"
  | "excepted";

/** One figure. */
export interface Figure {
  readonly name: FigureName;
  readonly numerator: number;
  readonly denominator: number;
  /** How many are known and in neither number. */
  readonly leftOut: number;
  /** What the numerator counts, and of what. */
  readonly what: string;
  /** What is in neither number, and why. */
  readonly notCounted: string;
}

/** What counts of one credential. */
export interface CredentialTally {
  readonly isDeclared: boolean;
  readonly isOwned: boolean;
  readonly isVisible: boolean;
  readonly isExplained: boolean;
  readonly hasEnd: boolean;
  readonly isOverdue: boolean;
  readonly isProved: boolean;
  /** Null where nobody can say. */
  readonly isDormant: boolean | null;
}

/** What counts besides credentials. */
export interface Totals {
  /** Consumers and identities that use something. */
  readonly readers: number;
  readonly readersOwned: number;
  /** Places at which a value was met. */
  readonly places: number;
  readonly placesOutside: number;
  /** Credentials that have left the estate; of which the records know versions; of which none is left. */
  readonly left: number;
  readonly leftKnown: number;
  readonly leftDead: number;
  readonly findings: number;
  readonly findingsExcepted: number;
}

/** What counts of a credential, by the findings that it has. */
export function tallyOf(facts: CredentialFacts, picture: Picture): CredentialTally {
  const codes = new Set(findingsOfCredential(facts, picture).map(({ code }) => code));
  const { is } = dormancyOfCredential(facts, picture);
  return {
    isDeclared: facts.declared !== null,
    isOwned: !codes.has("no-owner"),
    isVisible: isVisible(facts, picture),
    isExplained: !codes.has("unmapped-reader") && !codes.has("unexplained-use"),
    hasEnd: !codes.has("no-expiry"),
    isOverdue: codes.has("overdue"),
    isProved: facts.rotatedAt !== null,
    isDormant: is === "dormant" ? true : is === "live" ? false : null,
  };
}

/** The figures, in the order in which a programme gets on: known, seen, owned, explained, in time, gone. */
export function figuresOf(credentials: readonly CredentialTally[], totals: Totals): Figure[] {
  const count = (is: (one: CredentialTally) => boolean) => credentials.filter(is).length;
  const known = credentials.length;
  const declared = count((one) => one.isDeclared);
  const seen = count((one) => one.isDeclared && one.isVisible);
  const ending = count((one) => one.hasEnd);
  const told = count((one) => one.isDormant !== null);
  const { readers, readersOwned, places, placesOutside, left, leftKnown, leftDead } = totals;
  return [
    figure("declared", [declared, known, 0], {
      what: "credentials that the estate declares, of all that are known",
      notCounted: "what neither the estate nor a source names",
    }),
    figure("visible", [count((one) => one.isVisible), known, 0], {
      what: "credentials whose use would be seen, by sources that are read without a gap, of all that are known",
      notCounted: "uses that leave no trace in any source",
    }),
    figure("owned", [count((one) => one.isOwned), known, 0], {
      what: "credentials that somebody answers for, of all that are known",
      notCounted: "what neither the estate nor a source names",
    }),
    figure("readers-owned", [readersOwned, readers, 0], {
      what: "consumers and identities that somebody answers for, of all that use something",
      notCounted: "who only could read something",
    }),
    figure(
      "explained",
      [count((one) => one.isDeclared && one.isVisible && one.isExplained), seen, declared - seen],
      {
        what: "declared credentials on which nobody was seen but their consumers, of those whose use would be seen",
        notCounted: "declared ones whose use no source would see",
      },
    ),
    figure("overdue", [count((one) => one.hasEnd && one.isOverdue), ending, known - ending], {
      what: "credentials that are due or have run out, of those that have an end",
      notCounted: "credentials without an interval or an end",
    }),
    figure("proved", [count((one) => one.isDeclared && one.isProved), declared, known - declared], {
      what: "credentials that were rotated at least once, of those that the estate declares",
      notCounted: "credentials that only a source lists",
    }),
    figure("dormant", [count((one) => one.isDormant === true), told, known - told], {
      what: "credentials that nobody was seen using, of those of which that can be said",
      notCounted: "credentials that nobody watches, or not for long enough",
    }),
    figure("outside", [placesOutside, places, 0], {
      what: "places outside of any store, of all places at which a value was met",
      notCounted: "values in what no source reads",
    }),
    figure("offboarded", [leftDead, leftKnown, left - leftKnown], {
      what: "credentials that have left the estate and of which no version is left, of those whose versions are known",
      notCounted:
        "credentials that left the estate and were never rotated: nobody knows whether they are valid",
    }),
    figure("excepted", [totals.findingsExcepted, totals.findings, 0], {
      what: "findings that an owner answers for until a day, of all that stand",
      notCounted: "findings that have ended",
    }),
  ];
}

function figure(
  name: FigureName,
  [numerator, denominator, leftOut]: readonly [number, number, number],
  words: Pick<Figure, "what" | "notCounted">,
): Figure {
  return { name, numerator, denominator, leftOut, ...words };
}
