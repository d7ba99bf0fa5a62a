/** How the example services talk to PostgreSQL; the part of them that knows the driver. */
import pg from "pg";
import type { Credential, PoolHooks } from "../../kit/index.js";
import type { Settings } from "./settings.js";

/** PostgreSQL's words for "wrong password" and "may not log in". Both come before any work is done. */
export function isAuthFailure(error: unknown): boolean {
  return ["28P01", "28000"].includes((error as { code?: string }).code ?? "");
}

/** One request with a connection of its own. Returns the login that did the work. */
export async function workOnce(settings: Settings, credential: Credential): Promise<string> {
  const client = new pg.Client(connection(settings, credential));
  // A connection that the server ends while nothing runs on it is not this request's failure.
  client.on("error", () => {});
  try {
    await client.connect();
    const result = await client.query<{ login: string }>(settings.workSql);
    return result.rows[0]?.login ?? "";
  } finally {
    await client.end().catch(() => {});
  }
}

/** One request with a connection of the pool. */
export async function workWith(settings: Settings, pool: pg.Pool): Promise<string> {
  const result = await pool.query<{ login: string }>(settings.workSql);
  return result.rows[0]?.login ?? "";
}

/** How the kit swaps a `pg` pool. */
export function poolHooks(settings: Settings): PoolHooks<pg.Pool> {
  return {
    open: (credential) => {
      const pool = new pg.Pool({ ...connection(settings, credential), max: 4, idleTimeoutMillis: 0 });
      pool.on("error", () => {});
      return pool;
    },
    prove: async (pool) => {
      await pool.query("select 1");
    },
    drain: (pool) => pool.end(),
    isAuthFailure,
  };
}

function connection(settings: Settings, credential: Credential): pg.ClientConfig {
  return {
    ...settings.database,
    user: credential.username ?? "",
    password: credential.password,
    application_name: settings.service,
    connectionTimeoutMillis: 5_000,
    query_timeout: 5_000,
  };
}
