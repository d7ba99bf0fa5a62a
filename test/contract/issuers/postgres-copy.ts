/** Copies of a running PostgreSQL, as clone procedures and replication make them: same data, same system identifier. */
import { execFile } from "node:child_process";
import { chown, cp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type pg from "pg";
import { type PostgresServer, startPostgres } from "../../../worker/dev/postgres.js";
import { clientOf } from "./postgres-world.js";

const run = promisify(execFile);

/** A second server made from the first one's files. */
export interface CopiedServer {
  readonly server: PostgresServer;
  superuser(database: string): Promise<pg.Client>;
  stop(): Promise<void>;
}

/** `clone` goes its own way from here; `standby` follows the first server. `lines` go into its configuration. */
export async function copyOf(
  source: PostgresServer,
  kind: "clone" | "standby",
  lines: readonly string[] = [],
): Promise<CopiedServer> {
  const root = {
    host: source.host,
    port: source.port,
    user: source.user,
    password: source.password.reveal(),
    database: "postgres",
  };
  const client = await clientOf(root);
  const follow = `primary_conninfo = host=${root.host} port=${root.port} user=${root.user} password=${root.password} application_name=standby`;
  try {
    const server = await startPostgres({
      config: kind === "standby" ? [follow, "hot_standby = on", ...lines] : lines,
      copyOf: {
        password: source.password,
        into: async (dataDir, user) => {
          await client.query("SELECT pg_backup_start('copy', true)");
          await cp(source.dataDir, dataDir, { recursive: true, preserveTimestamps: true, filter: isData });
          const { rows } = await client.query<{ labelfile: string }>(
            "SELECT labelfile FROM pg_backup_stop(false)",
          );
          await writeFile(join(dataDir, "backup_label"), rows[0]?.labelfile ?? "");
          // The log up to the end of the copy is what makes it consistent.
          await rm(join(dataDir, "pg_wal"), { recursive: true, force: true });
          await cp(join(source.dataDir, "pg_wal"), join(dataDir, "pg_wal"), { recursive: true });
          if (kind === "standby") await writeFile(join(dataDir, "standby.signal"), "");
          if (user !== undefined) {
            await run("chown", ["-R", `${user.uid}:${user.gid}`, dataDir]);
            await chown(dataDir, user.uid, user.gid);
          }
        },
      },
    });
    return {
      server,
      superuser: (database) => clientOf({ ...root, host: server.host, port: server.port, database }),
      stop: () => server.stop(),
    };
  } finally {
    await client.end();
  }
}

function isData(path: string): boolean {
  return !path.endsWith("postmaster.pid") && !path.endsWith("postmaster.opts") && !path.includes("/pg_wal/");
}
