/** Keeps the map in step with the estate: what an entry declares is on it as soon as the estate is applied, and ends with it. */
import { sql } from "drizzle-orm";
import type { Section } from "../domain/estate/schema.js";
import type { Shapes, Systems } from "../domain/estate/shapes.js";
import { declaredBy, type MappedSection, mapped } from "../domain/graph/declared.js";
import type { Tx } from "./database.js";
import { entries } from "./estate-tables.js";
import { keepSaid } from "./graph-keep.js";
import { sha256Hex } from "./hash.js";

/** The name under which the estate is a source of the map. */
const estateSource = "estate";

/** Names of entries, by section. */
export type Names = Readonly<Partial<Record<Section, readonly string[]>>>;

const isMapped = (section: Section): section is MappedSection => mapped.some((one) => one === section);

/**
 * Takes over what these entries say now, in the transaction that has changed them; all of them where the map knows nothing
 * of the estate yet, because it was applied by a release that had no map.
 */
export async function keepDeclared(tx: Tx, touched: Names, shapes: Shapes, at: number): Promise<void> {
  const known = await tx.select().from(entries);
  const isNew = (await tx.execute(sql`select from rekey_inventory.graph_nodes limit 1`)).rows.length === 0;
  const ids = new Map(known.map(({ id, section, name }) => [`${section} ${name}`, id]));
  const idOf = (section: MappedSection, name: string): string => ids.get(`${section} ${name}`) ?? "";
  const bodies = (wanted: Section) =>
    Object.fromEntries(
      known
        .filter(({ section, endedAt }) => section === wanted && endedAt === null)
        .map(({ name, body }) => [name, body]),
    );
  const systems = { issuers: bodies("issuers"), stores: bodies("stores") } as unknown as Systems;
  const placeKeyOf = (store: string, place: Readonly<Record<string, unknown>>) =>
    shapes.placeKey(systems, store, place);
  const records = known
    .filter(({ section, name, body, endedAt }) => {
      if (isNew) return endedAt === null;
      // A place is called by its store's settings, too.
      const isMoved = section === "credentials" && (touched.stores?.includes(String(body.store)) ?? false);
      return isMoved || (touched[section]?.includes(name) ?? false);
    })
    .flatMap(({ id, section, name, body, endedAt }) => {
      if (!isMapped(section)) return [];
      const nothing = { nodes: [], edges: [] };
      const said =
        endedAt === null ? declaredBy({ id, section, name, body }, { idOf, placeKeyOf, sha256Hex }) : nothing;
      return [{ record: id, said }];
    });
  await keepSaid(tx, { source: estateSource, kind: "declared", at, records });
}
