/**
 * What sources say of a thing besides who uses it: what it is for, and when it is to end. Kept by source, so that another one takes
 * nothing back by its silence, and ended when that source says so no longer.
 */

import type { Listed, Thing } from "../domain/discovery/said.js";
import { type Database, read, type Tx } from "./database.js";
import { sql } from "./orm.js";
import { column, iso, ms, parts } from "./rows.js";

interface Row {
  readonly thing: string;
  readonly purpose: string | null;
  readonly expiresAt: number | null;
  readonly first: number;
  readonly last: number;
  readonly record: string;
}

/** Takes over what is said of things that are kept already; `idOf` gives their ids. Of two words of one source the later one holds. */
export async function keepWords(
  tx: Tx,
  { id, source, shows }: { readonly id: string; readonly source: string; readonly shows: "now" | "log" },
  listed: readonly Listed[],
  idOf: (thing: Thing) => string,
): Promise<void> {
  const said = new Map<string, Row>();
  for (const { record, thing, purpose = null, expiresAt = null, seen } of listed) {
    if (purpose === null && expiresAt === null) continue;
    const row = { thing: idOf(thing), purpose, expiresAt, first: seen.first, last: seen.last, record };
    const before = said.get(row.thing) ?? row;
    const [later, earlier] = row.last >= before.last ? [row, before] : [before, row];
    said.set(row.thing, {
      ...later,
      purpose: later.purpose ?? earlier.purpose,
      expiresAt: later.expiresAt ?? earlier.expiresAt,
      first: Math.min(row.first, before.first),
    });
  }
  // A reading of what is there now says all that there is to say; a log, or a part of a reading, only more of it.
  const isAnew = sql`(${shows === "now"} and thing_words.scan <> excluded.scan)`;
  const kept = (field: "purpose" | "expires_at") => {
    const [before, now] = [sql.raw(`thing_words.${field}`), sql.raw(`excluded.${field}`)];
    return sql`case when ${isAnew} then ${now} when excluded.last_seen >= thing_words.last_seen
      then coalesce(${now}, ${before}) else coalesce(${before}, ${now}) end`;
  };
  for (const rows of parts([...said.values()]))
    await tx.execute(sql`
      insert into rekey_inventory.thing_words (thing, source, purpose, expires_at, first_seen, last_seen, scan, record)
      select thing, ${source}, purpose, expires_at, first_seen, last_seen, ${id}, record from unnest(
        ${column(rows, ({ thing }) => thing)}::text[], ${column(rows, ({ purpose }) => purpose)}::text[],
        ${column(rows, ({ expiresAt }) => (expiresAt === null ? null : iso(expiresAt)))}::timestamptz[],
        ${column(rows, ({ first }) => iso(first))}::timestamptz[], ${column(rows, ({ last }) => iso(last))}::timestamptz[],
        ${column(rows, ({ record }) => record)}::text[]
      ) as said (thing, purpose, expires_at, first_seen, last_seen, record)
      on conflict (thing, source) do update set purpose = ${kept("purpose")}, expires_at = ${kept("expires_at")},
        first_seen = least(thing_words.first_seen, excluded.first_seen),
        last_seen = greatest(thing_words.last_seen, excluded.last_seen), scan = excluded.scan,
        record = excluded.record, ended_at = null`);
}

/** What is said of a node, and by which sources. `expiresAt` is in milliseconds since the epoch. */
export interface Words {
  readonly purpose: string | null;
  readonly expiresAt: number | null;
  /** Names of the sources that say the one or the other. */
  readonly by: readonly string[];
}

/** What is said of these nodes, by their ids; of several sources the latest word. Who says nothing is not in it. */
export async function wordsAmong(tx: Tx, nodes: readonly string[]): Promise<Map<string, Words>> {
  const { rows } = await tx.execute<{
    node: string;
    purpose: string | null;
    expires_at: number | null;
    source: string | null;
  }>(sql`
    select t.node, w.purpose, ${ms("w.expires_at")} as expires_at, s.name as source
    from rekey_inventory.things t join rekey_inventory.thing_words w on w.thing = t.id
    left join rekey_inventory.entries s on s.id = w.source
    where t.node = any(${sql.param(nodes)}::text[]) and w.ended_at is null
    order by w.last_seen desc, w.source, w.thing`);
  return new Map(
    [...Map.groupBy(rows, ({ node }) => node)].map(([node, words]) => {
      const purpose = words.find((word) => word.purpose !== null);
      const end = words.find((word) => word.expires_at !== null);
      const by = [purpose?.source, end?.source].filter((name) => typeof name === "string");
      return [
        node,
        { purpose: purpose?.purpose ?? null, expiresAt: end?.expires_at ?? null, by: [...new Set(by)] },
      ];
    }),
  );
}

/** What sources say of one node. */
export async function wordsOn(db: Database, node: string): Promise<Words> {
  const none = { purpose: null, expiresAt: null, by: [] };
  return read(db, async (tx) => (await wordsAmong(tx, [node])).get(node) ?? none);
}
