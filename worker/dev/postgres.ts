/**
 * PostgreSQL for development, demo and tests, started the way that production should be: a superuser with a
 * random password, SCRAM for every login, and nothing but 127.0.0.1. Each call starts a server of its own.
 */

import { execFile } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import {
  chmod,
  chown,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { RekeyError } from "../../domain/errors.js";
import { Secret } from "../../domain/secret.js";
import { startChild } from "./child.js";
import { freePort } from "./ports.js";
import {
  type PostgresPrograms,
  postgresPrograms,
  postgresUser,
  reachable,
  runnableBy,
  type SystemUser,
} from "./postgres-binaries.js";

const run = promisify(execFile);

/** What may differ between one server and another. */
export interface PostgresOptions {
  /** The programs of another release than the one that the project brings. */
  readonly programs?: PostgresPrograms;
  /** Keeps data and password in this folder (made when missing); without it both are temporary and gone after stop. */
  readonly folder?: string;
  /** More lines of postgresql.conf, e.g. `wal_level = logical`. */
  readonly config?: readonly string[];
  /** Lines put before ours in pg_hba.conf. */
  readonly hba?: readonly string[];
  /** A free port when absent. */
  readonly port?: number;
  /** Keeps everything that the server logs in this file. */
  readonly logFile?: string;
  /** Fills the new data folder from another server's data instead of `initdb`: a standby, a restored copy. */
  readonly copyOf?: {
    readonly password: Secret;
    readonly into: (dataDir: string, user: SystemUser | undefined) => Promise<void>;
  };
}

/** A server that runs. `stop` ends it at once (sessions are cut) and removes temporary data. */
export interface PostgresServer {
  readonly host: string;
  readonly port: number;
  /** The superuser's name. */
  readonly user: string;
  readonly password: Secret;
  readonly dataDir: string;
  readonly pid: number;
  /** Resolves when it has ended, whoever ended it. */
  readonly ended: Promise<void>;
  /** A connection URL of the superuser for one database; it holds the password, hence the type. */
  url(database?: string): Secret;
  stop(): Promise<void>;
}

const superuser = "postgres";
const readyMsMax = 30_000;

/** Durability costs a test most of its time and buys it nothing; a folder that is kept is written safely. */
const temporaryConfig = ["fsync = off", "synchronous_commit = off", "full_page_writes = off"];

const hbaLines = [
  "local all all scram-sha-256",
  "host all all 127.0.0.1/32 scram-sha-256",
  "host replication all 127.0.0.1/32 scram-sha-256",
];

/**
 * Starts a server and resolves once it accepts connections. Throws `missing-setup` when PostgreSQL is not
 * installed, cannot be initialised, or is not ready after 30 s.
 */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const user = await postgresUser();
  const programs =
    options.programs === undefined ? await postgresPrograms(user) : await runnableBy(options.programs, user);
  const temporary = options.folder === undefined;
  const folder =
    options.folder === undefined ? await temporaryFolder(user) : await keptFolder(options.folder, user);
  const dataDir = join(folder, "data");
  try {
    const password = await prepared(programs, folder, user, options);
    const port = options.port ?? (await freePort());
    const child = await startChild({
      name: "PostgreSQL",
      command: programs.postgres,
      args: ["-D", dataDir, "-p", String(port), ...settings(temporary, options.config ?? [])],
      cwd: dataDir,
      user,
      ready: (output) => /database system is ready to accept (read-only )?connections/.test(output),
      readyMsMax,
      stopSignal: "SIGINT",
      logFile: options.logFile,
      removeAfter: temporary ? folder : undefined,
    });
    const stop = async (): Promise<void> => {
      await child.stop();
      if (temporary) await rm(folder, { recursive: true, force: true });
    };
    const url = (database = "postgres"): Secret =>
      new Secret(
        `postgres://${superuser}:${password.reveal()}@127.0.0.1:${port}/${encodeURIComponent(database)}`,
      );
    const { pid, ended } = child;
    return { host: "127.0.0.1", port, user: superuser, password, dataDir, pid, ended, url, stop };
  } catch (error) {
    if (temporary) await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

/** Makes the data when there is none yet; the superuser's password either way. */
async function prepared(
  programs: PostgresPrograms,
  folder: string,
  user: SystemUser | undefined,
  options: PostgresOptions,
): Promise<Secret> {
  const passwordFile = join(folder, "superuser");
  const found = await readdir(folder);
  if (found.includes("data")) return new Secret((await readFile(passwordFile, "utf8")).trim());
  const password = options.copyOf?.password ?? new Secret(randomBytes(24).toString("hex"));
  await writeFile(passwordFile, `${password.reveal()}\n`, { mode: 0o600 });
  await own(passwordFile, user);
  // Made beside its place and moved there, so that data is never half made after a crash.
  const draft = join(folder, "data.new");
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { mode: 0o700 });
  await own(draft, user);
  if (options.copyOf === undefined) {
    await initialise(programs, draft, passwordFile, user);
    await writeFile(join(draft, "pg_hba.conf"), `${[...(options.hba ?? []), ...hbaLines].join("\n")}\n`);
  } else {
    await options.copyOf.into(draft, user);
  }
  await rename(draft, join(folder, "data"));
  return password;
}

async function initialise(
  programs: PostgresPrograms,
  dataDir: string,
  passwordFile: string,
  user: SystemUser | undefined,
): Promise<void> {
  const args = [`--pgdata=${dataDir}`, `--username=${superuser}`, `--pwfile=${passwordFile}`];
  args.push("--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync");
  try {
    await run(programs.initdb, args, { ...user, cwd: dataDir, timeout: 60_000 });
  } catch {
    throw new RekeyError(
      "missing-setup",
      `initdb failed in ${dataDir}`,
      "check that the disk has room and that the folder can be written to",
    );
  }
}

function settings(temporary: boolean, more: readonly string[]): string[] {
  const lines = [
    "listen_addresses = 127.0.0.1",
    "unix_socket_directories = ''",
    ...(temporary ? temporaryConfig : []),
    ...more,
  ];
  return lines.flatMap((line) => {
    const at = line.indexOf("=");
    if (at < 1) throw new RekeyError("bad-input", `not a line of postgresql.conf: ${line}`);
    const value = line
      .slice(at + 1)
      .trim()
      .replace(/^'(.*)'$/, "$1");
    return ["-c", `${line.slice(0, at).trim()}=${value}`];
  });
}

async function temporaryFolder(user: SystemUser | undefined): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "rekey-pg-"));
  await own(folder, user);
  return folder;
}

/** The folder to keep data in; when root's `postgres` user cannot enter it, one under /var/tmp stands for it. */
async function keptFolder(wanted: string, user: SystemUser | undefined): Promise<string> {
  let folder = resolve(wanted);
  if (user !== undefined && !(await reachable(join(folder, "data"), user))) {
    folder = join("/var/tmp", `rekey-pg-${createHash("sha256").update(folder).digest("hex").slice(0, 16)}`);
  }
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const owner = (await lstat(folder)).uid;
  if (user !== undefined && owner !== 0 && owner !== user.uid) {
    throw new RekeyError("missing-setup", `${folder} belongs to somebody else`, "name another folder");
  }
  await chmod(folder, 0o700);
  await own(folder, user);
  return folder;
}

async function own(path: string, user: SystemUser | undefined): Promise<void> {
  if (user !== undefined) await chown(path, user.uid, user.gid);
}
