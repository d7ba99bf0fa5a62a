/**
 * A real MariaDB for tests, so that what looks at its sessions is tried against the program that it is for. Its data lies in a
 * folder of its own and is gone afterwards.
 */
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { RekeyError } from "../../domain/errors.js";
import { Secret } from "../../domain/secret.js";
import { startChild } from "./child.js";
import { accepts, freePort } from "./ports.js";
import { systemProgram } from "./system-packages.js";

const run = promisify(execFile);

/** A MariaDB that runs. */
export interface MariadbServer {
  readonly host: string;
  readonly port: number;
  /** Password of the user `admin`, who may do everything. */
  readonly password: Secret;
  /** Ends it and removes what it kept. */
  stop(): Promise<void>;
}

const readyMsMax = 60_000;
const host = "127.0.0.1";

/**
 * Starts a server on a free port of 127.0.0.1; with `asksNames` it looks up the name of whoever connects, as it does unless it is
 * told not to. Throws `missing-setup` when there is no program or it is not ready.
 */
export async function startMariadb({ asksNames = false } = {}): Promise<MariadbServer> {
  const program = await systemProgram("mariadbd");
  const folder = await mkdtemp(join(tmpdir(), "rekey-mariadb-"));
  const data = join(folder, "data");
  const user = `--user=${userInfo().username}`;
  const password = new Secret(randomBytes(24).toString("hex"));
  const port = await freePort();
  const init = join(folder, "init.sql");
  try {
    await run("mariadb-install-db", ["--no-defaults", `--datadir=${data}`, user, "--skip-test-db"]);
  } catch {
    await rm(folder, { recursive: true, force: true });
    throw new RekeyError("missing-setup", "the development MariaDB could not make its data folder");
  }
  const admin = `CREATE USER admin@'${host}' IDENTIFIED BY '${password.reveal()}';`;
  await writeFile(init, `${admin}\nGRANT ALL ON *.* TO admin@'${host}' WITH GRANT OPTION;\n`, {
    mode: 0o600,
  });
  const child = await startChild({
    name: "the development MariaDB",
    command: program,
    args: [
      "--no-defaults",
      user,
      `--datadir=${data}`,
      `--bind-address=${host}`,
      `--port=${port}`,
      `--socket=${join(folder, "socket")}`,
      `--pid-file=${join(folder, "pid")}`,
      `--init-file=${init}`,
      ...(asksNames ? [] : ["--skip-name-resolve"]),
      "--performance-schema=ON",
      "--innodb-flush-log-at-trx-commit=0",
    ],
    cwd: folder,
    ready: () => accepts(port),
    readyMsMax,
    stopSignal: "SIGTERM",
    redact: [password],
    removeAfter: folder,
  });
  return {
    host,
    port,
    password,
    stop: async () => {
      await child.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
