/**
 * The report of a leak: which versions, on what evidence, and who signs for it. The value itself is read,
 * hashed with the installation's key and dropped; only the hash goes on (protocol.md, Emergency).
 */
import { createHash } from "node:crypto";
import { Option } from "commander";
import { reportText } from "../../domain/documents.js";
import { RekeyError } from "../../domain/errors.js";
import type { EmergencyReport } from "../../domain/rotation/work.js";
import type { Cli } from "./cli.js";
import { type AsOptions, asOptions, option, yesOption } from "./command.js";
import type { Services } from "./deps.js";
import { pastedFrom } from "./pasted.js";
import { signingKey } from "./person.js";
import { readDocuments, sign } from "./signing.js";
import type { Subject } from "./subject.js";

/** A report is used at once, so a copy of it is worth nothing soon after. */
const validForMs = 3_600_000;

/** The flags of a report. */
export interface ReportOptions extends AsOptions {
  readonly reason?: string;
  readonly leaked?: "old" | "new" | "both" | "unknown";
  readonly valueFrom?: string;
  readonly containment?: "after-adoption" | "revoke-now";
  readonly document?: readonly string[];
  readonly yes?: boolean;
}

/** The flags as commander reads them. `--reason` is the command's own. */
export function reportOptions(): Option[] {
  return [
    new Option("--leaked <which>", "which version leaked").choices(["old", "new", "both", "unknown"]),
    option(
      "--value-from <source>",
      "`stdin`, `file:PATH` or `env:NAME` with the leaked value: evidence; it is not kept",
    ),
    new Option("--containment <how>", "when the leaked version is revoked (default: the policy's)").choices([
      "after-adoption",
      "revoke-now",
    ]),
    ...asOptions(),
    option("--document <file...>", "the same report, signed by another responder"),
    yesOption(),
  ];
}

/**
 * Asks before anything is read or signed: a report sets aside whoever has not agreed yet, and some of its
 * flags break somebody. Throws `bad-input` when nobody can answer, also because standard input is the value.
 */
export async function confirmReport(
  cli: Cli,
  name: string,
  { yes, valueFrom, containment }: ReportOptions,
  takesOver: boolean,
): Promise<boolean> {
  if (yes !== true && valueFrom === "stdin") {
    throw new RekeyError(
      "bad-input",
      "This asks before it acts, and standard input is the value.",
      "Name a file that holds the value, or add --yes.",
    );
  }
  const first = [
    ...(containment === "revoke-now" ? ["Whoever still uses what leaked breaks. "] : []),
    ...(takesOver ? ["The worker that runs the rotation now loses it. "] : []),
  ];
  const question = `${first.join("")}Report a leak of ${name}, and rotate before its owners sign?`;
  if (await cli.confirm(question, yes === true)) return true;
  cli.note("Nothing was reported.");
  return false;
}

/** What stands in the report's signed documents instead of the report: all that it orders, hashed. */
function reportDigest(report: Parameters<typeof reportText>[0]): string {
  return createHash("sha256").update(reportText(report)).digest("hex");
}

/** The signed report. Throws `bad-input` without a reason, and for a value that is another credential's. */
export async function reportOf(
  cli: Cli,
  services: Services,
  subject: Subject,
  options: ReportOptions,
): Promise<EmergencyReport> {
  const reason = reasonOf(options);
  const key = await signingKey(cli.io, options);
  const evidence =
    options.valueFrom === undefined ? null : await evidenceOf(cli, services, subject, options.valueFrom);
  const bound = { installation: services.installation, credential: subject.name, rotation: "", nonce: "" };
  const { containment } = options;
  const leaked = leakedOf(options.leaked, evidence?.matched === true);
  const digest = reportDigest({ reason, leaked, containment, evidence: evidence?.fingerprint });
  const mine = await sign(cli, key, bound, { says: "emergency", digest }, validForMs);
  const others = await Promise.all((options.document ?? []).map(readDocuments));
  return {
    documents: [mine, ...others.flat()],
    reason,
    leaked,
    evidence: evidence?.fingerprint ?? null,
    ...(containment === undefined ? {} : { containment }),
  };
}

/** The reason, which is what responders sign. */
export function reasonOf({ reason }: ReportOptions): string {
  if (reason !== undefined && reason.trim() !== "") return reason;
  throw new RekeyError(
    "bad-input",
    "An emergency needs a reason.",
    "Add --reason: it is signed, shown and kept.",
  );
}

/** Matched evidence says itself which versions it is about; otherwise what nobody knows may be everything. */
function leakedOf(given: ReportOptions["leaked"], matched: boolean): EmergencyReport["leaked"] {
  switch (given) {
    case "both":
      return ["old", "new"];
    case "old":
    case "new":
      return [given];
    default:
      return given === undefined && matched ? [] : "unknown";
  }
}

async function evidenceOf(
  cli: Cli,
  services: Services,
  subject: Subject,
  source: string,
): Promise<{ readonly fingerprint: string; readonly matched: boolean }> {
  const { whole, inside } = await pastedFrom(cli, services, source);
  const found = [];
  for (const fingerprint of [whole, ...inside])
    for (const { credential } of await services.inventory.matching(fingerprint))
      found.push({ fingerprint, credential });
  const mine = found.find(({ credential }) => credential === subject.id);
  const other = found.find(({ credential }) => credential !== subject.id);
  if (mine === undefined && other !== undefined) {
    const name = subject.names.of(other.credential);
    throw new RekeyError(
      "bad-input",
      `That value is one of ${name}'s, not of ${subject.name}.`,
      `Report it there: rekey rotate ${name} --emergency.`,
    );
  }
  cli.note(
    mine !== undefined
      ? "The value is a known version's; that is evidence, and one responder is enough."
      : "The value matches no version that is known; a second responder has to sign.",
  );
  // What is live and was not read yet is compared with one hash alone: where nobody knows any, with that of what stands in an address.
  const [only, ...more] = inside;
  const likely = only !== undefined && more.length === 0 ? only : whole;
  return { fingerprint: mine?.fingerprint ?? likely, matched: mine !== undefined };
}
