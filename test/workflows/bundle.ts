/** The workflow bundle of the tests: made from the sources as they are now, once for all files that see the same sources. */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { bundleWorkflowCode } from "@temporalio/worker";
import { workflowBundleOptions } from "../../scripts/workflow-bundle.js";
import { cacheFolder, projectRoot } from "../../worker/dev/places.js";

/** Rooms that the bundle holds; the failure converter and the options themselves are in the last two. */
const bundled = ["domain", "workflows", "worker/failure-converter.ts", "scripts/workflow-bundle.ts"];

/** The same with other workflows, for what only shows between two builds of them. */
const laterBuild = "test/workflows/later-build.ts";

let made: Promise<string> | undefined;

/** Path of the bundle; bundling takes seconds, so it is kept under the hash of everything that goes into it. */
export function testBundle(): Promise<string> {
  made ??= bundleOf([], {});
  return made;
}

/** Path of the bundle of a later build, whose rotations take another walk (`later-build.ts`). */
export function laterBundle(): Promise<string> {
  return bundleOf([laterBuild], { workflowsPath: join(projectRoot(), laterBuild) });
}

async function bundleOf(
  more: readonly string[],
  options: { readonly workflowsPath?: string },
): Promise<string> {
  const folder = join(cacheFolder(process.env), "test-bundles");
  const path = join(folder, `${await sourcesHash([...bundled, ...more])}.js`);
  if (existsSync(path)) return path;
  const root = pathToFileURL(`${projectRoot()}/`);
  const logger = { log() {}, trace() {}, debug() {}, info() {}, warn() {}, error() {} };
  const { code } = await bundleWorkflowCode({ ...workflowBundleOptions(root, "ts"), ...options, logger });
  await mkdir(folder, { recursive: true });
  const temporary = `${path}.${process.pid}`;
  await writeFile(temporary, code);
  await rename(temporary, path);
  return path;
}

async function sourcesHash(paths: readonly string[]): Promise<string> {
  const hash = createHash("sha256");
  for (const path of ["package-lock.json", ...paths]) {
    const full = join(projectRoot(), path);
    const files = /\.\w+$/.test(path)
      ? [full]
      : (await readdir(full, { recursive: true })).map((name) => join(full, name));
    for (const file of files.filter((name) => /\.(ts|json)$/.test(name)).sort()) {
      hash.update(`${file}\n`).update(await readFile(file));
    }
  }
  return hash.digest("hex").slice(0, 24);
}
