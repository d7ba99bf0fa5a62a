/** What a scanner of secrets found, as a copy of a value at a place: the value is turned into its keyed hash here and dropped. */
import { z } from "zod";
import type { Malformed } from "../../domain/discovery/said.js";
import { RekeyError } from "../../domain/errors.js";
import { name } from "../../domain/estate/fields.js";
import { type Finding, refusalOf } from "../../domain/finding.js";
import type { AdapterDeps, Call } from "../ports.js";
import type { Said } from "./source-part.js";
import { isGarbled, type OpenReport, openReport } from "./source-text.js";
import { isTellable } from "./source-values.js";

/** One finding. `values` are all forms of the value that the report has; they leave this process as hashes alone. */
export interface Leak {
  readonly record: string;
  /** `repository shop`. */
  readonly scope: string;
  /** Of a commit with its line, as that never moves; of a file as it is now without. */
  readonly commit: string;
  readonly file: string;
  readonly rule: string;
  readonly line: number | null;
  readonly values: readonly string[];
  /** When it came there, as the report says it; any text that is no time counts as none. */
  readonly date: string | undefined;
  /** Whoever found it tried it, and it opened something. */
  readonly verified: boolean;
  /** What is said of it besides, beginning with a space or with nothing. */
  readonly besides: string;
}

/** The `repository` of a report's settings. */
export function repositoryName() {
  return name().describe("What the scanned repository is called on the map.");
}

/** The `file` of a report's settings. */
export function reportFile() {
  return z.string().min(1).describe("The report's file; compressed with gzip or not.");
}

/** The finding as it is said, and whether its value could be marked: a redacted one cannot. */
export function leakSaid(
  leak: Leak,
  report: OpenReport,
  deps: AdapterDeps,
): Said & { readonly marked: boolean } {
  const values = [...new Set(leak.values)].filter(isTellable);
  const hide = (text: string) => leak.values.reduce((rest, value) => withoutValue(rest, value), text);
  const { commit, file, rule, line, scope, record } = leak;
  const path = hide(commit === "" ? `${file}:${rule}` : `${commit}:${file}:${rule}:${line ?? 0}`);
  const at = { is: "location", scope: hide(scope), path } as const;
  const began = Date.parse(leak.date ?? "");
  const last = report.modifiedAt;
  const seen = { first: Number.isNaN(began) ? last : Math.min(began, last), last, count: 1 };
  const where = `${file}${line === null ? "" : ` line ${line}`}${commit === "" ? "" : ` of commit ${commit.slice(0, 12)}`}`;
  const sentence = hide(`A value that the rule ${rule} found in ${where}${leak.besides}.`);
  // It stands there also where the report keeps back what.
  const marks = values.length === 0 ? [""] : values.map((value) => deps.mark(value));
  const copies = marks.map((mark) => ({
    ...{ record, at, mark, literal: true, past: commit !== "", verified: leak.verified, seen, sentence },
  }));
  return { copies, listed: [{ record, thing: at, seen }], marked: values.length > 0 };
}

/** Why an entry cannot be used, and where it stands: in the report, by its number. */
export function malformedEntry(report: OpenReport, number: number, why: string): Malformed {
  return { where: `${report.path} entry ${number}`, why };
}

/** True where bytes of the scanned file were no text: the hash would be one of something else. */
export function isUnreadable(values: readonly string[]): boolean {
  return values.some(isGarbled);
}

/** The gap of those whose values the report keeps back, or that cannot be told from others. */
export function maskedGap(report: OpenReport, masked: number): Said[] {
  if (masked === 0) return [];
  const gap = `The values of ${masked} findings of ${report.path} are kept back, cut, or too common to be told from others; where else they lie is not known.`;
  return [{ gaps: [gap], records: 0 }];
}

/** Whether each report can be opened; nothing of it is read. */
export async function reportFindings(files: readonly string[], call: Call): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const file of files) {
    try {
      await (await openReport(file, call)).close();
    } catch (error) {
      if (!(error instanceof RekeyError)) throw error;
      findings.push({ ...refusalOf(error), subject: file });
    }
  }
  return findings;
}

function withoutValue(text: string, value: string): string {
  return value.length < 4 ? text : text.replaceAll(value, "[value]");
}
