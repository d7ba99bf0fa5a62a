/** What keeps a lane's own records from being written: a database that may only be read, and one whose disk is full. */
import pg from "pg";
import type { Servers } from "./servers.js";

/** Statements of the administrator of all lanes' records. */
export async function asSuperuser(servers: Servers, ...statements: readonly string[]): Promise<void> {
  const admin = new pg.Client({ connectionString: servers.inventory.url().reveal() });
  await admin.connect();
  try {
    for (const statement of statements) await admin.query(statement);
  } finally {
    await admin.end();
  }
}

/** Has a database take nothing in, or take it in again; whoever is connected is cut off. */
export async function makeReadOnly(servers: Servers, database: string, on: boolean): Promise<void> {
  await asSuperuser(
    servers,
    `ALTER DATABASE ${database} SET default_transaction_read_only = ${on ? "on" : "off"}`,
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${database}'`,
  );
}

/** Tables in which everything that matters is added to. */
const growing = {
  inventory: ["rekey_inventory.rotation_events", "rekey_inventory.intents"],
  audit: ["rekey_audit.entries"],
} as const;

/** PostgreSQL's own answer where a disk is full, without a disk that is. */
export async function fill(
  servers: Servers,
  database: string,
  which: keyof typeof growing,
  on: boolean,
): Promise<void> {
  const url = servers.inventory.url(database);
  const admin = new pg.Client({ connectionString: url.reveal() });
  await admin.connect();
  try {
    const full = "raise exception 'no space left on device' using errcode = 'disk_full'";
    if (on)
      await admin.query(
        `CREATE OR REPLACE FUNCTION public.full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ begin ${full}; end $$`,
      );
    for (const table of growing[which])
      await admin.query(
        on
          ? `CREATE TRIGGER full_disk BEFORE INSERT ON ${table} FOR EACH STATEMENT EXECUTE FUNCTION public.full_disk()`
          : `DROP TRIGGER full_disk ON ${table}`,
      );
  } finally {
    await admin.end();
  }
}
