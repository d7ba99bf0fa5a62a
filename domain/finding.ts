/** Findings: the named checks' answers, each a code and a sentence, so that a refusal can be read and a policy can name it. */

/** `refuse` stops the rotation, `warn` is shown in the plan, `info` is context. */
export type Severity = "refuse" | "warn" | "info";

/** One answer of one check. `subject` names what it is about (a consumer, a login, a place), never a value. */
export interface Finding {
  readonly code: string;
  readonly severity: Severity;
  readonly sentence: string;
  readonly subject?: string;
}

/** The findings that stand in the way. */
export function refusals(findings: readonly Finding[]): Finding[] {
  return findings.filter((finding) => finding.severity === "refuse");
}
