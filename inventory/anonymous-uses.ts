/**
 * Keeps when things were used by whom nobody says, and reads that of credentials. Merged by the first and the last moment, so that
 * readings may come in any order and as often as one likes.
 */

import type { ScanPart, Thing } from "../domain/discovery/said.js";
import type { AnonymousUse } from "../domain/graph/anonymous.js";
import { type Database, read, type Tx } from "./database.js";
import { idsOfCopies } from "./graph-load.js";
import { sql } from "./orm.js";
import { column, isAfter, iso, ms, parts } from "./rows.js";

interface UseRow {
  readonly thing: string;
  readonly record: string;
  readonly sentence: string;
  readonly first: number;
  readonly last: number;
}

/** Takes over what a part says; its things are kept already. `source` is the id of the estate's entry. */
export async function keepUses(
  tx: Tx,
  { source }: { readonly source: string },
  uses: NonNullable<ScanPart["uses"]>,
  idOf: (thing: Thing) => string,
): Promise<void> {
  const merged = new Map<string, UseRow>();
  for (const { record, of, seen, sentence } of uses) {
    const row = { thing: idOf(of), record, sentence, first: seen.first, last: seen.last };
    const key = `${row.thing} ${record}`;
    const before = merged.get(key) ?? row;
    merged.set(key, {
      ...(isLater(row, before) ? row : before),
      first: Math.min(row.first, before.first),
    });
  }
  for (const rows of parts([...merged.values()])) {
    await tx.execute(sql`
      insert into rekey_inventory.anonymous_uses (thing, source, record, sentence, first_seen, last_seen)
      select thing, ${source}, record, sentence, first_seen, last_seen from unnest(
        ${column(rows, ({ thing }) => thing)}::text[], ${column(rows, ({ record }) => record)}::text[],
        ${column(rows, ({ sentence }) => sentence)}::text[], ${column(rows, ({ first }) => iso(first))}::timestamptz[],
        ${column(rows, ({ last }) => iso(last))}::timestamptz[]
      ) as used (thing, record, sentence, first_seen, last_seen)
      order by thing, record
      on conflict (thing, source, record) do update set
        sentence = case when (excluded.last_seen, excluded.sentence collate "C")
            > (anonymous_uses.last_seen, anonymous_uses.sentence collate "C")
          then excluded.sentence else anonymous_uses.sentence end,
        first_seen = least(anonymous_uses.first_seen, excluded.first_seen),
        last_seen = greatest(anonymous_uses.last_seen, excluded.last_seen)`);
  }
}

/** Of two that were seen at one moment the sentences decide, so that no order of readings does. */
function isLater(one: UseRow, other: UseRow): boolean {
  return one.last > other.last || (one.last === other.last && isAfter(one.sentence, other.sentence));
}

/** Uses of a credential and of its copies. */
export async function anonymousUsesOf(db: Database, credential: string): Promise<readonly AnonymousUse[]> {
  return read(db, async (tx) => {
    const copies = await idsOfCopies(tx, [credential]);
    return [...(await anonymousUsesAt(tx, [credential, ...copies])).values()].flat();
  });
}

/** The same, on the picture of the database that `tx` has, of these nodes of the map, by their ids. */
export async function anonymousUsesAt(
  tx: Tx,
  nodes: readonly string[],
): Promise<ReadonlyMap<string, readonly AnonymousUse[]>> {
  const { rows } = await tx.execute<{ node: string; source: string; sentence: string; last: number }>(sql`
    select t.node, u.source, u.sentence, ${ms("u.last_seen")} as last
    from rekey_inventory.things t join rekey_inventory.anonymous_uses u on u.thing = t.id
    where t.node = any(${sql.param(nodes)}::text[]) order by u.last_seen, u.source, u.record`);
  const byNode = Map.groupBy(rows, ({ node }) => node);
  return new Map([...byNode].map(([node, used]) => [node, used.map(({ node: _, ...use }) => use)]));
}
