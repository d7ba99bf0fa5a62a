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

/** A kind's own file should not need more. */
const ownLinesGoal = 250;

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

/** The table that is printed; a kind whose own file is over the goal is marked. */
export function costTable(costs: readonly Cost[]): string {
  const rows = [
    ["kind", "own file", "helpers", "tests", "page"],
    ...costs.map(({ kind, ownLines, helpers, tests, pageLines }) => [
      kind,
      `${ownLines}${ownLines > ownLinesGoal ? " !" : ""}`,
      text(helpers),
      text(tests),
      String(pageLines),
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
