/**
 * A real PgBouncer for development and tests, so that what Rekey believes of poolers is tried on the program that
 * estates have. Its list of logins can be rewritten while it runs, as an operator or a consumer kind does it.
 */
import { randomBytes } from "node:crypto";
import { chown, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Secret } from "../../domain/secret.js";
import { type Child, startChild } from "./child.js";
import { accepts, freePort } from "./ports.js";
import { postgresUser } from "./postgres-binaries.js";
import { systemProgram } from "./system-packages.js";

/** A pooler that runs. */
export interface PgBouncer {
  readonly host: string;
  readonly port: number;
  /** Who may use its console, the database `pgbouncer`. */
  readonly admin: { readonly username: string; readonly password: Secret };
  /** Its list of logins (`auth_file`). */
  readonly listPath: string;
  /** Everything that it has logged; only its owner can read it. */
  readonly logPath: string;
  /** Replaces the list at once, besides the console's user; PgBouncer reads it at `RELOAD`. */
  list(users: Readonly<Record<string, string>>): Promise<void>;
  /** Ends it, its clients with it, and removes what it kept. */
  stop(): Promise<void>;
}

/** What a pooler is started with. */
export interface PgBouncerOptions {
  /** Lines of `[databases]`. */
  readonly databases: readonly string[];
  /** More lines of `[pgbouncer]`, which win over the usual ones. */
  readonly settings?: readonly string[];
  /** Logins with their verifier or password, for the list. */
  readonly users?: Readonly<Record<string, string>>;
}

const readyMsMax = 30_000;
const host = "127.0.0.1";
const username = "console";

/**
 * Starts a pooler on a free port of 127.0.0.1, as the user that runs PostgreSQL where this process is root. Throws
 * `missing-setup` when there is no program or it is not ready.
 */
export async function startPgBouncer(options: PgBouncerOptions): Promise<PgBouncer> {
  const program = await systemProgram("pgbouncer");
  const user = await postgresUser();
  const password = new Secret(randomBytes(24).toString("hex"));
  const folder = await mkdtemp(join(tmpdir(), "rekey-pgbouncer-"));
  const port = await freePort();
  const listPath = join(folder, "users.txt");
  const logPath = join(folder, "log");
  const configPath = join(folder, "pgbouncer.ini");
  const own = async (path: string) => {
    if (user !== undefined) await chown(path, user.uid, user.gid);
  };
  const put = async (path: string, lines: readonly string[]) => {
    // Moved into its place, so that the pooler never reads half of it.
    const draft = `${path}.new`;
    await writeFile(draft, `${lines.join("\n")}\n`, { mode: 0o600 });
    await own(draft);
    await rename(draft, path);
  };
  const list = (users: Readonly<Record<string, string>>) =>
    put(
      listPath,
      Object.entries({ [username]: password.reveal(), ...users }).map(
        ([name, secret]) => `${quoted(name)} ${quoted(secret)}`,
      ),
    );
  try {
    await own(folder);
    await list(options.users ?? {});
    await put(configPath, [
      "[databases]",
      ...options.databases,
      "[pgbouncer]",
      `listen_addr = ${host}`,
      `listen_port = ${port}`,
      "unix_socket_dir =",
      "auth_type = scram-sha-256",
      `auth_file = ${listPath}`,
      `admin_users = ${username}`,
      `logfile = ${logPath}`,
      "server_login_retry = 1",
      ...(options.settings ?? []),
    ]);
    const child: Child = await startChild({
      name: "the development PgBouncer",
      command: program,
      args: ["--quiet", configPath],
      cwd: folder,
      user,
      ready: () => accepts(port),
      readyMsMax,
      // SIGINT waits for clients to go; this ends them.
      stopSignal: "SIGTERM",
      redact: [password],
      removeAfter: folder,
    });
    const stop = async () => {
      await child.stop();
      await rm(folder, { recursive: true, force: true });
    };
    return { host, port, admin: { username, password }, listPath, logPath, list, stop };
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

/** A name or secret as the list has it. */
function quoted(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}
