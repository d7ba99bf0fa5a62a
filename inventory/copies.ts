/** Where sources met a credential's value: the same keyed hash there as of one of its versions. No value, and no hash, comes out. */
import { sql } from "drizzle-orm";
import { type Database, read } from "./database.js";

/** A place at which a value was met. */
export interface MetCopy {
  /** Id of its node on the map. */
  readonly node: string;
  readonly name: string;
  /** It stands there outside of any store. */
  readonly literal: boolean;
  /** It has got there and is read by nobody there, by all that met it. */
  readonly past: boolean;
  /** What it was met as, and when last, in milliseconds since the epoch. */
  readonly sentence: string;
  readonly lastSeen: number;
  /** Names of those who read it there. */
  readonly readers: readonly string[];
}

interface MetRow extends Record<string, unknown> {
  readonly node: string;
  readonly name: string;
  readonly literal: boolean;
  readonly past: boolean;
  readonly sentence: string;
  readonly last_seen: number;
  readonly readers: readonly string[];
}

/** Copies of the values of a version, by its fingerprints and by these keyed hashes of what is live; by name. */
export async function copiesMet(
  db: Database,
  version: string,
  hmacs: readonly string[],
): Promise<readonly MetCopy[]> {
  const { rows } = await read(db, (tx) =>
    tx.execute<MetRow>(sql`
      select n.id as node, n.name, bool_or(m.literal) as literal, bool_and(m.past) as past, min(m.sentence) as sentence,
        (extract(epoch from max(m.last_seen)) * 1000)::float8 as last_seen,
        array(
          select distinct r.name from rekey_inventory.graph_edges e
          join rekey_inventory.graph_nodes r on r.id = e.from_id
          where e.to_id = n.id and e.type = 'uses' and e.ended_at is null order by r.name
        ) as readers
      from rekey_inventory.marks m
      join rekey_inventory.things t on t.id = m.thing
      join rekey_inventory.graph_nodes n on n.id = t.node
      where m.ended_at is null and (m.mark = any(${sql.param(hmacs)}::text[])
        or m.mark in (select hmac from rekey_inventory.fingerprints where version = ${version}))
      group by n.id, n.name order by n.name`),
  );
  return rows.map(({ last_seen: lastSeen, ...row }) => ({ ...row, lastSeen }));
}
