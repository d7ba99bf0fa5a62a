/** Migrations: from nothing, again, at the same moment, after a crash, and against a database of another release. */

import { expect, it } from "vitest";
import * as adoptionTables from "../../inventory/adoption-tables.js";
import * as auditTables from "../../inventory/audit-tables.js";
import { read } from "../../inventory/database.js";
import * as discoveryTables from "../../inventory/discovery-tables.js";
import * as estateTables from "../../inventory/estate-tables.js";
import * as findingTables from "../../inventory/finding-tables.js";
import * as graphTables from "../../inventory/graph-tables.js";
import { bundledMigrations, migrate } from "../../inventory/migrate.js";
import { getTableConfig, type PgTable } from "../../inventory/orm.js";
import * as peopleTables from "../../inventory/people-tables.js";
import * as processTables from "../../inventory/process-tables.js";
import * as restoreTables from "../../inventory/restore-tables.js";
import * as rotationTables from "../../inventory/rotation-tables.js";
import * as sightingTables from "../../inventory/sighting-tables.js";
import { emptyDatabase, migratedDatabase, session, waiting } from "./database.js";

const bundled = await bundledMigrations();

it("brings an empty database up to date, and does nothing the second time", async () => {
  const { db, sql } = await emptyDatabase();
  const names = bundled.map(({ name }) => name);
  expect(await migrate(db)).toEqual({ applied: names, version: names.length });
  const before = await sql("select number, applied_at from rekey_inventory.migrations order by 1");
  expect(await migrate(db)).toEqual({ applied: [], version: names.length });
  expect(await sql("select number, applied_at from rekey_inventory.migrations order by 1")).toEqual(before);
});

it("lets eight starts at once migrate one empty database", async () => {
  const { another } = await emptyDatabase({ connectionsMax: 1 });
  const runs = await Promise.all(Array.from({ length: 8 }, () => migrate(another())));
  expect(runs.filter(({ applied }) => applied.length === bundled.length)).toHaveLength(1);
  expect(runs.filter(({ applied }) => applied.length === 0)).toHaveLength(7);
});

it("leaves nothing behind when a migration fails, so that a mended one starts from where it was", async () => {
  const { db, sql } = await emptyDatabase();
  const broken = [...bundled, { number: bundled.length + 1, name: "9999_broken", sql: "create table x (;" }];
  await expect(migrate(db, broken)).rejects.toMatchObject({ code: "internal" });
  expect(await sql("select to_regclass('rekey_inventory.migrations') as there")).toEqual([{ there: null }]);
  expect((await migrate(db)).applied).toHaveLength(bundled.length);
});

it("leaves nothing behind when its connection is cut in the middle", async () => {
  const { db, sql, url } = await emptyDatabase();
  const blocker = await session(url);
  await blocker.query("begin; create schema rekey_inventory");
  const running = migrate(db);
  await expect.poll(() => waiting(sql)).toHaveLength(1);
  const [blocked] = await waiting(sql);
  await sql("select pg_terminate_backend($1)", [blocked?.pid]);
  await blocker.query("rollback");
  // The cut attempt is tried again by itself, on another connection.
  expect((await running).applied).toHaveLength(bundled.length);
});

it("refuses a database that a newer release has migrated", async () => {
  const { db, sql } = await emptyDatabase();
  await migrate(db);
  const next = bundled.length + 1;
  await sql("insert into rekey_inventory.migrations values ($1, '9999_later', 'x', now())", [next]);
  await expect(migrate(db)).rejects.toMatchObject({
    code: "unsupported",
    detail: `The inventory database is at migration ${next}, and this release knows ${bundled.length}.`,
    hint: expect.stringContaining("newer release"),
  });
});

it("refuses a database whose past is not this release's", async () => {
  const { db, sql } = await emptyDatabase();
  await migrate(db);
  await sql("update rekey_inventory.migrations set digest = 'other' where number = 2");
  await expect(migrate(db)).rejects.toMatchObject({
    code: "unsupported",
    detail: expect.stringContaining("0002_rotations"),
  });
});

it("describes every table as the migrations make it", async () => {
  const { db, sql } = await migratedDatabase();
  const tables = [
    estateTables,
    rotationTables,
    peopleTables,
    adoptionTables,
    auditTables,
    processTables,
    restoreTables,
    sightingTables,
    graphTables,
    discoveryTables,
    findingTables,
  ].flatMap((module) => Object.values(module).filter((value): value is PgTable => typeof value === "object"));
  const described = tables.flatMap((table) => {
    const { name, columns } = getTableConfig(table);
    return columns.map((column) => ({
      table: name,
      column: column.name,
      nullable: !column.notNull && !column.primary,
    }));
  });
  const found = await sql<{ table: string; column: string; nullable: boolean }>(
    `select table_name as table, column_name as column, is_nullable = 'YES' as nullable
      from information_schema.columns where table_schema = 'rekey_inventory' and table_name <> 'migrations'`,
  );
  const key = (row: { table: string; column: string }) => `${row.table}.${row.column}`;
  const sorted = <T extends { table: string; column: string }>(rows: T[]) =>
    [...rows].sort((a, b) => (key(a) < key(b) ? -1 : 1));
  expect(sorted(described)).toEqual(sorted(found));
  for (const table of tables) await read(db, (tx) => tx.select().from(table).limit(1));
});
