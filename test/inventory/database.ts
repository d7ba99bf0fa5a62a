/**
 * Databases for the tests of `inventory/`. Making one takes longer than a test: each file gets one of its own on the
 * shared server, copied from one that was migrated once, and each test finds it without a row.
 */
import { randomBytes } from "node:crypto";
import pg from "pg";
import { expect, onTestFinished } from "vitest";
import type { Secret } from "../../domain/secret.js";
import { type Database, type DatabaseOptions, openDatabase } from "../../inventory/database.js";
import { inventoryTemplate, postgresServer } from "../setup/servers.js";

/** A database of one test's own, and a superuser's way into it past the code under test. */
export interface Fresh {
  readonly name: string;
  readonly url: Secret;
  readonly db: Database;
  /** Rows of a statement, run by the superuser. */
  readonly sql: <Row extends pg.QueryResultRow>(text: string, values?: unknown[]) => Promise<Row[]>;
  /** Another handle, as another process would have. */
  readonly another: (options?: Partial<DatabaseOptions>) => Database;
}

/** The migrated database of the test file that this process runs now; files that follow each other share the process. */
let migrated: { readonly file: string | undefined; readonly made: Promise<Migrated> } | undefined;

interface Migrated {
  readonly name: string;
  readonly url: Secret;
  readonly client: pg.Client;
}

/** This file's; that of the file before, which nobody needs any more, is dropped. The last one goes with the server. */
function migratedOfFile(): Promise<Migrated> {
  const file = expect.getState().testPath;
  if (migrated !== undefined && migrated.file === file) return migrated.made;
  const before = migrated?.made;
  const made = Promise.all([createMigrated(), before?.then(forget)]).then(([own]) => own);
  migrated = { file, made };
  return made;
}

async function forget({ name, client }: Migrated): Promise<void> {
  await client.end();
  await drop(name);
}

/** An empty database; it and every handle are gone when the test has finished. */
export async function emptyDatabase(options: Partial<DatabaseOptions> = {}): Promise<Fresh> {
  const { name, url } = await create();
  const client = await connected(url);
  onTestFinished(async () => {
    await client.end();
    await drop(name);
  });
  return { name, url, ...access(url, client, options) };
}

/** This file's database with all migrations and no rows. */
export async function migratedDatabase(options: Partial<DatabaseOptions> = {}): Promise<Fresh> {
  const { name, url, client } = await migratedOfFile();
  const tables = await client.query<{ name: string }>(
    `select quote_ident(table_name) as name from information_schema.tables
      where table_schema = 'rekey_inventory' and table_name <> 'migrations'`,
  );
  const deletes = tables.rows.map((table) => `delete from rekey_inventory.${table.name}`);
  // Without triggers, because the records refuse to be deleted.
  await client.query(`begin; set local session_replication_role = replica; ${deletes.join("; ")}; commit`);
  return { name, url, ...access(url, client, options) };
}

/** A superuser's connection, to hold locks or transactions open; ended when the test has finished. */
export async function session(url: Secret): Promise<pg.Client> {
  const client = await connected(url);
  onTestFinished(() => client.end());
  return client;
}

/** Connections of the code under test that wait for a lock in this database; other files share the server. */
export async function waiting(sql: Fresh["sql"]): Promise<{ pid: number }[]> {
  return sql<{ pid: number }>(
    `select pid from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock' and application_name = 'rekey-inventory'`,
  );
}

function access(
  url: Secret,
  client: pg.Client,
  options: Partial<DatabaseOptions>,
): Pick<Fresh, "db" | "sql" | "another"> {
  const handles: Database[] = [];
  onTestFinished(async () => {
    await Promise.all(handles.map((handle) => handle.close()));
  });
  const another = (more: Partial<DatabaseOptions> = {}): Database => {
    const handle = openDatabase({ url, ...options, ...more });
    handles.push(handle);
    return handle;
  };
  const sql: Fresh["sql"] = async <Row extends pg.QueryResultRow>(text: string, values: unknown[] = []) =>
    (await client.query<Row>(text, values)).rows;
  return { db: another(), sql, another };
}

async function createMigrated(): Promise<Migrated> {
  const { name, url } = await create(` template ${await inventoryTemplate()}`);
  return { name, url, client: await connected(url) };
}

async function create(from = ""): Promise<{ name: string; url: Secret }> {
  const name = `inv_${randomBytes(6).toString("hex")}`;
  await asSuperuser(`create database ${name}${from}`);
  return { name, url: (await postgresServer()).url(name) };
}

async function drop(name: string): Promise<void> {
  await asSuperuser(`drop database ${name} with (force)`);
}

async function asSuperuser(text: string): Promise<void> {
  const client = await connected((await postgresServer()).url());
  await client.query(text);
  await client.end();
}

async function connected(url: Secret): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url.reveal() });
  client.on("error", () => undefined);
  await client.connect();
  return client;
}
