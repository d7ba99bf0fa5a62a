/** What an owner is told of new findings: a few of them, the rest counted, and where all of them stand. */
import { count } from "../count.js";
import type { FindingCode } from "./codes.js";

/** Codes of which owners are told although no rotation is refused for them: what waits there for a person gets worse. */
export const toldBesides: readonly FindingCode[] = ["leaked-copy", "source-failing"];

/** Findings that one notice names; the others are counted. */
export const namedInDigest = 20;

/** A finding as a notice names it. */
export interface DigestLine {
  readonly number: number;
  readonly code: string;
  /** What it is about, as people call it. */
  readonly what: string;
  readonly sentence: string;
}

/** Characters of one line: names of others stand in it, of any length. */
const charactersMax = 400;

/**
 * Subject and text for `owner`; null: for whoever runs the installation, because nobody answers for what was found. `lines` are
 * the first of `total`. One finding is one line, whatever stands in it.
 */
export function digestOf(
  owner: string | null,
  lines: readonly DigestLine[],
  total: number,
): { readonly subject: string; readonly text: string } {
  const whose = owner === null ? "of what nobody answers for" : `for ${owner}`;
  const subject = `${count(total, "new finding")} ${whose}`;
  const named = lines.slice(0, namedInDigest).map(lineOf);
  const more = total > named.length ? [`and ${total - named.length} more`] : [];
  const all = owner === null ? "`rekey findings`" : `\`rekey findings --owner ${owner}\``;
  const where = `${all} shows what stands, \`rekey findings NUMBER\` what one means and what mends it.`;
  return { subject, text: [`${subject}:`, ...named, ...more, where].join("\n") };
}

function lineOf({ number, code, what, sentence }: DigestLine): string {
  const said = `${number} ${code}, ${what}: ${sentence}`.replace(/[\s\p{Cc}\p{Cf}]+/gu, " ").trim();
  return said.length > charactersMax ? `${said.slice(0, charactersMax).trimEnd()}…` : said;
}
