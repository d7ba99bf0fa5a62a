/**
 * Builds a development program from its Go module when no release can be had. The module's go.sum pins every
 * source file, so this needs no more trust than a pinned download does.
 */

import { execFile } from "node:child_process";
import { setPriority } from "node:os";
import { promisify } from "node:util";
import { RekeyError } from "../../domain/errors.js";
import { isProgram, onPath } from "./path.js";
import type { Progress } from "./progress.js";

const run = promisify(execFile);
const buildMsMax = 40 * 60_000;

/** Where Go's own installer puts it, often without adding it to PATH. */
export const usualGoPlaces: readonly string[] = [
  "/usr/local/go/bin/go",
  "/opt/homebrew/bin/go",
  "/usr/lib/go/bin/go",
];

/** The `go` command, from PATH or one of `places`; undefined when the machine has none. */
export async function findGo(env: NodeJS.ProcessEnv, places: readonly string[]): Promise<string | undefined> {
  const found = await onPath("go", env);
  if (found !== undefined) return found;
  for (const place of places) {
    if (await isProgram(place)) return place;
  }
  return undefined;
}

/** What is left to a build that nobody waits for yet: the time in which a processor would be idle. */
const idlePriority = 19;

/**
 * Builds `packageName` of the module in `folder` into the file `output`, telling every minute that it still
 * does. With `isPatient` it takes no processor from anybody else. Throws `missing-setup` when the build fails or takes more
 * than 40 minutes.
 */
export async function goBuild(
  go: string,
  folder: string,
  packageName: string,
  output: string,
  env: NodeJS.ProcessEnv,
  progress: Progress,
  isPatient = false,
): Promise<void> {
  const started = Date.now();
  const minutes = setInterval(() => {
    progress(`still building (${Math.round((Date.now() - started) / 60_000)} min)`);
  }, 60_000);
  try {
    const args = ["build", "-trimpath", "-ldflags", "-s -w", "-o", output, packageName];
    // A workspace or flags of the developer's own must not reach into this build.
    const clean = { ...env, GOWORK: "off", GOFLAGS: "" };
    const built = run(go, args, {
      cwd: folder,
      env: clean,
      timeout: buildMsMax,
      maxBuffer: 64 * 1024 * 1024,
    });
    const { pid } = built.child;
    // Compilers that it starts have the same priority.
    if (isPatient && pid !== undefined) setPriority(pid, idlePriority);
    await built;
  } catch {
    throw new RekeyError(
      "missing-setup",
      `\`go build ${packageName}\` failed in ${folder}`,
      `run it by hand to see why: (cd ${folder} && go build -o ${output} ${packageName})`,
    );
  } finally {
    clearInterval(minutes);
  }
}
