/**
 * Keeps the map in step with the estate: what an entry declares is on it as soon as the estate is applied, and ends with it.
 * Entries are read a part at a time, and of the others only the ids that they speak of.
 */

import { type Section, sections } from "../domain/estate/schema.js";
import { plainShapes, type Shapes, type Systems } from "../domain/estate/shapes.js";
import { declaredBy, estateSource, type MappedSection, mapped, namedBy } from "../domain/graph/declared.js";
import type { Tx } from "./database.js";
import { keepSaid, lockMap } from "./graph-keep.js";
import { sha256Hex } from "./hash.js";
import { sql } from "./orm.js";
import { column } from "./rows.js";
import { sectionsOf } from "./sections.js";
import type { Body } from "./submission.js";

/** Entries at a time: some have thousands of edges. */
const entriesMax = 2_000;

/** Names of entries, by section. */
export type Names = Readonly<Partial<Record<Section, readonly string[]>>>;

interface Row extends Record<string, unknown> {
  readonly id: string;
  readonly section: MappedSection;
  readonly name: string;
  readonly body: Body;
  readonly ended: boolean;
}

/** When the estate is applied, and by which kinds. */
interface Applying {
  readonly now: number;
  readonly shapes?: Shapes;
}

/**
 * Takes over what the touched entries say now, in the transaction that has changed them; all of them where the map knows
 * nothing of the estate yet, because it was applied by a release that had no map. From then on no one else writes the map
 * until the transaction ends.
 */
export async function keepDeclared(
  tx: Tx,
  { now, shapes = plainShapes }: Applying,
  touched: Names,
): Promise<void> {
  await lockMap(tx);
  const isNew = (await tx.execute(sql`select from rekey_inventory.graph_nodes limit 1`)).rows.length === 0;
  if (!isNew && Object.values(touched).every((names) => names.length === 0)) return;
  const wanted = isNew ? allIn(tx) : touchedIn(tx, touched);
  const systems = await systemsIn(tx);
  for await (const rows of wanted) {
    const ids = await idsNamedBy(tx, rows);
    const naming = {
      idOf: (section: MappedSection, name: string): string => ids.get(`${section} ${name}`) ?? "",
      placeKeyOf: (store: string, place: Body) => shapes.placeKey(systems, store, place),
      sha256Hex,
    };
    const nothing = { nodes: [], edges: [] };
    const records = rows.map(({ ended, ...entry }) => ({
      record: entry.id,
      said: ended ? nothing : declaredBy(entry, naming),
    }));
    await keepSaid(tx, { source: estateSource, kind: "declared", at: now, records });
  }
}

const columns = sql`id, section, name, body, ended_at is not null as ended`;

/** Every entry in force that is on the map, in parts. */
async function* allIn(tx: Tx): AsyncGenerator<readonly Row[]> {
  for (let after = ""; ; ) {
    const { rows } = await tx.execute<Row>(sql`
      select ${columns} from rekey_inventory.entries
      where ended_at is null and section = any(${sql.param([...mapped])}::text[]) and id > ${after}
      order by id limit ${entriesMax}`);
    const last = rows.at(-1);
    if (last === undefined) return;
    yield rows;
    after = last.id;
  }
}

/** The entries of these names, ended or not, and credentials with a place in a store that was touched: a place is called by its store's settings, too. */
async function* touchedIn(tx: Tx, touched: Names): AsyncGenerator<readonly Row[]> {
  const stores = touched.stores ?? [];
  const { rows: held } = await tx.execute<{ name: string }>(sql`
    select name from rekey_inventory.entries
    where section = 'credentials' and ${stores.length > 0} and (body->>'store' = any(${sql.param(stores)}::text[])
      or exists (select from json_array_elements(body->'canRead') r where r->>'store' = any(${sql.param(stores)}::text[])))`);
  const names = {
    ...touched,
    credentials: [...new Set([...(touched.credentials ?? []), ...held.map(({ name }) => name)])],
  };
  for (const section of sections) {
    if (!mapped.some((one) => one === section)) continue;
    const all = names[section] ?? [];
    for (let from = 0; from < all.length; from += entriesMax) {
      const { rows } = await tx.execute<Row>(sql`
        select ${columns} from rekey_inventory.entries
        where section = ${section} and name = any(${sql.param(all.slice(from, from + entriesMax))}::text[])`);
      yield rows;
    }
  }
}

async function systemsIn(tx: Tx): Promise<Systems> {
  const { rows } = await tx.execute<Row>(sql`
    select ${columns} from rekey_inventory.entries where section in ('stores', 'issuers') and ended_at is null`);
  return sectionsOf(rows);
}

/** Ids of the entries that these speak of, ended or not, by section and name. */
async function idsNamedBy(tx: Tx, rows: readonly Row[]): Promise<ReadonlyMap<string, string>> {
  const named = [
    ...new Map(rows.flatMap(namedBy).map((one) => [`${one.section} ${one.name}`, one])).values(),
  ];
  const { rows: found } = await tx.execute<Pick<Row, "id" | "section" | "name">>(sql`
    select e.id, e.section, e.name from rekey_inventory.entries e
    join unnest(${column(named, ({ section }) => section)}::text[], ${column(named, ({ name }) => name)}::text[])
      as named (section, name) on named.section = e.section and named.name = e.name`);
  return new Map(found.map(({ id, section, name }) => [`${section} ${name}`, id]));
}
