/**
 * The records of a lane, or its audit log, as a backup would have them: copied beside themselves when a case begins, and
 * put back in their place in the middle of it, as where a database is restored to an earlier time (H32).
 */
import pg from "pg";
import type { Secret } from "../../../domain/secret.js";

/** What can be put back, each in a database of a lane. */
export type Kept = "rekey_inventory" | "rekey_audit";

/** Keeps a copy of everything in a schema, in place of an earlier one. */
export async function keepRecords(url: Secret, schema: Kept): Promise<void> {
  await within(url, schema, async (client, tables) => {
    const copies = tables.map(
      ({ name, columns }) => `CREATE TABLE yesterday.${name} AS SELECT ${columns} FROM ${schema}.${name}`,
    );
    const anew = ["DROP SCHEMA IF EXISTS yesterday CASCADE", "CREATE SCHEMA yesterday"];
    // One picture of the database, also while a worker writes.
    await client.query(["BEGIN ISOLATION LEVEL REPEATABLE READ", ...anew, ...copies, "COMMIT"].join("; "));
  });
}

/** Puts that copy in the place of the records. Every session is ended, as where a backup is put back. */
export async function putBackRecords(url: Secret, schema: Kept): Promise<void> {
  await within(url, schema, async (client, tables) => {
    const back = tables.map(
      ({ name, columns }) =>
        `DELETE FROM ${schema}.${name};
         INSERT INTO ${schema}.${name} (${columns}) OVERRIDING SYSTEM VALUE SELECT ${columns} FROM yesterday.${name}`,
    );
    await client.query(
      [
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
        "BEGIN",
        // No trigger, and no check of an order.
        "SET LOCAL session_replication_role = replica",
        `LOCK TABLE ${tables.map(({ name }) => `${schema}.${name}`).join(", ")} IN ACCESS EXCLUSIVE MODE`,
        ...back,
        "COMMIT",
      ].join("; "),
    );
  });
}

/** A table, and those of its columns that are not made from others. */
interface Table {
  readonly name: string;
  readonly columns: string;
}

async function within(
  url: Secret,
  schema: Kept,
  body: (client: pg.Client, tables: readonly Table[]) => Promise<void>,
): Promise<void> {
  const client = new pg.Client({ connectionString: url.reveal() });
  await client.connect();
  try {
    const { rows } = await client.query<{ name: string; columns: string }>(
      `SELECT quote_ident(table_name) AS name,
              string_agg(quote_ident(column_name), ', ' ORDER BY ordinal_position) AS columns
         FROM information_schema.columns
        WHERE table_schema = '${schema}' AND table_name <> 'migrations' AND is_generated = 'NEVER'
        GROUP BY table_name ORDER BY 1`,
    );
    await body(client, rows);
  } finally {
    await client.end();
  }
}
