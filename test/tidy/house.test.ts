/**
 * The house rules on the house itself. What each rule forbids, and that it can fail, stands in rules.test.ts.
 */

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { helperFolders, suites } from "../../scripts/suites.js";
import * as rules from "./rules.js";
import { readSources } from "./sources.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
const sources = readSources(root);

test("the files are found", () => {
  const found = sources.map((source) => source.path);
  expect(found).toContain("domain/errors.ts");
  expect(found).toContain("test/tidy/house.test.ts");
});

describe("house rules", () => {
  test.each(Object.entries<rules.Rule>(rules))("%s", (_name, rule) => {
    expect(rule(sources)).toEqual([]);
  });
});

test("every test file lies in a suite, so that it runs", () => {
  const names = new Set(suites.map((suite) => suite.name));
  const stray = sources.filter(
    ({ path }) =>
      path.endsWith(".test.ts") && !names.has(path.split("/")[1] ?? "") && path.startsWith("test/"),
  );
  const outside = sources.filter(({ path }) => path.endsWith(".test.ts") && !path.startsWith("test/"));
  expect([...stray, ...outside].map(({ path }) => path)).toEqual([]);
  expect(helperFolders.filter((name) => names.has(name))).toEqual([]);
});

test("the lock file names no registry, and every version is pinned exactly", () => {
  expect(readFileSync(`${root}package-lock.json`, "utf8")).not.toContain('"resolved": "http');
  const manifest = JSON.parse(readFileSync(`${root}package.json`, "utf8"));
  const versions = [manifest.dependencies, manifest.devDependencies, manifest.optionalDependencies].flatMap(
    (group: Record<string, string>) => Object.entries(group),
  );
  expect(versions.filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))).toEqual([]);
});

test("the lock file knows the packages of every platform, or `npm ci` refuses it", () => {
  const lock = JSON.parse(readFileSync(`${root}package-lock.json`, "utf8"));
  const entries = Object.entries<{ optionalDependencies?: Record<string, string> }>(lock.packages);
  const wanted = entries.flatMap(([path, entry]) =>
    Object.keys(entry.optionalDependencies ?? {}).map((name) => [path, name] as const),
  );
  const missing = wanted.filter(
    ([path, name]) =>
      !(`node_modules/${name}` in lock.packages || `${path}/node_modules/${name}` in lock.packages),
  );
  expect(wanted.length).toBeGreaterThan(20);
  expect(missing.map(([, name]) => name)).toEqual([]);
});
