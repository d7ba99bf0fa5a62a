/** Findings: the named checks' answers, each a code and a sentence, so that a refusal can be read and a policy can name it. */
import type { RekeyError } from "./errors.js";

/** `refuse` stops the rotation, `warn` is shown in the plan, `info` is context. */
export type Severity = "refuse" | "warn" | "info";

/** One answer of one check. `subject` names what it is about (a consumer, a login, a place), never a value. */
export interface Finding {
  readonly code: string;
  readonly severity: Severity;
  readonly sentence: string;
  readonly subject?: string;
  /** What mends it, where the sentence does not say so. */
  readonly hint?: string;
}

/** A failure as a finding that stands in the way: what it says, and what it says can be done. */
export function refusalOf({ code, message, hint }: RekeyError): Finding {
  return { code, severity: "refuse", sentence: message, hint };
}

/** The findings that stand in the way. */
export function refusals(findings: readonly Finding[]): Finding[] {
  return findings.filter((finding) => finding.severity === "refuse");
}
