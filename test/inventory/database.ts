/** Databases for the tests of `inventory/`: each test gets an empty or a migrated one of its own on the shared server. */
import { randomBytes } from "node:crypto";
import pg from "pg";
import { onTestFinished } from "vitest";
import type { Secret } from "../../domain/secret.js";
import { type Database, type DatabaseOptions, openDatabase } from "../../inventory/database.js";
import { migrate } from "../../inventory/migrate.js";
import { postgresServer } from "../setup/servers.js";

/** A database of one test's own, and a superuser's way into it past the code under test. */
export interface Fresh {
  readonly name: string;
  readonly url: Secret;
  readonly db: Database;
  /** Rows of a statement, run by the superuser on a connection of its own. */
  readonly sql: <Row extends pg.QueryResultRow>(text: string, values?: unknown[]) => Promise<Row[]>;
  /** Another handle, as another process would have. */
  readonly another: (options?: Partial<DatabaseOptions>) => Database;
}

/** An empty database; it and every handle are gone when the test has finished. */
export async function emptyDatabase(options: Partial<DatabaseOptions> = {}): Promise<Fresh> {
  const server = await postgresServer();
  const name = `inv_${randomBytes(6).toString("hex")}`;
  const url = server.url(name);
  const admin = (text: string, values: unknown[] = []) => query(server.url(), text, values);
  await admin(`create database ${name}`);
  const handles: Database[] = [];
  const another = (more: Partial<DatabaseOptions> = {}): Database => {
    const handle = openDatabase({ url, ...options, ...more });
    handles.push(handle);
    return handle;
  };
  onTestFinished(async () => {
    await Promise.all(handles.map((handle) => handle.close()));
    await admin(`drop database ${name} with (force)`);
  });
  const sql: Fresh["sql"] = (text, values = []) => query(url, text, values);
  return { name, url, db: another(), sql, another };
}

/** A database with all migrations. */
export async function migratedDatabase(options: Partial<DatabaseOptions> = {}): Promise<Fresh> {
  const fresh = await emptyDatabase(options);
  await migrate(fresh.db);
  return fresh;
}

/** A superuser's connection, to hold locks or transactions open; ended when the test has finished. */
export async function session(url: Secret): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url.reveal() });
  client.on("error", () => undefined);
  await client.connect();
  onTestFinished(() => client.end());
  return client;
}

async function query<Row extends pg.QueryResultRow>(
  url: Secret,
  text: string,
  values: unknown[],
): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url.reveal() });
  await client.connect();
  try {
    return (await client.query<Row>(text, values)).rows;
  } finally {
    await client.end();
  }
}
