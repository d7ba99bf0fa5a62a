/**
 * Every kind of the registry has its four parts, and the rule that says so can fail.
 */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { kinds } from "../../adapters/registry.js";
import { missingHeadings, missingParts, missingWorlds, withoutWorld } from "./kinds.js";
import { readSources } from "./sources.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
const sources = readSources(root);

test("each registered kind has its file, its contract row and its page, and each file its line", () => {
  const pages = existsSync(`${root}docs/kinds`) ? readdirSync(`${root}docs/kinds`) : [];
  const files = new Set([...sources.map(({ path }) => path), ...pages.map((name) => `docs/kinds/${name}`)]);
  const suitesOf = (path: string): readonly string[] =>
    sources.find((source) => source.path === path)?.imports ?? [];
  expect(missingParts({ ...kinds }, files, suitesOf)).toEqual([]);
});

test("each page of an issuer, a store or a consumer says what its readers look for", () => {
  const pageOf = (kind: string) => readFileSync(`${root}docs/kinds/${kind}.md`, "utf8");
  expect(missingHeadings({ ...kinds }, pageOf)).toEqual([]);
});

test("every fault is tried on each issuer and store, or it is said why not", () => {
  const texts = sources.filter(({ path }) => path.startsWith("test/faults/worlds/")).map(({ text }) => text);
  expect(missingWorlds({ ...kinds }, texts, withoutWorld)).toEqual([]);
});

test("an issuer or a store without a world and a reason, or with both, is noticed", () => {
  const registry = { issuers: { a: {}, b: {} }, stores: { c: {} }, consumers: { d: {} } };
  const complaints = (reasons: Readonly<Record<string, string>>) =>
    missingWorlds(registry, ['const issuer = { kind: "a", file };'], reasons);
  expect(complaints({ "issuers/b": "why", "stores/c": "why" })).toEqual([]);
  expect(complaints({ "stores/c": "why" })).toEqual([
    "no world of test/faults/worlds has the kind issuers/b, and no reason is given",
  ]);
  expect(complaints({ "issuers/a": "why", "issuers/b": "why", "stores/c": "why" })).toHaveLength(1);
});

test("a page without a heading, or with nothing under it, is noticed", () => {
  const page = "# Store\n\n## Rights\n\nNone.\n\n## Known limits\n\n## Findings\n";
  const complaints = (text: string) => missingHeadings({ stores: { file: {} } }, () => text);
  expect(complaints(page)).toEqual(['docs/kinds/file.md has nothing under "Known limits"']);
  expect(complaints(page.replace("limits", "limits\n\nMany."))).toEqual([]);
  expect(missingHeadings({ issuers: { a: {} } }, () => page)).toHaveLength(4);
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
