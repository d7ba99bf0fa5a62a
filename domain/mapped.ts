/**
 * What the map's answer means for a rotation: readers that nobody explains, sources that were not read for long, and the
 * exceptions that somebody answers for until a day.
 */
import { formatDuration } from "./duration.js";
import type { CredentialException } from "./estate/types.js";
import type { Finding, Severity } from "./finding.js";
import type { EvidenceKind } from "./graph/types.js";

/** Somebody on the credential whom no consumer of the estate accounts for. */
export interface MappedReader {
  readonly name: string;
  readonly known: EvidenceKind;
  /** How it is known, and since when. */
  readonly sentence: string;
}

/** A source that would see who uses the credential. `ageMs` since it was read to its end; null where it never was. */
export interface SourceAge {
  readonly name: string;
  readonly ageMs: number | null;
}

/** How old a source's last whole reading may be where the policy does not say. */
export const evidenceMaxAgeMs = 7 * 24 * 60 * 60_000;

/** Readers of the map as findings. Who only could read it is shown, and stands in nobody's way. */
export function readerFindings(readers: readonly MappedReader[], unmapped: "refuse" | "warn"): Finding[] {
  return readers.map(({ name, known, sentence }) =>
    known === "potential"
      ? {
          ...{ code: "potential-reader", severity: "warn", subject: name },
          sentence: `${name} could read it, and no declared consumer accounts for that. ${sentence}`,
        }
      : {
          ...{ code: "unmapped-reader", severity: unmapped, subject: name },
          sentence: `${name} uses it and is no declared consumer of it. ${sentence}`,
          hint: "Declare it as a consumer, or let one claim it (`match`); `rekey consumers` shows how it is known.",
        },
  );
}

/** Sources whose word is too old to rely on. */
export function staleFindings(
  sources: readonly SourceAge[],
  unmapped: "refuse" | "warn",
  maxAgeMs: number,
): Finding[] {
  return sources.flatMap(({ name, ageMs }): Finding[] => {
    const hint = `Run \`rekey discover ${name}\`.`;
    const code = "stale-evidence";
    if (ageMs === null)
      return [
        {
          code,
          severity: unmapped,
          subject: name,
          sentence: `The source ${name} was never read to its end.`,
          hint,
        },
      ];
    if (ageMs <= maxAgeMs) return [];
    const age = formatDuration(Math.floor(ageMs / 60_000) * 60_000);
    const sentence = `The source ${name} was read to its end ${age} ago; the policy asks for ${formatDuration(maxAgeMs)}.`;
    return [{ code, severity: unmapped, subject: name, sentence, hint }];
  });
}

/** What an owner may take upon themself; everything else is mended, and not excepted. */
export const exceptable = ["unmapped-reader", "consumer-without-owner", "stale-evidence"] as const;

/**
 * The findings with the exceptions that hold now: what was excepted is shown, with who answers for it, and stands in nobody's
 * way. One that has run out says so beside the refusal that is there again.
 */
export function excepting(
  findings: readonly Finding[],
  exceptions: readonly CredentialException[],
  now: number,
): Finding[] {
  return findings.map((finding) => {
    const fits = exceptions.filter(
      ({ finding: code, about }) =>
        code === finding.code && (about === undefined || about === finding.subject),
    );
    const holding = fits.find(({ until }) => now < Date.parse(until));
    if (finding.severity !== "refuse") return finding;
    if (holding !== undefined) {
      const { owner, until, reason } = holding;
      const sentence = `${finding.sentence} ${owner} answers for it until ${day(until)}: ${reason}`;
      return { ...finding, severity: "warn" satisfies Severity, sentence };
    }
    const [over] = fits;
    if (over === undefined) return finding;
    return {
      ...finding,
      sentence: `${finding.sentence} The exception that ${over.owner} answered for ended on ${day(over.until)}.`,
    };
  });
}

function day(iso: string): string {
  return iso.slice(0, 10);
}
