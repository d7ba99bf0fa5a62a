/**
 * Programs that tests take from the operating system. They are installed when this process may do so;
 * otherwise the error names the package, and nothing is skipped.
 */

import { execFile } from "node:child_process";
import { userInfo } from "node:os";
import { promisify } from "node:util";
import { RekeyError } from "../../domain/errors.js";
import { onPath } from "./path.js";
import type { Progress } from "./progress.js";

const run = promisify(execFile);
const installMsMax = 10 * 60_000;

/** The programs that may be asked for, each with the Debian and Ubuntu package that brings it. */
const packages = {
  "redis-server": "redis-server",
  pgbouncer: "pgbouncer",
  mariadbd: "mariadb-server",
  "rabbitmq-server": "rabbitmq-server",
  chromium: "chromium",
  etcd: "etcd-server",
} as const;

/** A program from the operating system. */
export type SystemProgram = keyof typeof packages;

/** What the search depends on; the defaults are this process and this machine. */
export interface SystemOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly progress?: Progress;
  /** Whether this process may install packages; by default: it is root. */
  readonly root?: boolean;
}

/**
 * The path of the program, from PATH or freshly installed with apt-get (root on Debian or Ubuntu). Throws
 * `missing-setup`, naming the package, when it is on neither way to be had.
 */
export async function systemProgram(name: SystemProgram, options: SystemOptions = {}): Promise<string> {
  const env = options.env ?? process.env;
  const found = await onPath(name, env);
  if (found !== undefined) return found;
  const aptGet = await onPath("apt-get", env);
  const root = options.root ?? userInfo().uid === 0;
  if (aptGet === undefined || !root) {
    throw new RekeyError(
      "missing-setup",
      `the program ${name} is not on PATH`,
      `install the system package ${packages[name]} (Debian, Ubuntu: \`apt-get install ${packages[name]}\`)`,
    );
  }
  options.progress?.(`installing the system package ${packages[name]}`);
  await install(aptGet, packages[name], env);
  const installed = await onPath(name, env);
  if (installed === undefined) {
    throw new RekeyError("missing-setup", `the system package ${packages[name]} brought no program ${name}`);
  }
  return installed;
}

async function install(aptGet: string, name: string, env: NodeJS.ProcessEnv): Promise<void> {
  // RUNLEVEL keeps the package from starting a service of its own beside the one that a test starts.
  const quiet = { ...env, DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" };
  const options = { env: quiet, timeout: installMsMax, maxBuffer: 64 * 1024 * 1024 };
  const args = ["install", "--yes", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=300", name];
  try {
    await run(aptGet, args, options);
  } catch {
    // A fresh container has no package lists yet.
    try {
      await run(aptGet, ["update"], options);
      await run(aptGet, args, options);
    } catch {
      throw new RekeyError(
        "missing-setup",
        `the system package ${name} could not be installed`,
        `run \`apt-get update && apt-get install ${name}\` by hand to see why`,
      );
    }
  }
}
