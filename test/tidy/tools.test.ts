/**
 * The gates that are programs of their own: formatter and linter, type checker, dead code, workflow bundle.
 * Each is run as a developer runs it, and each is shown a mistake first.
 */

import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type BundleOptions, bundleWorkflowCode, DefaultLogger, type LogEntry } from "@temporalio/worker";
import { afterEach, describe, expect, test } from "vitest";
import { workflowBundleOptions } from "../../scripts/workflow-bundle.js";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../../", import.meta.url));
const made: string[] = [];
afterEach(async () => {
  for (const folder of made.splice(0)) await rm(folder, { recursive: true, force: true });
});

/** Runs a program of node_modules; resolves with its output and whether it succeeded. */
async function tool(
  name: string,
  args: readonly string[],
  cwd = root,
): Promise<{ ok: boolean; output: string }> {
  const path = join(root, "node_modules", ".bin", name);
  try {
    const { stdout, stderr } = await run(path, [...args], { cwd, maxBuffer: 16 * 1024 * 1024 });
    return { ok: true, output: stdout + stderr };
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    return { ok: false, output: stdout + stderr };
  }
}

async function project(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "rekey-tidy-"));
  made.push(folder);
  await symlink(join(root, "node_modules"), join(folder, "node_modules"));
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  return folder;
}

const extend = (more: object): string => JSON.stringify({ extends: join(root, "tsconfig.json"), ...more });

test("formatting and lint", async () => {
  const folder = await project({ "a.ts": "const a  = 'x'" });
  expect(
    (await tool("biome", ["check", `--config-path=${root}biome.json`, "--vcs-enabled=false", folder])).ok,
  ).toBe(false);
  const { ok, output } = await tool("biome", ["check", "."]);
  expect(ok, output).toBe(true);
});

test("types", async () => {
  const options = { rootDir: ".", incremental: false, noEmit: true };
  const folder = await project({
    "tsconfig.json": extend({ compilerOptions: options, include: ["a.ts"] }),
    "a.ts": "export const a: string | undefined = [''][0]; export const b: string = [''][0];",
  });
  expect((await tool("tsc", ["-p", folder])).output).toContain("a.ts(1,60)");
  const { ok, output } = await tool("tsc", ["--noEmit"]);
  expect(ok, output).toBe(true);
});

test("dead files, exports and dependencies", async () => {
  const folder = await project({
    "package.json": '{"name":"x","type":"module"}',
    "knip.json": '{"entry":["a.ts"],"project":["*.ts"]}',
    "a.ts": 'import { b } from "./b.js"; b();',
    "b.ts": "export function b() {} export function dead() {}",
    "c.ts": "export const file = 1;",
  });
  const dead = await tool("knip", ["--no-progress", "--directory", folder]);
  expect(dead.output).toContain("dead");
  expect(dead.output).toContain("c.ts");
  const { ok, output } = await tool("knip", ["--no-progress"]);
  expect(ok, output).toBe(true);
});

describe("the workflow bundle", () => {
  async function bundle(options: BundleOptions): Promise<{ code: string; warnings: string[] }> {
    const entries: LogEntry[] = [];
    const logger = new DefaultLogger("WARN", (entry) => entries.push(entry));
    const { code } = await bundleWorkflowCode({ ...options, logger });
    return { code, warnings: entries.map((entry) => entry.message) };
  }
  /** Webpack names every module that it takes in by its path. */
  const holdsZod = (code: string): boolean => /node_modules\/zod\//.test(code);

  test("a workflow that uses a module of Node, or zod, is noticed", async () => {
    const folder = await project({
      "node.ts":
        'import { readFileSync } from "node:fs"; export async function a() { return readFileSync("x"); }',
      "zod.ts": 'import { z } from "zod"; export async function a() { return z.string().parse("x"); }',
    });
    const outcome = await bundle({ workflowsPath: join(folder, "node.ts") }).then(
      ({ warnings }) => warnings.length,
      () => "refused",
    );
    expect(outcome).not.toBe(0);
    expect(holdsZod((await bundle({ workflowsPath: join(folder, "zod.ts") })).code)).toBe(true);
  });

  test("ours has no warning and no zod", async () => {
    const { code, warnings } = await bundle(workflowBundleOptions(new URL("../../", import.meta.url), "ts"));
    expect(warnings).toEqual([]);
    expect(holdsZod(code)).toBe(false);
  });
});
