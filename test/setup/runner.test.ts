/**
 * The test runner's own honesty: whatever is not a passed test must show in its last line and its exit code.
 * It is run on small projects made here, with Vitest as it is.
 */

import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, expect, test } from "vitest";
import { createVitest } from "vitest/node";
import { type Counts, SuiteCounter, summary } from "../../scripts/counter.js";
import { folderInMemory } from "../../scripts/temporary.js";

const made: string[] = [];
afterEach(async () => {
  for (const folder of made.splice(0)) await rm(folder, { recursive: true, force: true });
});

async function runSuites(
  files: Readonly<Record<string, string>>,
  names: string[],
): Promise<[Counts, string[]]> {
  const root = await mkdtemp(join(tmpdir(), "rekey-runner-"));
  made.push(root);
  await symlink(fileURLToPath(new URL("../../node_modules", import.meta.url)), join(root, "node_modules"));
  for (const [path, content] of Object.entries(files)) {
    await mkdir(join(root, path, ".."), { recursive: true });
    await writeFile(join(root, path), content);
  }
  const lines: string[] = [];
  const counter = new SuiteCounter(names, (line) => lines.push(line));
  const before = process.exitCode;
  const projects = names.map((name) => ({ test: { name, include: [`${name}/*.test.ts`] } }));
  const vitest = await createVitest({
    root,
    config: false,
    watch: false,
    reporters: [counter],
    passWithNoTests: true,
    projects,
  });
  await vitest.start();
  await vitest.close();
  process.exitCode = before;
  return [counter.finish(), lines];
}

const head = 'import { test, expect, beforeAll } from "vitest";\n';

test("passed, failed and skipped tests are summed over the suites", async () => {
  const files = {
    "a/one.test.ts": `${head}test("yes", () => {}); test("no", () => expect(1).toBe(2)); test.skip("later", () => {});`,
    "b/two.test.ts": `${head}test("yes", () => {}); test.todo("some day");`,
  };
  const [counts, lines] = await runSuites(files, ["a", "b"]);
  expect(counts).toEqual({ passed: 2, failed: 1, skipped: 2 });
  expect(lines).toContain("FAILED a/one.test.ts > no");
  expect(summary(counts)).toBe("tests: 2 passed, 1 failed, 2 skipped");
});

test("a suite without tests, a file that cannot be loaded, a failing hook and an error outside a test fail", async () => {
  const files = {
    "good/one.test.ts": `${head}test("yes", () => {});`,
    "broken/one.test.ts": `${head}import "./absent.js"; test("never", () => {});`,
    "hook/one.test.ts": `${head}beforeAll(() => { throw new Error("hook"); }); test("never", () => {});`,
    "outside/one.test.ts": `${head}test("yes", async () => { setTimeout(() => { throw new Error("late"); }, 0); await new Promise((r) => setTimeout(r, 50)); });`,
    "blank/one.test.ts": "export {};",
  };
  const [counts, lines] = await runSuites(files, ["good", "empty", "broken", "hook", "outside", "blank"]);
  expect(counts.passed).toBe(2);
  expect(counts.failed).toBe(5);
  expect(lines.some((line) => line.startsWith("error: the suite empty has no test"))).toBe(true);
});

test("skipped tests are not mentioned when there are none", () => {
  expect(summary({ passed: 3, failed: 0, skipped: 0 })).toBe("tests: 3 passed, 0 failed");
});

test("temporary files stay where they are when there is no room in memory", () => {
  expect(folderInMemory("/nowhere/at/all")).toBeUndefined();
  // It is there, and keeps nothing.
  expect(folderInMemory("/proc")).toBeUndefined();
});

test("temporary files lie in a folder that every user may use, and that is gone with the run", async () => {
  const module = new URL("../../dist/scripts/temporary.js", import.meta.url).href;
  const code = `const { folderInMemory } = await import(${JSON.stringify(module)});
    const { statSync } = await import("node:fs");
    const folder = folderInMemory(${JSON.stringify(tmpdir())}, 0);
    console.log(JSON.stringify([folder, statSync(folder).mode & 0o7777]));`;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", code]);
  const [folder, mode] = JSON.parse(stdout) as [string, number];
  expect(folder.startsWith(tmpdir())).toBe(true);
  expect(mode).toBe(0o1777);
  await expect(stat(folder)).rejects.toThrow("ENOENT");
});
