/**
 * Texts of `NAME=value` lines, read by the rules that their programs document: `.env` as docker compose has it, `.properties` as Java has it, and ini.
 */
import type { Setting } from "./source-config.js";

/** A line that could not be read, by its number from 1. */
export interface BadLine {
  readonly line: number;
  readonly why: string;
}

/** What a text of lines says. */
export interface Lines {
  readonly settings: readonly Setting[];
  readonly bad: readonly BadLine[];
}

const envName = /^(?:export\s+)?([A-Za-z_][A-Za-z0-9_.-]*)\s*([=:])/;

/**
 * A `.env` file: `NAME=value`, `export` before it, comments, quotes over several lines. In double quotes a backslash escapes;
 * in single quotes nothing does; without quotes ` #` begins a comment. Nothing is put in for `${NAME}`.
 */
export function envLines(text: string): Lines {
  const settings: Setting[] = [];
  const bad: BadLine[] = [];
  const lines = text.replace(/\r\n?/g, "\n").split("\n");
  for (let index = 0; index < lines.length; index++) {
    const line = (lines[index] ?? "").trim();
    if (line === "" || line.startsWith("#")) continue;
    const start = index;
    const [head, name = ""] = envName.exec(line) ?? [];
    if (head === undefined) {
      // A bare name is passed on from where the program is started.
      if (!/^(?:export\s+)?[A-Za-z_][A-Za-z0-9_.-]*$/.test(line)) {
        bad.push({ line: index + 1, why: "neither a comment nor NAME=value" });
      }
      continue;
    }
    const rest = line.slice(head.length).trimStart();
    const quote = rest[0];
    if (quote !== '"' && quote !== "'") {
      settings.push({ path: name, name, text: rest.replace(/(?:^|\s)#.*$/, "").trim() });
      continue;
    }
    // To the closing quote, wherever it is.
    const inside = [rest.slice(1)];
    let end = closing(inside[0] ?? "", quote);
    while (end < 0 && index + 1 < lines.length) {
      index += 1;
      const next = lines[index] ?? "";
      inside.push(next);
      end = closing(next, quote);
    }
    if (end < 0) {
      bad.push({ line: start + 1, why: "a quote that is not closed" });
      // What is behind it is read as if the line were not there.
      index = start;
      continue;
    }
    const inner = [...inside.slice(0, -1), (inside.at(-1) ?? "").slice(0, end)].join("\n");
    settings.push({ path: name, name, text: quote === "'" ? inner : unescaped(inner) });
  }
  return { settings, bad };
}

/** Where the quote is closed in one line; a backslash at its end escapes what is between it and the next. */
function closing(text: string, quote: string): number {
  for (let at = 0; at < text.length; at++) {
    if (text[at] === "\\" && quote === '"') at += 1;
    else if (text[at] === quote) return at;
  }
  return -1;
}

const escapes: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t" };

function unescaped(text: string): string {
  return text.replace(
    /\\([\s\S])/g,
    (whole, next: string) => escapes[next] ?? (/["'\\$`]/.test(next) ? next : whole),
  );
}

/** A `.properties` file of Java: `name=value`, `name: value` or `name value`; `#` and `!` begin comments; a backslash at the end goes on. */
export function propertyLines(text: string): Lines {
  const settings: Setting[] = [];
  const lines = text.split("\n");
  for (let index = 0; index < lines.length; index++) {
    let line = (lines[index] ?? "").trimStart();
    if (line === "" || /^[#!]/.test(line)) continue;
    while (endsOpen(line) && index + 1 < lines.length) {
      index += 1;
      line = line.slice(0, -1) + (lines[index] ?? "").trimStart();
    }
    const [, name = "", value = ""] = /^((?:\\.|[^\s=:\\])+)\s*[=:\s]?\s*([\s\S]*)$/.exec(line) ?? [];
    if (name !== "") settings.push({ path: plain(name), name: lastPart(plain(name)), text: plain(value) });
  }
  return { settings, bad: [] };
}

/** An odd number of backslashes at the end: the line goes on. */
function endsOpen(line: string): boolean {
  let at = line.length;
  while (line[at - 1] === "\\") at--;
  return (line.length - at) % 2 === 1;
}

function plain(text: string): string {
  return text.replace(/\\(?:u([0-9a-fA-F]{4})|(.))/g, (_, code: string | undefined, next: string) =>
    code === undefined ? (escapes[next] ?? next) : String.fromCharCode(Number.parseInt(code, 16)),
  );
}

/** The whole dotted name says what it is; `spring.datasource.password` is a password as `password` is. */
function lastPart(name: string): string {
  return name.slice(name.lastIndexOf(".") + 1);
}

/** An ini file, and what is written like one (`.cfg`, `.conf`, `.toml` of plain settings): sections in brackets, `name = value`, `;` and `#` for comments. */
export function iniLines(text: string): Lines {
  const settings: Setting[] = [];
  const bad: BadLine[] = [];
  let section = "";
  for (const [index, raw] of text.split("\n").entries()) {
    const line = raw.trim();
    if (line === "" || /^[#;]/.test(line)) continue;
    const [, opened] = /^\[+([^[\]][^\]]*)\]+\s*(?:[#;].*)?$/.exec(line) ?? [];
    if (opened !== undefined) {
      section = opened.trim();
      continue;
    }
    // By hand: a pattern would try every space of a long run of them.
    const at = line.search(/[=:]/);
    const name = line.slice(0, Math.max(0, at)).trimEnd();
    const value = line.slice(at + 1).trimStart();
    if (name === "") {
      // A name alone is a switch; anything else is no line of an ini file.
      if (/\s/.test(line)) bad.push({ line: index + 1, why: "neither a section nor a setting" });
      continue;
    }
    const quoted = /^(["'])(.*)\1(?:\s*[#;].*)?$/.exec(value);
    const text = quoted?.[2] ?? value.replace(/(?<!\s)\s+[#;].*$/, "");
    settings.push({ path: section === "" ? name : `${section}.${name}`, name, text });
  }
  return { settings, bad };
}
