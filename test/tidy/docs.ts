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

/** Complaints about `rekey <word>` in code, indented, fenced or inline, where the word is no command. */
export function unknownCommands(pages: Pages, commands: readonly string[]): string[] {
  return [...pages].flatMap(([page, text]) => {
    const blocks = [...text.matchAll(fences)].map(([block]) => block);
    const indented = [...text.matchAll(/^(?: {4,}|\t).*$/gm)].map(([line]) => line);
    const inline = [...text.replaceAll(fences, "").matchAll(/`([^`\n]+)`/g)].map(([, code = ""]) => code);
    const words = [...blocks, ...indented, ...inline].flatMap((code) =>
      [...code.matchAll(/(?:^|[\s(`])rekey +([a-z][a-z-]*)(?![\w./:=])/gm)].map(([, word = ""]) => word),
    );
    return [...new Set(words)]
      .filter((word) => !commands.includes(word))
      .map((word) => `${page}: there is no command rekey ${word}`);
  });
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
