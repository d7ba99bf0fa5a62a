/**
 * What each kind of adapter costs, in files and lines: the number says whether a new kind is still an afternoon's
 * work, and which one has grown into a subsystem.
 */

/** A file of the project. */
export interface Measured {
  readonly path: string;
  readonly lines: number;
}

/** What one kind consists of. Shared files that it uses belong to nobody. */
export interface Cost {
  readonly kind: string;
  /** Its own file, the one that the registry names. */
  readonly ownLines: number;
  /** Its further files: a folder of its name, or files with its name in front. */
  readonly helpers: Size;
  readonly tests: Size;
  readonly pageLines: number;
}

/** How many files, and lines in all of them. */
export interface Size {
  readonly files: number;
  readonly lines: number;
}

/** A kind should not need more, all its files but tests and page together. */
const linesGoal = 250;
/** By how much a number on the page may be behind: a part of it, or some lines. */
const behindMax = { part: 0.15, lines: 40 };

/** The cost of every kind in `registry`, by port and name. */
export function costsOf(
  registry: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
  files: readonly Measured[],
): Cost[] {
  return Object.entries(registry).flatMap(([port, kinds]) =>
    Object.keys(kinds).map((name) => {
      const others = Object.keys(kinds).filter((other) => other !== name && other.startsWith(`${name}-`));
      const isOf = (folder: string, path: string) =>
        startsLike(path, `${folder}/${port}/${name}`) &&
        !others.some((other) => startsLike(path, `${folder}/${port}/${other}`));
      const own = `adapters/${port}/${name}.ts`;
      return {
        kind: `${port}/${name}`,
        ownLines: files.find(({ path }) => path === own)?.lines ?? 0,
        helpers: sizeOf(files.filter(({ path }) => path !== own && isOf("adapters", path))),
        tests: sizeOf(files.filter(({ path }) => isOf("test/contract", path))),
        pageLines: files.find(({ path }) => path === `docs/kinds/${name}.md`)?.lines ?? 0,
      };
    }),
  );
}

/** The table that is printed; a kind that is over the goal is marked. */
export function costTable(costs: readonly Cost[]): string {
  const rows = [
    ["kind", "own file", "with helpers", "tests", "page"],
    ...costs.map((cost) => [
      cost.kind,
      String(cost.ownLines),
      `${text(wholeOf(cost))}${missesGoal(cost) ? " !" : ""}`,
      text(cost.tests),
      String(cost.pageLines),
    ]),
  ];
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** The same as rows of a page, with what misses the goal said in words. */
export function costRows(costs: readonly Cost[]): string[] {
  return costs.map(
    (cost) =>
      `| ${cost.kind} | ${cost.ownLines} | ${text(wholeOf(cost))} | ${missesGoal(cost) ? "missed" : "met"} | ${text(cost.tests)} |`,
  );
}

/**
 * Complaints about a page whose rows are not those of `costs`: one that is missing or too many, a goal that is said to
 * be met and is not, or a number that is behind by more than a seventh. Each says the row that belongs there.
 */
export function staleRows(page: string, costs: readonly Cost[]): string[] {
  const there = page
    .split("\n")
    .filter((line) => /^\| (?:issuers|stores|consumers|sources|notifiers)\//.test(line));
  const wanted = costRows(costs);
  const missing = wanted.filter((row) => !there.some((line) => agree(line, row)));
  const kinds = new Set(wanted.map(nameIn));
  const gone = there.filter((line) => !kinds.has(nameIn(line)));
  return [...missing.map((row) => `not said: ${row}`), ...gone.map((line) => `no such kind: ${line}`)];
}

function agree(line: string, row: string): boolean {
  const [said, is] = [line, row].map((text) => text.split(/\d+/).join("#"));
  if (said !== is) return false;
  const numbers = (text: string) => [...text.matchAll(/\d+/g)].map(([digits]) => Number(digits));
  const behind = numbers(line).map((number, index) => Math.abs(number - (numbers(row)[index] ?? 0)));
  return behind.every(
    (by, index) => by <= Math.max(behindMax.lines, (numbers(row)[index] ?? 0) * behindMax.part),
  );
}

const nameIn = (row: string): string => row.split("|")[1]?.trim() ?? "";

function wholeOf({ ownLines, helpers }: Cost): Size {
  return { files: helpers.files + 1, lines: helpers.lines + ownLines };
}

function missesGoal(cost: Cost): boolean {
  return wholeOf(cost).lines > linesGoal;
}

/** `x.ts`, `x/y.ts` and `x-y.ts` belong to `x`; `xy.ts` does not. */
function startsLike(path: string, start: string): boolean {
  return path.startsWith(start) && /^[./-]/.test(path.slice(start.length));
}

function sizeOf(files: readonly Measured[]): Size {
  return { files: files.length, lines: files.reduce((sum, { lines }) => sum + lines, 0) };
}

function text({ files, lines }: Size): string {
  return files === 0 ? "-" : `${lines} in ${files}`;
}
