/**
 * What the map's answer means for a rotation: readers that nobody explains, and the exceptions that somebody answers for
 * until a day.
 */

import { span } from "./duration.js";
import { answersFor, type BoundedException, exceptionsFor, tooLongText } from "./exceptions.js";
import type { Finding, Severity } from "./finding.js";
import type { EvidenceKind } from "./graph/types.js";
import { asSentence } from "./sentence.js";
import { minuteOf } from "./watched.js";

const dayMs = 24 * 60 * 60_000;

/** Somebody on the credential whom no consumer of the estate accounts for. */
export interface MappedReader {
  readonly name: string;
  /** `past`: it was seen, and not for so long that it does not count any more. */
  readonly known: EvidenceKind | "past";
  /** How it is known, and since when. */
  readonly sentence: string;
}

/** How far apart a declared consumer was seen reading the credential, on average. */
export interface ReadRhythm {
  readonly consumer: string;
  readonly intervalMs: number;
}

/**
 * Consumers who were seen to come back more rarely than anybody waits for (H22): a month-end job is quiet for a month, and
 * fails after the old version is gone. `waitedMs`: what the drain waits for each of them.
 */
export function slowFindings(
  rhythms: readonly ReadRhythm[],
  waitedMs: ReadonlyMap<string, number>,
): Finding[] {
  return rhythms.flatMap(({ consumer: subject, intervalMs }): Finding[] => {
    const waited = waitedMs.get(subject) ?? 0;
    // In whole days, so that the same rhythm is told in the same words at every look.
    const days = Math.round(intervalMs / dayMs);
    if (days === 0 || intervalMs <= waited) return [];
    const every = span(days * dayMs);
    return [
      {
        ...{ code: "slow-consumer", severity: "warn", subject },
        sentence: `${subject} was seen reading it about every ${every}, and only ${span(waited)} are waited for.`,
        hint: "State its `cadence`, or let it run once on the new version before the old one is destroyed.",
      },
    ];
  });
}

/** A place that no rotation changes, where the value stands that is to be revoked. */
export interface MappedCopy {
  readonly name: string;
  readonly literal: boolean;
  /** It has got there and is read by nobody there: a commit of long ago, a line of a log. */
  readonly past: boolean;
  readonly readers: readonly string[];
  /** What it was met as, and when. */
  readonly sentence: string;
}

/** A place at which a value was met. */
export interface MetCopy extends MappedCopy {
  /** Id of its node on the map. */
  readonly node: string;
  /** In milliseconds since the epoch. */
  readonly lastSeen: number;
  /** Ids of the sources that met it. */
  readonly sources: readonly string[];
}

/** Those of them at which nothing is delivered. `kept`: ids of the places that a rotation changes. */
export function strayCopies(met: readonly MetCopy[], kept: ReadonlySet<string>): MetCopy[] {
  return met
    .filter(({ node }) => !kept.has(node))
    .map((copy) => ({
      ...copy,
      sentence: `${asSentence(copy.sentence)} Last met ${minuteOf(copy.lastSeen)}.`,
    }));
}

/** How a copy stands where it does: outside of any store (`literal`), or at a place to which nothing is delivered. */
export function standsText(literal: boolean): string {
  return literal ? "written down outside of any store" : "kept where no rotation changes it";
}

/**
 * Copies as findings: whoever reads one goes on with the old value, whatever is delivered, and fails when it is revoked. One
 * that has only got somewhere is a reason to rotate, and stands in nobody's way.
 */
export function copyFindings(copies: readonly MappedCopy[], unmapped: "refuse" | "warn"): Finding[] {
  return copies.map(({ name: subject, literal, past, readers, sentence }): Finding => {
    if (past && readers.length === 0) {
      const got = `The value has got to ${subject}, where whoever can see that has it. ${sentence}`;
      const hint = "Rotating it is what mends that; `rekey rotate --emergency` does it now.";
      return { code: "leaked-copy", severity: "warn", subject, sentence: got, hint };
    }
    const where = standsText(literal);
    const who = readers.length === 0 ? "whoever reads it there" : readers.join(", ");
    return {
      ...{ code: "unmapped-copy", severity: unmapped, subject },
      sentence: `The value stands in ${subject}, ${where}: ${who} will fail when it is revoked. ${sentence}`,
      hint: "Let it be read from the store, or declare the place as one that is delivered to.",
    };
  });
}

/** Readers of the map as findings. Who only could read it, or once did, is shown, and stands in nobody's way. */
export function readerFindings(readers: readonly MappedReader[], unmapped: "refuse" | "warn"): Finding[] {
  return readers.map(({ name: subject, known, sentence }): Finding => {
    if (known === "potential") {
      const could = `${subject} could read it, and no declared consumer accounts for that. ${sentence}`;
      return { code: "potential-reader", severity: "warn", subject, sentence: could };
    }
    if (known === "past") {
      const was = `${subject} used it once and was not seen for long. ${sentence}`;
      return { code: "past-reader", severity: "warn", subject, sentence: was };
    }
    return {
      ...{ code: "unmapped-reader", severity: unmapped, subject },
      sentence: `${subject} uses it and is no declared consumer of it. ${sentence}`,
      hint: "Declare it as a consumer, or let one claim it (`match`); `rekey consumers` shows how it is known.",
    };
  });
}

/**
 * The findings with the exceptions that hold now: what was excepted is shown, with who answers for it and for what else, and
 * stands in nobody's way. One that has run out, or lasts longer than it may, says so beside the refusal.
 */
export function excepting(
  findings: readonly Finding[],
  exceptions: readonly BoundedException[],
  now: number,
): Finding[] {
  return findings.map((finding) => {
    if (finding.severity !== "refuse") return finding;
    const subjects = finding.subject === undefined ? [] : [finding.subject];
    const { holding, tooLong, over } = exceptionsFor(exceptions, finding.code, subjects, now);
    if (holding !== null) {
      const whole = holding.about === undefined && finding.subject !== undefined;
      const what = whole ? `every ${finding.code} of the credential` : "it";
      const sentence = `${finding.sentence} ${answersFor(holding, what)}`;
      return { ...finding, severity: "warn" satisfies Severity, sentence };
    }
    if (tooLong !== null) return { ...finding, sentence: `${finding.sentence} ${tooLongText(tooLong)}` };
    if (over === null) return finding;
    return {
      ...finding,
      sentence: `${finding.sentence} The exception that ${over.owner} answered for ended on ${over.until.slice(0, 10)}.`,
    };
  });
}
