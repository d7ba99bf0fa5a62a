/**
 * What can be checked of a page: where its links lead, which commands it tells people to type, which tests it
 * names. Plain functions over texts, so that each can be shown a mistake.
 */
import { dirname, join, normalize } from "node:path";

/** A page by its path below the root, and its text. */
export type Pages = ReadonlyMap<string, string>;

const fences = /^( {0,3})(```+|~~~+)[^\n]*\n[\s\S]*?^ {0,3}\2[^\n]*$/gm;

/** Complaints about relative links that lead to no file or to no heading. `exists` answers for files and folders. */
export function brokenLinks(pages: Pages, exists: (path: string) => boolean): string[] {
  const found: string[] = [];
  for (const [page, text] of pages) {
    const prose = text.replaceAll(fences, "").replaceAll(/`[^`\n]*`/g, "");
    for (const [, target = ""] of prose.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/i.test(target)) continue;
      const [path = "", anchor] = target.split("#");
      const file = path === "" ? page : normalize(join(dirname(page), path)).replace(/\/$/, "");
      if (!exists(file)) found.push(`${page}: ${target} leads nowhere`);
      else if (anchor !== undefined && !anchorsOf(pages.get(file) ?? "").includes(anchor)) {
        found.push(`${page}: ${target} names no heading`);
      }
    }
  }
  return found;
}

/** The anchors of a page's headings, as they are made where the pages are shown. */
function anchorsOf(text: string): string[] {
  return [...text.replaceAll(fences, "").matchAll(/^#+ +(.+)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
      .trim()
      .replaceAll(/\s/g, "-"),
  );
}

/** What a program says of a command line's words: null where it takes them. */
export type Parse = (words: readonly string[]) => Promise<Objection | null>;

/** Why it does not. `lacks`: only because something is missing that has to follow. */
export interface Objection {
  readonly lacks: boolean;
  readonly message: string;
}

/**
 * Complaints about command lines of `rekey` in code, indented, fenced or inline, that the program would refuse. A line of its own
 * is whole, up to what stands beside it; what is named among other words may leave out what has to follow.
 */
export async function wrongCommands(pages: Pages, parse: Parse): Promise<string[]> {
  const found: string[] = [];
  for (const [page, text] of pages) {
    const blocks = [...text.matchAll(fences)].map(([block]) => block);
    const indented = [...text.matchAll(/^(?: {4,}|\t).*$/gm)].map(([line]) => line);
    const inline = [...text.replaceAll(fences, "").matchAll(/`([^`\n]+)`/g)].map(([, code = ""]) => code);
    const lines = [...blocks, ...indented].flatMap((code) => code.split("\n"));
    // A drawing with arrows names commands, too, and is no line that somebody types.
    const typed = lines.filter((line) => !line.includes("─"));
    const whole = typed.flatMap((line) => /^\s*(?:\$ )?rekey +([a-z].*)$/.exec(line)?.[1] ?? []);
    const named = inline.flatMap((code) => /^rekey +([a-z].*)$/.exec(code)?.[1] ?? []);
    const among = [...lines, ...inline].flatMap((code) =>
      [...code.matchAll(/(?:^|[\s(`])rekey +([a-z][a-z-]*)(?![\w./:=])/g)].map(([, word = ""]) => word),
    );
    const asked = new Map([
      ...[...named, ...among].map((line) => [line, false] as const),
      ...whole.map((line) => [line, true] as const),
    ]);
    for (const [line, isWhole] of asked) {
      const wrong = await parse(wordsOf(line));
      if (wrong !== null && (isWhole || !wrong.lacks))
        found.push(`${page}: rekey ${line.trim()}: ${wrong.message}`);
    }
  }
  return [...new Set(found)];
}

/** The words of a command line, up to a redirection, a remark, or the column of what is said of it. */
function wordsOf(line: string): string[] {
  const command = line.split(/ {2,}| [|<>#] | && /)[0] ?? "";
  const words = [...command.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)];
  return words.map((match) => match[1] ?? match[2] ?? match[3] ?? "");
}

/** One row of the hazards' table. */
export interface HazardRow {
  readonly hazard: string;
  readonly state: string;
  readonly tests: readonly { readonly file: string; readonly title: string }[];
  /** The row also leans on the exploration of `decide`, whose test is for no hazard alone. */
  readonly explored: boolean;
}

/** The rows of the table in docs/hazards.md, in their order. */
export function hazardRows(text: string): HazardRow[] {
  return text
    .split("\n")
    .filter((line) => /^\| H\d+ \|/.test(line))
    .map((line) => {
      const [, hazard = "", , state = "", , tests = ""] = line.split(/(?<!\\)\|/).map((cell) => cell.trim());
      return {
        hazard,
        state,
        tests: tests.split("`test/").flatMap((part) => {
          const file = `test/${part.slice(0, part.indexOf("`"))}`;
          return [...part.matchAll(/"([^"]+)"/g)].map(([, title = ""]) => ({ file, title }));
        }),
        explored: tests.includes("the exploration"),
      };
    });
}

/** Complaints about the table: a hazard left out, an unknown state, a test that is not there, "held" by nothing. */
export function hazardComplaints(
  rows: readonly HazardRow[],
  hazards: number,
  textOf: (file: string) => string | undefined,
): string[] {
  const wanted = Array.from({ length: hazards }, (_, index) => `H${index + 1}`);
  const listed = rows.map(({ hazard }) => hazard);
  const found = wanted
    .filter((hazard) => listed.filter((one) => one === hazard).length !== 1)
    .map((hazard) => `${hazard} is not listed once`);
  for (const { hazard, state, tests, explored } of rows) {
    if (!["held", "partly", "open"].includes(state)) found.push(`${hazard} is neither held, partly nor open`);
    if (state !== "open" && tests.length === 0 && !explored) found.push(`${hazard} is ${state} by no test`);
    for (const { file, title } of tests) {
      if (!(textOf(file) ?? "").includes(`"${title}"`))
        found.push(`${hazard}: ${file} has no test "${title}"`);
    }
  }
  return found;
}
