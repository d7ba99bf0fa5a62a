/**
 * The log's tables: a head that one writer at a time holds, entries by index, and the tree in tiles. All that is
 * written is written by `append`, in the transaction that holds the head.
 */

import type { AuditEntry, Opening } from "../domain/audit.js";
import { RekeyError } from "../domain/errors.js";
import { type Database, type Tx, transact } from "../inventory/database.js";
import { bundledMigrations, type Migrated, migrate } from "../inventory/migrate.js";
import { sql } from "../inventory/orm.js";
import { emptyRoot, leafHash } from "./hash.js";
import type { Head } from "./proofs.js";
import { Edge, edgeTiles, type TileKey, TileMissing, type Tiles, tileKey } from "./tiles.js";

const schema = "rekey_audit";

/** Brings the log's schema to the state of this release. Errors as for `migrate`. */
export async function migrateLog(log: Database): Promise<Migrated> {
  return migrate(log, await bundledMigrations(new URL("./migrations/", import.meta.url)), schema);
}

/** Makes an empty log of this name where there is none. Throws `foreign-installation` for another one's. */
export async function ensureLog(log: Database, origin: string): Promise<void> {
  await transact(log, async (tx) => {
    await tx.execute(sql`insert into rekey_audit.head (origin, size, root)
      values (${origin}, 0, ${emptyRoot()}) on conflict do nothing`);
    const { rows } = await tx.execute<{ origin: string }>(sql`select origin from rekey_audit.head`);
    const found = rows[0]?.origin;
    if (found !== origin) {
      const sentence = `The audit store holds the log ${found}, and this installation writes ${origin}.`;
      throw new RekeyError(
        "foreign-installation",
        sentence,
        "Give each installation a database for its log.",
      );
    }
  });
}

/** The head as it is; `hold` makes everybody else wait who wants to write. Throws `missing-setup` without a log. */
export async function headOf(tx: Tx, hold: "hold" | "look"): Promise<Head> {
  const lock = hold === "hold" ? sql`for no key update` : sql``;
  const { rows } = await tx.execute<{ size: string; root: Buffer }>(
    sql`select size, root from rekey_audit.head ${lock}`,
  );
  const [row] = rows;
  if (row === undefined) {
    throw new RekeyError("missing-setup", "There is no audit log yet.", "A worker makes it at its start.");
  }
  return { size: Number(row.size), root: row.root };
}

/** The tiles of these places, as far as they are there. */
export async function tilesOf(tx: Tx, keys: readonly TileKey[]): Promise<Tiles> {
  if (keys.length === 0) return new Map();
  const places = keys.map((key) => key.split("/").map(Number));
  const [levels, numbers] = [places.map(([level]) => level), places.map(([, number]) => number)];
  const { rows } = await tx.execute<{ level: number; number: string; hashes: Buffer }>(
    sql`select level, number, hashes from rekey_audit.tiles
      join unnest(${sql.param(levels)}::smallint[], ${sql.param(numbers)}::bigint[]) as wanted (level, number)
      using (level, number)`,
  );
  return new Map(rows.map(({ level, number, hashes }) => [tileKey(level, Number(number)), hashes]));
}

/** Texts of those entries that the log has, by id. */
export async function bodiesIn(tx: Tx, ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
  if (ids.length === 0) return new Map();
  const { rows } = await tx.execute<{ id: string; body: string }>(
    sql`select id, body from rekey_audit.entries where id = any(${sql.param([...ids])}::text[])`,
  );
  return new Map(rows.map(({ id, body }) => [id, body]));
}

/**
 * Adds the entries behind the others, in this order, and answers with the new head. The transaction holds the
 * head. Throws `audit-broken` where the tree does not have the root that the head tells.
 */
