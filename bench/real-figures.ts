/**
 * The figures of docs/real-inputs.md: kept as JSON beside the tables, with the commit that they were measured at, and written into
 * the page from there, so that page, JSON and tables cannot say different things.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { projectRoot } from "../worker/dev/places.js";
import type { Compared } from "./real-truth.js";

const count = z.int().min(0);

const figureSchema = z.strictObject({
  /** What was read, as the page calls it. */
  input: z.string().min(1),
  /** The tables that it was compared with: the names of their files, with a space between. */
  tables: z.string().regex(/^[a-z-]+\.csv(?: [a-z-]+\.csv)*$/),
  /** The first run after the tables were written, where they were compared together then. Rows may have been added since. */
  first: z.strictObject({ rows: count, found: count, extra: count }).nullable(),
  now: z.strictObject({
    /** Commit of Rekey, and the day. */
    commit: z.string().regex(/^[0-9a-f]{12}$/, "a commit that others can check out, of 12 digits"),
    day: z.iso.date(),
    /** Objects or files that were read. */
    records: count,
    rows: count,
    found: count,
    extra: count,
  }),
});

const figuresSchema = z.array(figureSchema);

/** What was found of one input. */
export type Figure = z.output<typeof figureSchema>;

/** Where tables, figures and their page are. */
const docs = join(projectRoot(), "docs");
const [pageFile, figuresFile] = [join(docs, "real-inputs.md"), join(docs, "real-inputs", "figures.json")];

/**
 * Keeps what a run has found, and writes the page anew. `tables` are the names of files that it was compared with.
 * Throws where no figure is kept for just these tables, and where the commit is none that others have: changes that nobody committed.
 */
export function keepFigures(
  tables: readonly string[],
  { hits, missed, extra }: Compared,
  measured: Pick<Figure["now"], "commit" | "day" | "records">,
): void {
  const figures = figuresIn(readFileSync(figuresFile, "utf8"));
  const name = tables.join(" ");
  const found = figures.find((figure) => figure.tables === name);
  if (found === undefined) throw new Error(`docs/real-inputs/figures.json has no entry for ${name}`);
  const now = { ...measured, rows: hits + missed.length, found: hits, extra: extra.length };
  const kept = figures.map((figure) => (figure === found ? { ...figure, now } : figure));
  const json = `${JSON.stringify(kept, null, 2)}\n`;
  const page = pageWith(readFileSync(pageFile, "utf8"), figuresIn(json));
  writeFileSync(figuresFile, json);
  writeFileSync(pageFile, page);
}

/** What was kept. Throws for what is no such figure. */
export function figuresIn(json: string): Figure[] {
  return figuresSchema.parse(JSON.parse(json));
}

const begin = "<!-- figures -->\n";
const end = "<!-- end of figures -->";

/** The page with these figures in it. Throws for a page without a place for them. */
export function pageWith(page: string, figures: readonly Figure[]): string {
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from === -1 || to < from) throw new Error("the page has no place for figures");
  const lines = [
    "| Input | At first: recall, precision | Now: recall, precision | Now missed | Now extra | Measured at |",
    "|---|---|---|---|---|---|",
    ...figures.map(lineOf),
  ];
  return `${page.slice(0, from + begin.length)}${lines.join("\n")}\n${page.slice(to)}`;
}

function lineOf({ input, first, now }: Figure): string {
  const cells = [
    `${input} (${now.records.toLocaleString("en")} records)`,
    first === null ? "" : partsOf(first),
    partsOf(now),
    now.rows - now.found,
    now.extra,
    `${now.commit}, ${now.day}`,
  ];
  return `| ${cells.join(" | ")} |`;
}

/** Recall and precision, and of what. */
function partsOf({ rows, found, extra }: NonNullable<Figure["first"]>): string {
  const part = (of: number) => (of === 0 ? 1 : found / of).toFixed(3);
  return `${part(rows)}, ${part(found + extra)} (${found} of ${rows} found, ${extra} extra)`;
}
