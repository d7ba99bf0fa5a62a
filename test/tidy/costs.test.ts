/** Prints what each kind costs, and shows that nothing of a kind is left out of the count. */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { kinds } from "../../adapters/registry.js";
import { costRows, costsOf, costTable, staleRows } from "./costs.js";
import { readSources } from "./sources.js";

const root = fileURLToPath(new URL("../../", import.meta.url));

const realCosts = costsOfAll();

function costsOfAll() {
  const pages = readdirSync(`${root}docs/kinds`).map((name) => {
    const text = readFileSync(`${root}docs/kinds/${name}`, "utf8");
    return { path: `docs/kinds/${name}`, lines: text.split("\n").length - 1 };
  });
  return costsOf({ ...kinds }, [...readSources(root), ...pages]);
}

test("every kind has a file, a test and a page that are counted", () => {
  process.stdout.write(`${costTable(realCosts)}\n`);
  for (const { kind, ownLines, tests } of realCosts)
    expect([kind, ownLines > 0, tests.files > 0]).toEqual([kind, true, true]);
});

test("the page about a new kind says what those that exist cost", () => {
  expect(staleRows(readFileSync(`${root}docs/adding-a-kind.md`, "utf8"), realCosts)).toEqual([]);
});

test("a row that is behind, missing or of no kind is noticed, and one that is a little off is not", () => {
  const [own, helpers] = [
    { path: "adapters/stores/a.ts", lines: 100 },
    { path: "adapters/stores/a/b.ts", lines: 900 },
  ];
  const costs = costsOf({ stores: { a: {} } }, [own, helpers]);
  const [row = ""] = costRows(costs);
  expect(row).toBe("| stores/a | 100 | 1000 in 2 | missed | - |");
  const complaints = (page: string) => staleRows(page, costs);
  expect(complaints(`# A page\n${row}\n`)).toEqual([]);
  expect(complaints(row.replace("1000", "1100"))).toEqual([]);
  expect(complaints(row.replace("1000", "700"))).toEqual([`not said: ${row}`]);
  expect(complaints(row.replace("missed", "met"))).toEqual([`not said: ${row}`]);
  expect(complaints("")).toEqual([`not said: ${row}`]);
  expect(complaints(`${row}\n| stores/gone | 1 | 1 in 1 | met | - |`)).toHaveLength(1);
});

test("helpers are counted with their kind, and a kind whose name begins alike is not", () => {
  const files = [
    ["adapters/issuers/a.ts", 10],
    ["adapters/issuers/a/change.ts", 20],
    ["adapters/issuers/a/prove.ts", 5],
    ["adapters/issuers/a-b.ts", 300],
    ["adapters/issuers/ab.ts", 400],
    ["adapters/stores/a.ts", 500],
    ["adapters/shared/a.ts", 600],
    ["test/contract/issuers/a.test.ts", 7],
    ["test/contract/issuers/a-late.test.ts", 8],
    ["test/contract/issuers/a-b.test.ts", 9],
    ["docs/kinds/a.md", 3],
  ].map(([path, lines]) => ({ path: String(path), lines: Number(lines) }));
  const costs = costsOf({ issuers: { a: {}, "a-b": {} } }, files);
  expect(costs[0]).toEqual({
    kind: "issuers/a",
    ownLines: 10,
    helpers: { files: 2, lines: 25 },
    tests: { files: 2, lines: 15 },
    pageLines: 3,
  });
  expect(costs[1]).toMatchObject({
    ownLines: 300,
    helpers: { files: 0, lines: 0 },
    tests: { files: 1, lines: 9 },
  });
  expect(costTable(costs)).toContain("300 in 1 !");
});
