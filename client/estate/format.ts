/** Prints problems the way compilers do: place first, then the sentence, the line, and what would have been right. */
import { count } from "../../domain/count.js";
import type { EstateProblem } from "./problem.js";

/** Options of `formatProblems`. `limit`: how many are printed before the rest is only counted. */
export interface FormatOptions {
  readonly limit?: number;
}

/** Problems as text, each a paragraph; no colours and no full stops. Ends with a line that counts them. */
export function formatProblems(
  problems: readonly EstateProblem[],
  { limit = 100 }: FormatOptions = {},
): string {
  const shown = problems.slice(0, limit).map(paragraph);
  const left = problems.length - shown.length;
  const counted = count(problems.length, "problem");
  return [...shown, left > 0 ? `${counted}, ${left} of them not shown` : counted].join("\n\n");
}

/** Problems as JSON for programs: the same fields, without excerpts. */
export function problemsToJson(problems: readonly EstateProblem[]): string {
  return JSON.stringify({ problems: problems.map(({ excerpt: _, ...problem }) => problem) }, null, 2);
}

function paragraph(problem: EstateProblem): string {
  const { file, line, column, where, message, excerpt } = problem;
  const head = `${file}:${line}:${column}: ${where === "" ? "" : `${where}: `}${message}`;
  const gutter = " ".repeat(String(line).length);
  const underlined =
    excerpt === undefined
      ? []
      : [
          `  ${line} | ${excerpt.text}`,
          `  ${gutter} | ${" ".repeat(excerpt.start)}${"^".repeat(Math.max(1, excerpt.length))}`,
        ];
  const details = (["expected", "found", "hint"] as const).flatMap((field) => {
    const text = problem[field];
    return text === undefined ? [] : [`  ${`${field}:`.padEnd(9)} ${text}`];
  });
  return [head, ...underlined, ...details].join("\n");
}
