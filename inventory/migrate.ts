/**
 * Brings the database to the state that this release needs, forward only. Everything runs in one transaction
 * behind one advisory lock, so that two starts at once, a crash in the middle and a second run all end alike.
 */
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { RekeyError } from "../domain/errors.js";
import { schemaName } from "./columns.js";
import { type Database, type Tx, transact } from "./database.js";
import { sql } from "./orm.js";

/** One file of `migrations/`; its number is its place in the order. */
export interface Migration {
  readonly number: number;
  readonly name: string;
  readonly sql: string;
}

/** What a run did. */
export interface Migrated {
  /** Names of the migrations that were applied now; empty when there was nothing to do. */
  readonly applied: readonly string[];
  readonly version: number;
}

/** Any number will do, as long as nobody else in this database takes the same. */
const lockKey = 7_305_141_968;
/** A migration may rewrite a table; a start that waits for another one's migration waits as long. */
const migrationMsMax = 120_000;

/** The migrations of this release in a folder, in their order. Throws `internal` when their numbers have a gap. */
export async function bundledMigrations(
  folder: URL = new URL("./migrations/", import.meta.url),
): Promise<Migration[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(".sql")).sort();
  const migrations = await Promise.all(
    names.map(async (name) => ({
      number: Number(name.slice(0, 4)),
      name: name.slice(0, -".sql".length),
      sql: await readFile(new URL(name, folder), "utf8"),
    })),
  );
  const misplaced = migrations.find((migration, i) => migration.number !== i + 1);
  if (misplaced) throw new RekeyError("internal", `Migration ${misplaced.name} is out of order.`);
  return migrations;
}

/**
 * Applies what is missing to the schema; a second run does nothing. Throws `unsupported` for a database that a newer
 * release has migrated or whose past migrations were not this release's, and the errors of `transact`.
 */
export async function migrate(
  db: Database,
  migrations?: readonly Migration[],
  schema: string = schemaName,
): Promise<Migrated> {
  const wanted = migrations ?? (await bundledMigrations());
  const patient = { ...db, deadlineMs: migrationMsMax, statementTimeoutMs: migrationMsMax };
  return transact(patient, async (tx) => {
    await tx.execute(sql`select pg_advisory_xact_lock(${lockKey})`);
    const present = await presentMigrations(tx, schema);
    check(db.what, wanted, present);
    const missing = wanted.slice(present.length);
    await tx.execute(sql.raw(`set local search_path = ${schema}`));
    for (const migration of missing) {
      await tx.execute(sql.raw(migration.sql));
      await tx.execute(
        sql`insert into migrations (number, name, digest, applied_at)
          values (${migration.number}, ${migration.name}, ${digestOf(migration)}, now())`,
      );
    }
    return { applied: missing.map(({ name }) => name), version: wanted.length };
  });
}

type Present = { readonly number: number; readonly name: string; readonly digest: string };

async function presentMigrations(tx: Tx, schema: string): Promise<readonly Present[]> {
  // Asked first: `create … if not exists` needs rights that a login has no use for once the schema is there.
  const found = await tx.execute<{ there: boolean }>(
    sql`select to_regclass(${`${schema}.migrations`}) is not null as there`,
  );
  if (found.rows[0]?.there !== true) {
    await tx.execute(sql.raw(`create schema if not exists ${schema}`));
    await tx.execute(
      sql.raw(
        `create table ${schema}.migrations (
          number integer primary key, name text not null, digest text not null,
          applied_at timestamp(3) with time zone not null)`,
      ),
    );
  }
  const rows = await tx.execute<Present>(
    sql.raw(`select number, name, digest from ${schema}.migrations order by number`),
  );
  return rows.rows;
}

function check(what: string, wanted: readonly Migration[], present: readonly Present[]): void {
  if (present.length > wanted.length) {
    throw new RekeyError(
      "unsupported",
      `${what} is at migration ${present.length}, and this release knows ${wanted.length}.`,
      "A newer release has used it. Run that release or a later one; there is no way back.",
    );
  }
  for (const [i, { name, digest }] of present.entries()) {
    const migration = wanted[i];
    if (migration === undefined || migration.name !== name || digestOf(migration) !== digest) {
      throw new RekeyError(
        "unsupported",
        `${what} has a migration ${name} that is not the one of this release.`,
        "The database belongs to another build of the program. Use that build, or another database.",
      );
    }
  }
}

function digestOf(migration: Migration): string {
  return createHash("sha256").update(migration.sql).digest("hex");
}
