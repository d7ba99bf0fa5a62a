/** The figures of docs/real-inputs.md: the page says what the kept ones say, and those count the rows that the tables have. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type Figure, figuresIn, pageWith } from "../../../bench/real-figures.js";
import { truthIn } from "../../../bench/real-truth.js";

const docs = new URL("../../../docs/", import.meta.url);
const text = (file: string) => readFileSync(new URL(file, docs), "utf8");
const figures = figuresIn(text("real-inputs/figures.json"));
const page = text("real-inputs.md");

describe("docs/real-inputs.md", () => {
  it("says the figures that are kept", () => {
    expect(pageWith(page, figures)).toBe(page);
  });

  it.each(figures.map((figure) => [figure.input, figure] as const))(
    "counts the rows of the tables: %s",
    (_, { tables, now }) => {
      const rows = tables.split(" ").flatMap((table) => truthIn(text(`real-inputs/${table}`)));
      const keys = new Set(rows.map(({ reader, edge, target }) => JSON.stringify([reader, edge, target])));
      expect(now.rows).toBe(keys.size);
      expect(now.found).toBeLessThanOrEqual(now.rows);
    },
  );

  it("names each table with the number of its rows", () => {
    for (const table of new Set(figures.flatMap(({ tables }) => tables.split(" ")))) {
      const rows = truthIn(text(`real-inputs/${table}`)).length;
      expect(page).toContain(`[${table}](real-inputs/${table}), ${rows} rows |`);
    }
  });
});

const figure: Figure = {
  input: "one",
  tables: "one.csv",
  first: { rows: 4, found: 2, extra: 2 },
  now: { commit: "0123456789ab", day: "2026-01-31", records: 1200, rows: 4, found: 3, extra: 0 },
};

it("writes recall and precision, and the commit that they are of", () => {
  const written = pageWith("a\n<!-- figures -->\nold\n<!-- end of figures -->\nb\n", [figure]);
  expect(written).toContain(
    "| one (1,200 records) | 0.500, 0.500 (2 of 4 found, 2 extra) | 0.750, 1.000 (3 of 4 found, 0 extra) | 1 | 0 | 0123456789ab, 2026-01-31 |\n<!-- end of figures -->\nb\n",
  );
  expect(written).not.toContain("old");
  expect(() => pageWith("a", [figure])).toThrow("no place for figures");
});

it("refuses figures of a tree that nobody can check out", () => {
  const dirty = [{ ...figure, now: { ...figure.now, commit: "0123456789ab with changes" } }];
  expect(() => figuresIn(JSON.stringify(dirty))).toThrow("that others can check out");
});
