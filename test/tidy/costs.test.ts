/** Prints what each kind costs, and shows that nothing of a kind is left out of the count. */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { kinds } from "../../adapters/registry.js";
import { costsOf, costTable } from "./costs.js";
import { readSources } from "./sources.js";

const root = fileURLToPath(new URL("../../", import.meta.url));

test("every kind has a file, a test and a page that are counted", () => {
  const pages = readdirSync(`${root}docs/kinds`).map((name) => {
    const text = readFileSync(`${root}docs/kinds/${name}`, "utf8");
    return { path: `docs/kinds/${name}`, lines: text.split("\n").length - 1 };
  });
  const costs = costsOf({ ...kinds }, [...readSources(root), ...pages]);
  process.stdout.write(`${costTable(costs)}\n`);
  for (const { kind, ownLines, tests } of costs)
    expect([kind, ownLines > 0, tests.files > 0]).toEqual([kind, true, true]);
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
  expect(costTable(costs)).toContain("issuers/a-b  300 !");
});
