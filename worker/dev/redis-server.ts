/**
 * A real Redis for development and tests, with an ACL file of its own, so that the `redis` issuer is tried against
 * the program that it is for. It can be stopped and started again with what it kept.
 */
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Secret } from "../../domain/secret.js";
import { type Child, startChild } from "./child.js";
import { accepts, freePort } from "./ports.js";
import { systemProgram } from "./system-packages.js";

/** A Redis that runs. */
export interface RedisServer {
  readonly host: string;
  readonly port: number;
  /** Password of the user `admin`, who may do everything; the default user may do nothing. */
  readonly password: Secret;
  /** What it has written to its log so far. */
  readonly logPath: string;
  /** Path of its ACL file, or `null` where it was started without one. */
  readonly aclPath: string | null;
  /** Ends the process and starts it again on what it kept. */
  restart(): Promise<void>;
  /** Ends the process and keeps the folder. */
  pause(): Promise<void>;
  /** Ends it and removes what it kept. */
  stop(): Promise<void>;
}

/** How a server differs from the usual one. */
export interface RedisOptions {
  /** Lines for its configuration. */
  readonly config?: readonly string[];
  /** Where users are kept: a file of their own, the configuration file, or nowhere. */
  readonly users?: "aclfile" | "config" | "nowhere";
}

const readyMsMax = 30_000;
const host = "127.0.0.1";

/** Starts a server on a free port of 127.0.0.1. Throws `missing-setup` when there is no program or it is not ready. */
export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  const { users = "aclfile", config = [] } = options;
  const program = await systemProgram("redis-server");
  const password = new Secret(randomBytes(24).toString("hex"));
  const folder = await mkdtemp(join(tmpdir(), "rekey-redis-"));
  const port = await freePort();
  const logPath = join(folder, "log");
  const aclPath = users === "aclfile" ? join(folder, "users.acl") : null;
  const admin = [`user admin on >${password.reveal()} ~* &* +@all`, "user default on nopass resetkeys -@all"];
  const settings = [
    `port ${port}`,
    `bind ${host}`,
    `dir ${folder}`,
    `logfile ${logPath}`,
    "loglevel verbose",
    'save ""',
    ...(aclPath === null ? admin : [`aclfile ${aclPath}`]),
    ...config,
  ];
  const configPath = join(folder, "redis.conf");
  if (aclPath !== null) await writeFile(aclPath, `${admin.join("\n")}\n`, { mode: 0o600 });
  await writeFile(configPath, `${settings.join("\n")}\n`, { mode: 0o600 });
  // Without a file in its arguments the server reads its settings from standard input or knows none.
  const args = users === "nowhere" ? settings.flatMap(asArguments) : [configPath];
  const start = (): Promise<Child> =>
    startChild({
      name: "the development Redis",
      command: program,
      args,
      cwd: folder,
      ready: () => accepts(port),
      readyMsMax,
      stopSignal: "SIGTERM",
      redact: [password],
      removeAfter: folder,
    });
  let child: Child | null = await start();
  const pause = async () => {
    await child?.stop();
    child = null;
  };
  return {
    host,
    port,
    password,
    logPath,
    aclPath,
    pause,
    restart: async () => {
      await pause();
      child = await start();
    },
    stop: async () => {
      await pause();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A line of a configuration as arguments: `--name value ...`. */
function asArguments(line: string): string[] {
  const [name = "", ...values] = line.split(" ");
  return [`--${name}`, ...values];
}
