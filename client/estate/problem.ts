/** What is wrong with the file, where exactly, in a form that people and programs can both use. */
import { LineCounter } from "yaml";
import type { EstatePath } from "../../domain/estate/issues.js";
import { type Excerpt, excerptOf } from "./excerpt.js";

/** One thing that is wrong. Lines and columns count from 1; columns are UTF-16 code units, as editors count. */
export interface EstateProblem {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** Stable, for programs. */
  readonly code: string;
  /** `["credentials", "orders-db", "policy"]`; empty for the file as a whole. */
  readonly path: EstatePath;
  /** The path in words: `credentials › orders-db › policy`. */
  readonly where: string;
  readonly message: string;
  readonly expected?: string;
  readonly found?: string;
  readonly hint?: string;
  /** The line with everything cut out that the problem is not about; absent where it would show a secret. */
  readonly excerpt?: Excerpt;
}

/** A problem on its way to its place: offsets into the text instead of lines. */
export interface Spotted {
  readonly start: number;
  readonly end: number;
  readonly code: string;
  readonly path: EstatePath;
  readonly message: string;
  readonly expected?: string;
  readonly found?: string;
  readonly hint?: string;
  /** How much of the line may be shown: the marked part itself, only its surroundings, or nothing. */
  readonly show: "marked" | "around" | "nothing";
}

/** A text with its line starts. */
export interface Source {
  readonly file: string;
  readonly text: string;
  readonly lines: LineCounter;
}

/** Prepares a text for looking up lines. */
export function sourceOf(file: string, text: string): Source {
  const lines = new LineCounter();
  for (let start = 0; start >= 0; start = text.indexOf("\n", start) + 1 || -1) lines.addNewLine(start);
  return { file, text, lines };
}

/**
 * Problems in the order of the file, each once, with lines, words and excerpts. Where a secret stands nothing
 * else is said, and the texts in `literals` are cut out of everything that is: a name can be one as well.
 */
export function place(
  spotted: readonly Spotted[],
  source: Source,
  literals: readonly string[],
): EstateProblem[] {
  const secrets = spotted.filter(({ show }) => show === "nothing");
  const linesOfSecrets = new Set(
    secrets.flatMap(({ start, end }) => [lineOf(source, start), lineOf(source, end)]),
  );
  const starts = new Set(secrets.map(({ start }) => start));
  const seen = new Set<string>();
  return spotted
    .filter((one) => one.show === "nothing" || !starts.has(one.start))
    .toSorted((a, b) => a.start - b.start)
    .map((one) => redact(problem(one, source, linesOfSecrets), literals))
    .filter((one) => {
      // Without a text all of it is at one place, and told apart by what it is about.
      const about = source.text === "" ? one.where : "";
      const key = `${one.line}:${one.column}:${one.code}:${one.message}${about}`;
      return !seen.has(key) && seen.add(key);
    });
}

function problem(spotted: Spotted, source: Source, linesOfSecrets: ReadonlySet<number>): EstateProblem {
  const { start, end, show, ...rest } = spotted;
  const { line, col } = source.lines.linePos(start);
  const hidden = show === "nothing" || linesOfSecrets.has(line);
  const excerpt = hidden ? undefined : excerptOf(source.text, start, end, show === "marked");
  const where = {
    file: source.file,
    line: Math.max(1, line),
    column: Math.max(1, col),
    where: inWords(rest.path),
  };
  return { ...where, ...rest, ...(excerpt === undefined ? {} : { excerpt }) };
}

/** The problem without any of the texts. Every field is searched: what is added later is covered too. */
function redact(one: EstateProblem, literals: readonly string[]): EstateProblem {
  const cut = (value: unknown): unknown => {
    if (typeof value === "string")
      return literals.reduce((text, literal) => text.replaceAll(literal, "…"), value);
    if (Array.isArray(value)) return value.map(cut);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, cut(field)]));
  };
  return literals.length === 0 ? one : (cut(one) as EstateProblem);
}

function lineOf(source: Source, offset: number): number {
  return source.lines.linePos(offset).line;
}

/** `credentials › orders-db › consumers › #2`: places in lists count from 1. */
function inWords(path: EstatePath): string {
  return path.map((step) => (typeof step === "number" ? `#${step + 1}` : step)).join(" › ");
}
