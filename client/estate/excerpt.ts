/**
 * The line of the file that a problem is about, reduced to the names that lead to it and the part that is
 * marked. Everything else could be a secret that nobody has recognised, and an error message travels far.
 */

/** A line of the file to show, and what to underline in it: `start` counts from 0. */
export interface Excerpt {
  readonly text: string;
  readonly start: number;
  readonly length: number;
}

/** Indentation, list dashes, and the name in front of the marked part. */
const leadIn = /^[ \t]*(?:- +)*(?:(["']?)[\w.-]{1,64}\1 *: +)?$/;

const lengthMax = 80;
const cut = "…";

/** The excerpt around `start` to `end`; `undefined` when there is nothing on the line to show. */
export function excerptOf(
  text: string,
  start: number,
  end: number,
  showMarked: boolean,
): Excerpt | undefined {
  const lineStart = text.lastIndexOf("\n", start - 1) + 1;
  const lineEnd = endOfLine(text, start);
  const before = text.slice(lineStart, start);
  const lead = leadIn.test(before) && before.length <= lengthMax ? before.replaceAll("\t", " ") : `${cut} `;
  const whole = text.slice(start, Math.min(end, lineEnd));
  if (whole.trim() === "") return undefined;
  const marked = showMarked && end <= lineEnd && whole.length <= lengthMax ? whole : cut;
  const after = text.slice(Math.min(end, lineEnd), lineEnd);
  const tail = /^ *:/.test(after) ? ":" : "";
  const more = after.slice(tail.length).trim() === "" ? "" : ` ${cut}`;
  return { text: `${lead}${marked}${tail}${more}`, start: lead.length, length: marked.length };
}

function endOfLine(text: string, start: number): number {
  const end = text.indexOf("\n", start);
  const lineEnd = end === -1 ? text.length : end;
  return text[lineEnd - 1] === "\r" && lineEnd > start ? lineEnd - 1 : lineEnd;
}
