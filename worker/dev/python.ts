/**
 * Python tools for tests, in a virtual environment of the project's cache, so that nothing is installed into
 * a developer's own Python. It is made when a test first asks for it, and never before.
 */

import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { RekeyError } from "../../domain/errors.js";
import { withLock } from "./lock.js";
import { isProgram, onPath } from "./path.js";
import { cacheFolder } from "./places.js";
import type { Progress } from "./progress.js";

const run = promisify(execFile);
const installMsMax = 10 * 60_000;

/** What the environment depends on; the defaults are this process. */
export interface PythonOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly progress?: Progress;
}

/**
 * The folder with the programs of a virtual environment that holds exactly `requirements` (lines as in pip's
 * requirements files, pinned; one that carries hashes makes pip take nothing else). Made once per list. Throws `missing-setup` without Python 3 or when pip fails.
 */
export async function pythonTools(
  requirements: readonly string[],
  options: PythonOptions = {},
): Promise<string> {
  const env = options.env ?? process.env;
  const cache = cacheFolder(env);
  const key = createHash("sha256").update(requirements.join("\n")).digest("hex").slice(0, 12);
  const home = join(cache, `python-${key}`);
  const ready = join(home, "bin", "rekey-ready");
  if (await isProgram(ready)) return join(home, "bin");
  const python = await onPath("python3", env);
  if (python === undefined) {
    throw new RekeyError("missing-setup", "python3 is not on PATH", "install Python 3 with its venv module");
  }
  await withLock(
    join(cache, "locks", `python-${key}`),
    () => options.progress?.("waiting for another process that makes the Python environment"),
    async () => {
      if (!(await isProgram(ready))) await make(python, home, ready, requirements, env, options.progress);
    },
  );
  return join(home, "bin");
}

async function make(
  python: string,
  home: string,
  ready: string,
  requirements: readonly string[],
  env: NodeJS.ProcessEnv,
  progress: Progress | undefined,
): Promise<void> {
  const names = requirements.map((line) => line.split(" ")[0]);
  progress?.(`making a Python environment with ${names.join(", ") || "nothing in it"}`);
  const limits = { env, timeout: installMsMax, maxBuffer: 64 * 1024 * 1024 };
  await rm(home, { recursive: true, force: true });
  try {
    await run(python, ["-m", "venv", ...(requirements.length === 0 ? ["--without-pip"] : []), home], limits);
    if (requirements.length > 0) {
      const list = join(home, "requirements.txt");
      await writeFile(list, requirements.map((line) => `${line}\n`).join(""));
      const args = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement", list];
      await run(join(home, "bin", "python"), args, limits);
    }
    // A virtual environment cannot be moved, so its completeness is marked by a file made last.
    await run(join(home, "bin", "python"), ["-c", markScript, `${ready}.new`], limits);
    await rename(`${ready}.new`, ready);
  } catch {
    throw new RekeyError(
      "missing-setup",
      `the Python environment ${home} could not be made`,
      "check that Python 3 has its venv module (Debian, Ubuntu: the package python3-venv) and that pip reaches its index",
    );
  }
}

const markScript = "import os, sys; open(sys.argv[1], 'w').close(); os.chmod(sys.argv[1], 0o755)";
