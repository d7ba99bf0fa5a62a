/**
 * Reports of TruffleHog, a finding a line: where values lie in the open, and whether they were found to work. Each is a
 * place and keyed hashes, and no value.
 */
import { z } from "zod";
import type { AdapterDeps, Call, Source, SourceKind } from "../ports.js";
import {
  isUnreadable,
  leakSaid,
  maskedGap,
  reportFile,
  reportFindings,
  repositoryName,
} from "../shared/source-leak.js";
import { reportParts, type Said } from "../shared/source-part.js";
import { CutOff, type Line, lengthMax, linesOf, type OpenReport } from "../shared/source-text.js";

const config = z.strictObject({
  reports: z
    .array(
      z.strictObject({
        file: reportFile(),
        repository: repositoryName().optional(),
      }),
    )
    .min(1)
    .describe("What `trufflehog --json` printed. Without `repository` each finding's own is taken."),
});

type Config = z.output<typeof config>;

/** The kind's entry in the registry. */
export const trufflehog: SourceKind<typeof config> = {
  shows: "now",
  sees: "configuration",
  config,
  create: (settings, deps) => createTrufflehog(settings, deps),
};

function createTrufflehog({ reports }: Config, deps: AdapterDeps): Source {
  const files = reports.map(({ file }) => file);
  const named = new Map(reports.map(({ file, repository }) => [file, repository]));
  return {
    preflight: (call) => reportFindings(files, call),
    scan: (cursor: string | null, call: Call) =>
      reportParts(
        files,
        cursor,
        { recordOf, read: (report) => said(report, named.get(report.path), deps) },
        call,
        deps.now(),
      ),
    close: async () => {},
  };
}

/** All that one report says is of one record. */
const recordOf = (path: string): string => `trufflehog report ${path}`;

const text = z.string();

const finding = z.object({
  DetectorName: text.min(1),
  Raw: text,
  RawV2: text.default(""),
  Verified: z.boolean().default(false),
  VerificationError: text.optional(),
  SourceMetadata: z.object({ Data: z.record(text, z.record(text, z.unknown())) }),
});

type Finding = z.output<typeof finding>;

/** What says where a finding lies, whatever was scanned, from the outside in. Git's commit stands before it. */
const whereFields = ["bucket", "image", "layer", "project", "space", "channel_id", "page", "path", "file"];

async function* said(
  report: OpenReport,
  repository: string | undefined,
  deps: AdapterDeps,
): AsyncIterable<Said> {
  let masked = 0;
  try {
    for await (const line of linesOf(report.text())) {
      if (line.text?.trim() === "") continue;
      const { marked, ...rest } = lineSaid(line, report, repository, deps);
      if (marked === false) masked++;
      yield rest;
    }
  } catch (error) {
    if (!(error instanceof CutOff)) throw error;
    yield { malformed: [{ where: report.path, why: "the compressed file breaks off" }] };
  }
  yield* maskedGap(report, masked);
}

function lineSaid(
  { number, text: content }: Line,
  report: OpenReport,
  repository: string | undefined,
  deps: AdapterDeps,
): Said & { readonly marked?: boolean } {
  const malformed = (why: string) => ({ malformed: [{ where: `${report.path} line ${number}`, why }] });
  if (content === null) return malformed(`it is longer than ${lengthMax} characters`);
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch {
    return malformed("it is not JSON");
  }
  const { success, data, error } = finding.safeParse(value);
  if (!success) {
    const fields = new Set(error.issues.map(({ path }) => path.slice(0, 2).join(".") || "the whole"));
    return malformed(`it is no finding of TruffleHog, by ${[...fields].join(", ")}`);
  }
  const values = valuesOf(data);
  if (isUnreadable(values)) return malformed("what was found is no text");
  const [[, place] = ["", {}]] = Object.entries(data.SourceMetadata.Data);
  const has = (field: string) => (typeof place[field] === "string" ? place[field] : "");
  const file = whereFields
    .map(has)
    .filter((part) => part !== "")
    .join("/");
  if (file === "") return malformed("it does not say where it was found");
  const leak = {
    record: recordOf(report.path),
    scope: scopeOf(repository, has("repository"), data),
    commit: has("commit"),
    file,
    rule: data.DetectorName,
    line: typeof place.line === "number" ? place.line : null,
    values,
    date: has("timestamp"),
    verified: data.Verified,
    besides: verdictOf(data),
  };
  return leakSaid(leak, report, deps);
}

/** `RawV2` is the whole where a credential has two halves, and then `Raw` the first of them: the second is a value of its own. */
function valuesOf({ Raw, RawV2 }: Finding): string[] {
  const second = RawV2.startsWith(Raw) ? RawV2.slice(Raw.length).replace(/^:/, "") : "";
  return [Raw, RawV2, second].filter((value) => value !== "");
}

function verdictOf({ Verified, VerificationError }: Finding): string {
  if (Verified) return "; TruffleHog verified that it works";
  return VerificationError === undefined
    ? "; whether it works is not known"
    : "; that it works could not be verified";
}

/** An address of a repository may have a login in it. */
function scopeOf(repository: string | undefined, own: string, { SourceMetadata }: Finding): string {
  if (repository !== undefined) return `repository ${repository}`;
  if (own === "") return Object.keys(SourceMetadata.Data)[0]?.toLowerCase() ?? "";
  if (!URL.canParse(own)) return `repository ${own.slice(own.lastIndexOf("@") + 1)}`;
  const { host, pathname } = new URL(own);
  return `repository ${host}${pathname.replace(/\.git$/, "")}`;
}
