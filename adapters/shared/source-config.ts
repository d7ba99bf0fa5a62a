/**
 * Reads configuration texts, whatever their language: YAML, JSON, `.env`, properties and ini. Errors say where and never what,
 * as a parser's own message may quote a value.
 */
import { type Document, LineCounter, parseAllDocuments } from "yaml";

/** A parsed document, or where and why it could not be parsed. */
export type Parsed =
  | { readonly value: unknown; readonly line: number }
  | { readonly why: string; readonly line: number };

/** Every document of a YAML text, each by itself: one that is wrong leaves the others readable. Merge keys are followed; scalars are text. */
export function yamlDocuments(text: string): Parsed[] {
  const lines = new LineCounter();
  let documents: Document[];
  try {
    const parsed = parseAllDocuments(text, {
      lineCounter: lines,
      merge: true,
      // Every scalar as it was written, `007` too: only nothing is told from text.
      schema: "failsafe",
      customTags: (tags) => [...tags, "null"],
      logLevel: "silent",
      uniqueKeys: false,
    });
    documents = Array.isArray(parsed) ? (parsed as Document[]) : [];
  } catch {
    return [{ why: "no YAML", line: 1 }];
  }
  return documents.map((document): Parsed => {
    const line = lines.linePos(document.range?.[0] ?? 0).line;
    const [error] = document.errors;
    if (error !== undefined) {
      const at = lines.linePos(error.pos[0]).line;
      return { why: `no valid YAML at line ${at} (${error.code})`, line: at };
    }
    try {
      return { value: document.toJS({ maxAliasCount: 1000 }), line };
    } catch {
      return { why: `the YAML document of line ${line} refers to itself, or to too much`, line };
    }
  });
}

/** A JSON text. */
export function jsonDocument(text: string): Parsed {
  try {
    return { value: JSON.parse(text), line: 1 };
  } catch {
    return { why: "no valid JSON", line: 1 };
  }
}

/**
 * Every document of a JSON text: one, or several, one a line or one behind the other, as programs log and export them. Where each
 * line is one, a wrong line leaves the others readable. Otherwise nobody can say where the next one begins behind a wrong one.
 */
export function jsonDocuments(text: string): Parsed[] {
  const whole = jsonDocument(text);
  if ("value" in whole) return [whole];
  const lines = text
    .split("\n")
    .flatMap((content, index) => (content.trim() === "" ? [] : [{ content, index }]));
  const isOneALine = lines.length > 1 && lines.every(({ content }) => /^\s*[[{]/.test(content));
  const each = isOneALine
    ? lines.map(({ content, index }) => ({ ...jsonDocument(content), line: index + 1 }))
    : [];
  if (each.some((parsed) => "value" in parsed)) return each;
  const found: Parsed[] = [];
  let [line, counted] = [1, 0];
  for (let at = beginsAt(text, 0); at < text.length; ) {
    const end = endsAt(text, at);
    line += text.slice(counted, at).split("\n").length - 1;
    counted = at;
    const parsed = jsonDocument(text.slice(at, end));
    if ("why" in parsed) {
      // A text that begins with none is none at all.
      return found.length === 0
        ? [whole]
        : [...found, { why: `${parsed.why}; nothing behind it was read`, line }];
    }
    found.push({ ...parsed, line });
    at = beginsAt(text, end);
  }
  return found.length === 0 ? [whole] : found;
}

function beginsAt(text: string, from: number): number {
  let at = from;
  while (at < text.length && /\s/.test(text.charAt(at))) at++;
  return at;
}

/** Behind the map or list that begins there, whatever stands in its texts; the end of the text where it is never closed, or is neither. */
function endsAt(text: string, from: number): number {
  let depth = 0;
  const pieces = /"(?:[^"\\]|\\.)*"|[[\]{}]/gs;
  pieces.lastIndex = from;
  if (!"[{".includes(text.charAt(from))) return text.length;
  for (let piece = pieces.exec(text); piece !== null; piece = pieces.exec(text)) {
    if (piece[0] === "{" || piece[0] === "[") depth++;
    else if (piece[0] === "}" || piece[0] === "]") depth--;
    if (depth === 0) return pieces.lastIndex;
  }
  return text.length;
}

/** One setting: its path of names, its own name, and its text. */
export interface Setting {
  readonly path: string;
  readonly name: string;
  readonly text: string;
}

/** Deeper or more than this is no configuration that somebody wrote. */
const depthMax = 40;

/**
 * Every text in a document with its path. An entry of a list `{name: X, value: Y}` is the setting X, as in Kubernetes and
 * in task definitions.
 */
export function* settingsIn(value: unknown, path = "", name = "", depth = 0): Generator<Setting> {
  if (depth > depthMax || value === null || value === undefined) return;
  if (typeof value !== "object") {
    yield { path, name, text: String(value) };
    return;
  }
  const below = (key: string) => (path === "" ? key : `${path}.${key}`);
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      const own = isMap(item) && typeof item.name === "string" ? item.name : String(index);
      yield* settingsIn(item, below(own), name, depth + 1);
    }
    return;
  }
  const map = value as Record<string, unknown>;
  const named = typeof map.name === "string" && "value" in map;
  for (const [key, item] of Object.entries(map)) {
    yield* settingsIn(item, below(key), named && key === "value" ? String(map.name) : key, depth + 1);
  }
}

/** True for a map of names, as parsers give it. */
export function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A map, or an empty one for anything else. */
export function mapOf(value: unknown): Readonly<Record<string, unknown>> {
  return isMap(value) ? value : {};
}

/** A list, or an empty one for anything else. */
export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** Text of a scalar that may have been written without quotes; null for a map, a list and nothing. */
export function textOf(value: unknown): string | null {
  return typeof value === "string" ||
    typeof value === "number" ||
    typeof value === "bigint" ||
    typeof value === "boolean"
    ? String(value)
    : null;
}

/** A name, or null: an empty text names nothing. */
export function named(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}
