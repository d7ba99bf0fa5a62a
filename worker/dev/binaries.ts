/**
 * Finds the programs that development needs, `temporal` and `vault`, and gets them when they are missing. A
 * fresh machine has neither, and a machine behind a fence cannot download them: each way that fails says so in
 * one line and the next one is tried.
 */

import { chmod, mkdir, rename, rm, writeFile } from "node:fs/promises";
import { arch, platform } from "node:os";
import { join } from "node:path";
import { RekeyError } from "../../domain/errors.js";
import { extract } from "./archive.js";
import { type DownloadLimits, download } from "./download.js";
import { findGo, goBuild, usualGoPlaces } from "./go-build.js";
import { withLock } from "./lock.js";
import { isProgram, onPath } from "./path.js";
import type { ProgramPin } from "./pins.js";
import { cacheFolder, projectRoot } from "./places.js";
import type { Progress } from "./progress.js";

/** Everything that the search depends on; the defaults are this process and this machine. */
export interface FindOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly progress?: Progress;
  /** In the vendors' spelling, e.g. `linux_amd64`. */
  readonly platform?: string;
  readonly limits?: DownloadLimits;
  /** The ways to get it, tried in the order of the release and the build; both by default. */
  readonly ways?: readonly ("release" | "build")[];
  /** Where Go may lie when it is not on PATH. */
  readonly goPlaces?: readonly string[];
  /** Whether a build leaves the processors to everybody else. */
  readonly isPatient?: boolean;
}

/**
 * The path of the program, looked for in this order: its environment variable, PATH, the cache, the vendor's
 * release (pinned sum), a build from `tools/`. Safe to call from several processes at once: one installs, the
 * others wait. Throws `missing-setup`, naming every way that is left, when none worked.
 */
export async function findBinary(pin: ProgramPin, options: FindOptions = {}): Promise<string> {
  const env = options.env ?? process.env;
  const found = await locate(pin, env);
  if (found !== undefined) return found;
  const cached = cachedProgram(pin, env);
  const progress: Progress = (line) => options.progress?.(`${pin.name}: ${line}`);
  const lock = join(cacheFolder(env), "locks", `${pin.name}-${pin.version}`);
  await withLock(
    lock,
    () => progress("waiting for another process that is installing it"),
    async () => {
      if (!(await isProgram(cached))) await install(pin, cached, env, progress, options);
    },
  );
  return cached;
}

/** Where a program is looked for before it is got from anywhere. */
type Named = Pick<ProgramPin, "name" | "version" | "envName" | "onPath">;

/** The file in the cache that the program is kept in. */
export function cachedProgram({ name, version }: Named, env: NodeJS.ProcessEnv): string {
  return join(cacheFolder(env), "bin", `${name}-${version}`);
}

/**
 * The program where this machine has it: its environment variable, PATH, the cache; undefined when it has to be
 * got. Throws `missing-setup` when the variable names something else than a program.
 */
export async function locate(pin: Named, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const named = env[pin.envName];
  if (named !== undefined && named !== "") {
    if (await isProgram(named)) return named;
    throw new RekeyError(
      "missing-setup",
      `${pin.envName} names ${named}, which is not a program`,
      `correct it, or unset ${pin.envName} to let Rekey find ${pin.name}`,
    );
  }
  for (const name of pin.onPath) {
    const found = await onPath(name, env);
    if (found !== undefined) return found;
  }
  const cached = cachedProgram(pin, env);
  return (await isProgram(cached)) ? cached : undefined;
}

/** Puts the program at `target` by rename, so that a reader sees all of it or nothing. */
async function install(
  pin: ProgramPin,
  target: string,
  env: NodeJS.ProcessEnv,
  progress: Progress,
  options: FindOptions,
): Promise<void> {
  await mkdir(join(target, ".."), { recursive: true });
  const draft = `${target}.${process.pid}.new`;
  try {
    const ways = options.ways ?? ["release", "build"];
    const ok =
      (ways.includes("release") && (await fromRelease(pin, draft, env, progress, options))) ||
      (ways.includes("build") && (await fromSource(pin, draft, env, progress, options)));
    if (!ok) {
      const isPinned = pin.sha256[options.platform ?? thisPlatform()] !== undefined;
      const release = isPinned ? `, or make ${baseUrl(pin, env)} reachable` : "";
      throw new RekeyError(
        "missing-setup",
        `the program ${pin.name} ${pin.version} is not on this machine and could not be got`,
        `install it, or name it in ${pin.envName}${release}, or install Go 1.24 or later`,
      );
    }
    await chmod(draft, 0o755);
    await rename(draft, target);
  } finally {
    await rm(draft, { force: true });
  }
}

async function fromRelease(
  pin: ProgramPin,
  draft: string,
  env: NodeJS.ProcessEnv,
  progress: Progress,
  options: FindOptions,
): Promise<boolean> {
  const system = options.platform ?? thisPlatform();
  const sha256 = pin.sha256[system];
  if (sha256 === undefined) {
    progress(`no release is pinned for ${system}, so none is downloaded`);
    return false;
  }
  const url = `${baseUrl(pin, env)}/${pin.releasePath(system)}`;
  progress(`downloading ${pin.version} from ${url}`);
  try {
    const archive = await download(url, sha256, progress, options.limits);
    await writeFile(draft, extract(archive, pin.archive, pin.member));
    progress("the release has the pinned SHA-256");
    return true;
  } catch (error) {
    if (!(error instanceof RekeyError)) throw error;
    progress(error.message);
    return false;
  }
}

async function fromSource(
  pin: ProgramPin,
  draft: string,
  env: NodeJS.ProcessEnv,
  progress: Progress,
  options: FindOptions,
): Promise<boolean> {
  const go = await findGo(env, options.goPlaces ?? usualGoPlaces);
  if (go === undefined) {
    progress("there is no Go to build it with");
    return false;
  }
  progress(`building ${pin.version} with ${go} (some minutes, once)`);
  const folder = join(projectRoot(), "tools", pin.go.folder);
  await goBuild(go, folder, pin.go.package, draft, env, progress, options.isPatient);
  progress("built");
  return true;
}

function baseUrl(pin: ProgramPin, env: NodeJS.ProcessEnv): string {
  const named = env[pin.baseUrl.envName];
  return (named === undefined || named === "" ? pin.baseUrl.default : named).replace(/\/+$/, "");
}

function thisPlatform(): string {
  const system = platform() === "win32" ? "windows" : platform();
  return `${system}_${arch() === "x64" ? "amd64" : arch()}`;
}
