/**
 * Every kind of the registry has its four parts, and the rule that says so can fail.
 */

import { existsSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { kinds } from "../../adapters/registry.js";
import { missingParts } from "./kinds.js";
import { readSources } from "./sources.js";

const root = fileURLToPath(new URL("../../", import.meta.url));

test("each registered kind has its file, its contract row and its page, and each file its line", () => {
  const sources = readSources(root);
  const pages = existsSync(`${root}docs/kinds`) ? readdirSync(`${root}docs/kinds`) : [];
  const files = new Set([...sources.map(({ path }) => path), ...pages.map((name) => `docs/kinds/${name}`)]);
  const suitesOf = (path: string): readonly string[] =>
    sources.find((source) => source.path === path)?.imports ?? [];
  expect(missingParts({ ...kinds }, files, suitesOf)).toEqual([]);
});

describe("the rule fails when a part is missing", () => {
  const registry = { stores: { file: {} } };
  const whole = ["adapters/stores/file.ts", "test/contract/stores/file.test.ts", "docs/kinds/file.md"];
  const suitesOf = (): string[] => ["test/contract/store.ts"];

  test("none missing", () => {
    const files = new Set([...whole, "adapters/stores/memory.ts", "adapters/stores/file-lock.ts"]);
    expect(missingParts(registry, files, suitesOf)).toEqual([]);
  });

  test.each(whole)("%s", (part) => {
    const files = new Set(whole.filter((path) => path !== part));
    expect(missingParts(registry, files, suitesOf)).toEqual([`the kind stores/file lacks ${part}`]);
  });

  test("the registry's line", () => {
    const files = new Set([...whole, "adapters/stores/other.ts"]);
    expect(missingParts(registry, files, suitesOf)).toEqual([
      "adapters/stores/other.ts is no kind of the registry",
    ]);
  });

  test("a contract row that does not run the port's suite, and a port that is none", () => {
    expect(missingParts(registry, new Set(whole), () => [])).toHaveLength(1);
    expect(missingParts({ things: {} }, new Set(), suitesOf)).toEqual(["things is no port"]);
  });
});
