/**
 * The records of a lane as a backup would have them: copied beside themselves when a case begins, and put back in
 * their place in the middle of it, as where a database is restored to an earlier time (H32).
 */
import pg from "pg";
import type { Secret } from "../../../domain/secret.js";

const schema = "rekey_inventory";

/** Keeps a copy of all records, in place of an earlier one. */
export async function keepRecords(url: Secret): Promise<void> {
  await within(url, async (client, tables) => {
    const copies = tables.map((table) => `CREATE TABLE yesterday.${table} AS TABLE ${schema}.${table}`);
    const anew = ["DROP SCHEMA IF EXISTS yesterday CASCADE", "CREATE SCHEMA yesterday"];
    // One picture of the database, also while a worker writes.
    await client.query(["BEGIN ISOLATION LEVEL REPEATABLE READ", ...anew, ...copies, "COMMIT"].join("; "));
  });
}

/** Puts that copy in the place of the records. Every session is ended, as where a backup is put back. */
export async function putBackRecords(url: Secret): Promise<void> {
  await within(url, async (client, tables) => {
    const back = tables.map(
      (table) =>
        `DELETE FROM ${schema}.${table}; INSERT INTO ${schema}.${table} OVERRIDING SYSTEM VALUE TABLE yesterday.${table}`,
    );
    await client.query(
      [
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
        "BEGIN",
        // No trigger, and no check of an order.
        "SET LOCAL session_replication_role = replica",
        `LOCK TABLE ${tables.map((table) => `${schema}.${table}`).join(", ")} IN ACCESS EXCLUSIVE MODE`,
        ...back,
        "COMMIT",
      ].join("; "),
    );
  });
}

async function within(
  url: Secret,
  body: (client: pg.Client, tables: readonly string[]) => Promise<void>,
): Promise<void> {
  const client = new pg.Client({ connectionString: url.reveal() });
  await client.connect();
  try {
    const { rows } = await client.query<{ name: string }>(
      `SELECT quote_ident(table_name) AS name FROM information_schema.tables
        WHERE table_schema = '${schema}' AND table_name <> 'migrations' ORDER BY 1`,
    );
    await body(
      client,
      rows.map(({ name }) => name),
    );
  } finally {
    await client.end();
  }
}
