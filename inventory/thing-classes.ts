/**
 * Keeps what each source took a thing for, and shows on the map what follows from all of them. What the estate declares keeps the
 * class that it has there; of consumers it says none, so a consumer has that of the readers which it claims.
 */

import { type ClassSaid, classOf, classOfReaders, laterWord } from "../domain/discovery/classes.js";
import type { CredentialClass } from "../domain/estate/classes.js";
import type { Tx } from "./database.js";
import { sql } from "./orm.js";
import { column, iso, ms, parts } from "./rows.js";

/** Takes over what a source says now, by the ids of things, which are kept already. `source` is the id of the estate's entry. */
export async function keepClasses(
  tx: Tx,
  { source }: { readonly source: string },
  said: ReadonlyMap<string, ClassSaid>,
): Promise<void> {
  for (const rows of parts([...said])) {
    const known = await classesOf(
      tx,
      rows.map(([thing]) => thing),
    );
    const now = rows.map(([thing, word]) => {
      const before = known.get(thing)?.get(source);
      return [thing, before === undefined ? word : laterWord(word, before)] as const;
    });
    await tx.execute(sql`
      insert into rekey_inventory.thing_classes (thing, source, class, first_seen, last_seen)
      select thing, ${source}, class, first_seen, last_seen from unnest(
        ${column(now, ([thing]) => thing)}::text[], ${column(now, ([, word]) => word.class)}::text[],
        ${column(now, ([, word]) => iso(word.first))}::timestamptz[], ${column(now, ([, word]) => iso(word.last))}::timestamptz[]
      ) as said (thing, class, first_seen, last_seen)
      on conflict (thing, source) do update
        set class = excluded.class, first_seen = excluded.first_seen, last_seen = excluded.last_seen`);
    await showClasses(
      tx,
      rows.map(([thing]) => thing),
    );
  }
}

/**
 * Gives the nodes of these things the class that all sources together say; to be called also when a thing is another node, with
 * `left`: the ids of the nodes that things were.
 */
export async function showClasses(
  tx: Tx,
  things: readonly string[],
  left: readonly string[] = [],
): Promise<void> {
  const told = [...(await classesOf(tx, things))].map(
    ([thing, bySource]) => [thing, classOf([...bySource.values()])] as const,
  );
  for (const rows of parts(told)) {
    await tx.execute(sql`
      update rekey_inventory.graph_nodes n set class = told.class
      from unnest(${column(rows, ([thing]) => thing)}::text[], ${column(rows, ([, kind]) => kind)}::text[])
        as told (thing, class) join rekey_inventory.things t on t.id = told.thing
      where n.id = t.node and n.class is distinct from told.class
        and not exists (select from rekey_inventory.entries where id = n.id)`);
  }
  for (const some of parts(things))
    await showConsumers(
      tx,
      sql`
    select node from rekey_inventory.things where id = any(${sql.param(some)}::text[])`,
    );
  for (const some of parts(left)) await showConsumers(tx, sql`select unnest(${sql.param(some)}::text[])`);
}

/** Gives the consumers among these nodes the class of their readers, of all that they have. */
async function showConsumers(tx: Tx, nodes: ReturnType<typeof sql>): Promise<void> {
  const { rows } = await tx.execute<{ node: string; thing: string | null }>(sql`
    select n.id as node, c.thing from rekey_inventory.graph_nodes n
    left join (rekey_inventory.things t join rekey_inventory.thing_classes c on c.thing = t.id) on t.node = n.id
    where n.type = 'consumer' and n.id in (${nodes})`);
  const words = await classesOf(tx, [...new Set(rows.flatMap(({ thing }) => thing ?? []))]);
  const readers = new Map<string, (CredentialClass | null)[]>();
  for (const { node, thing } of rows) {
    const bySource = words.get(thing ?? "");
    const own = bySource === undefined ? null : classOf([...bySource.values()]);
    const known = readers.get(node) ?? [];
    known.push(own);
    readers.set(node, known);
  }
  const told = [...readers].map(([node, classes]) => [node, classOfReaders(classes)] as const);
  await tx.execute(sql`
    update rekey_inventory.graph_nodes n set class = told.class
    from unnest(${column(told, ([node]) => node)}::text[], ${column(told, ([, kind]) => kind)}::text[]) as told (node, class)
    where n.id = told.node and n.class is distinct from told.class`);
}

interface Row extends Record<string, unknown> {
  readonly thing: string;
  readonly source: string;
  readonly class: ClassSaid["class"];
  readonly first: number;
  readonly last: number;
}

/** What was said of these things, by source. */
async function classesOf(tx: Tx, things: readonly string[]): Promise<Map<string, Map<string, ClassSaid>>> {
  const found = new Map<string, Map<string, ClassSaid>>();
  for (const some of parts(things)) {
    const { rows } = await tx.execute<Row>(sql`
      select thing, source, class, ${ms("coalesce(first_seen, last_seen)")} as first, ${ms("last_seen")} as last from rekey_inventory.thing_classes
      where thing = any(${sql.param(some)}::text[])`);
    for (const { thing, source, ...word } of rows) {
      const bySource = found.get(thing) ?? new Map<string, ClassSaid>();
      found.set(thing, bySource.set(source, word));
    }
  }
  return found;
}
