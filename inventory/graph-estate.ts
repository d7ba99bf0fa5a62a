/** Keeps the map in step with the estate: what an entry declares is on it as soon as the estate is applied, and ends with it. */
import { sql } from "drizzle-orm";
import type { Section } from "../domain/estate/schema.js";
import { plainShapes, type Shapes } from "../domain/estate/shapes.js";
import type { Estate } from "../domain/estate/types.js";
import { declaredBy, estateSource, type MappedSection, mapped } from "../domain/graph/declared.js";
import type { Tx } from "./database.js";
import { entries } from "./estate-tables.js";
import { keepSaid, lockMap } from "./graph-keep.js";
import { sha256Hex } from "./hash.js";

/** Names of entries, by section. */
export type Names = Readonly<Partial<Record<Section, readonly string[]>>>;

const isMapped = (section: Section): section is MappedSection => mapped.some((one) => one === section);

/** The estate that is applied, and when. */
interface Applying {
  readonly estate: Estate;
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
  { estate, now, shapes = plainShapes }: Applying,
  touched: Names,
): Promise<void> {
  await lockMap(tx);
  const isNew = (await tx.execute(sql`select from rekey_inventory.graph_nodes limit 1`)).rows.length === 0;
  if (!isNew && Object.values(touched).every((names) => names.length === 0)) return;
  const known = await tx.select().from(entries);
  const ids = new Map(known.map(({ id, section, name }) => [`${section} ${name}`, id]));
  const naming = {
    idOf: (section: MappedSection, name: string): string => ids.get(`${section} ${name}`) ?? "",
    placeKeyOf: (store: string, place: Readonly<Record<string, unknown>>) =>
      shapes.placeKey(estate, store, place),
    sha256Hex,
  };
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
      const said = endedAt === null ? declaredBy({ id, section, name, body }, naming) : nothing;
      return [{ record: id, said }];
    });
  await keepSaid(tx, { source: estateSource, kind: "declared", at: now, records });
}
