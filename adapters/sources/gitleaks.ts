/** Reports of gitleaks, JSON or SARIF: where in a repository values lie in the open. Each is a place and a keyed hash, and no value. */
import { z } from "zod";
import type { AdapterDeps, Call, Source, SourceKind } from "../ports.js";
import {
  isUnreadable,
  type Leak,
  leakSaid,
  malformedEntry,
  maskedGap,
  reportFile,
  reportFindings,
  repositoryName,
} from "../shared/source-leak.js";
import { reportParts, type Said } from "../shared/source-part.js";
import { entriesOf, type OpenReport } from "../shared/source-text.js";

const config = z.strictObject({
  reports: z
    .array(z.strictObject({ file: reportFile(), repository: repositoryName() }))
    .min(1)
    .describe("Reports in the format json or sarif; which one it is, each says itself."),
});

type Config = z.output<typeof config>;
type Report = Config["reports"][number];

/** The kind's entry in the registry. */
export const gitleaks: SourceKind<typeof config> = {
  shows: "now",
  sees: "configuration",
  config,
  create: (settings, deps) => createGitleaks(settings, deps),
};

function createGitleaks({ reports }: Config, deps: AdapterDeps): Source {
  const files = reports.map(({ file }) => file);
  const byFile = new Map(reports.map((report) => [report.file, report]));
  return {
    preflight: (call) => reportFindings(files, call),
    scan: (cursor: string | null, call: Call) =>
      reportParts(
        files,
        cursor,
        { recordOf, read: (report) => said(report, byFile.get(report.path), deps) },
        call,
        deps.now(),
      ),
    close: async () => {},
  };
}

/** All that one report says is of one record. */
const recordOf = (path: string): string => `gitleaks report ${path}`;

const line = z.int().min(0);
const text = z.string();

const finding = z.object({
  RuleID: text.min(1),
  File: text.min(1),
  StartLine: line,
  Secret: text,
  Commit: text.default(""),
  Date: text.optional(),
});

const result = z.object({
  ruleId: text.min(1),
  locations: z
    .array(
      z.object({
        physicalLocation: z.object({
          artifactLocation: z.object({ uri: text.min(1) }),
          region: z.object({ startLine: line, snippet: z.object({ text }) }),
        }),
      }),
    )
    .min(1),
  partialFingerprints: z
    .object({ commitSha: text.default(""), date: text.optional() })
    .default({ commitSha: "" }),
});

type Found = Pick<Leak, "commit" | "file" | "rule" | "line" | "date"> & { readonly value: string };

async function* said(
  report: OpenReport,
  settings: Report | undefined,
  deps: AdapterDeps,
): AsyncIterable<Said> {
  let number = 0;
  let masked = 0;
  let isSarif = false;
  const paths = (first: string) => {
    isSarif = first === "{";
    if (isSarif) return ["$.runs.*.results.*"];
    return first === "[" ? ["$.*"] : null;
  };
  for await (const entry of entriesOf(report.text(), paths)) {
    if ("broken" in entry) {
      yield { malformed: [{ where: report.path, why: entry.broken }] };
      continue;
    }
    number++;
    const found = isSarif ? ofSarif(entry.value) : ofJson(entry.value);
    if (typeof found === "string") {
      yield { malformed: [malformedEntry(report, number, found)] };
      continue;
    }
    const { value, ...where } = found;
    if (isUnreadable([value, where.file])) {
      yield { malformed: [malformedEntry(report, number, "what was found is no text")] };
      continue;
    }
    const leak = {
      ...where,
      record: recordOf(report.path),
      scope: `repository ${settings?.repository}`,
      values: [value],
      // It tries nothing.
      verified: false,
      besides: "",
    };
    const { marked, ...rest } = leakSaid(leak, report, deps);
    if (!marked) masked++;
    yield rest;
  }
  yield* maskedGap(report, masked);
}

function ofJson(entry: unknown): Found | string {
  const { success, data, error } = finding.safeParse(entry);
  if (!success) return lacking(error);
  const { RuleID: rule, File: file, StartLine, Secret: value, Commit: commit, Date: date } = data;
  return { rule, file, line: StartLine, value, commit, date };
}

function ofSarif(entry: unknown): Found | string {
  const { success, data, error } = result.safeParse(entry);
  if (!success) return lacking(error);
  const { ruleId: rule, locations, partialFingerprints } = data;
  const [first] = locations;
  if (first === undefined) return "it has no location";
  const { artifactLocation, region } = first.physicalLocation;
  return {
    rule,
    file: artifactLocation.uri,
    line: region.startLine,
    value: region.snippet.text,
    commit: partialFingerprints.commitSha,
    date: partialFingerprints.date,
  };
}

/** The fields that are not as they should be, which are names of the format and nothing that stood there. */
function lacking(error: z.ZodError): string {
  const fields = new Set(error.issues.map(({ path }) => path.join(".") || "the whole"));
  return `it is no finding of gitleaks, by ${[...fields].join(", ")}`;
}