export async function append(tx: Tx, head: Head, entries: readonly AuditEntry[]): Promise<Head> {
  if (entries.length === 0) return head;
  const edge = await edgeOf(tx, head);
  const filled: { level: number; number: number; hashes: Buffer }[] = [];
  for (const { body } of entries) {
    edge.append(leafHash(body), (level, number, hashes) => filled.push({ level, number, hashes }));
  }
  const next = { size: edge.size, root: edge.root() };
  const bodies = entries.map(({ body }) => body);
  await tx.execute(sql`insert into rekey_audit.entries (index, body)
    select ${head.size}::bigint + place - 1, body
    from unnest(${sql.param(bodies)}::text[]) with ordinality as given (body, place)`);
  await writeOpenings(tx, entries);
  await writeTiles(tx, [...filled, ...edge.tiles()]);
  await tx.execute(sql`update rekey_audit.head set size = ${next.size}, root = ${next.root}`);
  return next;
}

/** The tree's right edge, checked against the head. Throws `audit-broken`. */
async function edgeOf(tx: Tx, head: Head): Promise<Edge> {
  try {
    const edge = new Edge(head.size, await tilesOf(tx, edgeTiles(head.size)));
    if (edge.root().equals(head.root)) return edge;
  } catch (error) {
    if (!(error instanceof TileMissing)) throw error;
  }
  const sentence = "The audit log's tree does not have the root that its head tells; nothing is added to it.";
  throw new RekeyError("audit-broken", sentence, "Look with `rekey audit verify`.");
}

async function writeOpenings(tx: Tx, entries: readonly AuditEntry[]): Promise<void> {
  const rows = entries.flatMap(({ id, openings }) =>
    Object.entries(openings).map(([field, { salt, value }]) => [id, field, salt, value] as const),
  );
  if (rows.length === 0) return;
  const column = (at: 0 | 1 | 2 | 3) => sql.param(rows.map((row) => row[at]));
  await tx.execute(sql`insert into rekey_audit.openings (entry, field, salt, value)
    select * from unnest(${column(0)}::text[], ${column(1)}::text[], ${column(2)}::text[], ${column(3)}::text[])`);
}

/** Writes tiles, each over what is there of it. */
export async function writeTiles(
  tx: Tx,
  tiles: readonly { readonly level: number; readonly number: number; readonly hashes: Buffer }[],
): Promise<void> {
  const levels = sql.param(tiles.map(({ level }) => level));
  const numbers = sql.param(tiles.map(({ number }) => number));
  const hashes = sql.param(tiles.map((tile) => tile.hashes));
  await tx.execute(sql`insert into rekey_audit.tiles (level, number, hashes)
    select * from unnest(${levels}::smallint[], ${numbers}::bigint[], ${hashes}::bytea[])
    on conflict (level, number) do update set hashes = excluded.hashes`);
}

/** An entry of the log with its place. What was forgotten of it is not among its openings. */
export interface LoggedEntry extends AuditEntry {
  readonly index: number;
}

/** The entries of a rotation in their order. */
export async function entriesOf(tx: Tx, rotation: string): Promise<LoggedEntry[]> {
  const { rows } = await tx.execute<{ index: string; id: string; body: string }>(
    sql`select index, id, body from rekey_audit.entries where rotation = ${rotation} order by index`,
  );
  const openings = await openingsOf(
    tx,
    rows.map(({ id }) => id),
  );
  return rows.map(({ index, id, body }) => ({
    index: Number(index),
    id,
    body,
    openings: openings.get(id) ?? {},
  }));
}

/** What is still known of the personal fields of these entries, by entry. */
async function openingsOf(
  tx: Tx,
  ids: readonly string[],
): Promise<ReadonlyMap<string, Readonly<Record<string, Opening>>>> {
  const { rows } = await tx.execute<{ entry: string; field: string } & Record<keyof Opening, string>>(
    sql`select entry, field, salt, value from rekey_audit.openings where entry = any(${sql.param([...ids])}::text[])`,
  );
  const found = new Map<string, Record<string, Opening>>();
  for (const { entry, field, salt, value } of rows) {
    found.set(entry, { ...found.get(entry), [field]: { salt, value } });
  }
  return found;
}
