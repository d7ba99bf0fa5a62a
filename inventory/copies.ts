/** Where sources met a credential's value: the same keyed hash there as of one of its versions. No value, and no hash, comes out. */
import { sql } from "drizzle-orm";
import type { MetCopy } from "../domain/mapped.js";
import { type Database, read, type Tx } from "./database.js";
import { ms } from "./rows.js";

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
      select ${metColumns} from ${metPlaces}
      where m.ended_at is null and (m.mark = any(${sql.param(hmacs)}::text[])
        or m.mark in (select hmac from rekey_inventory.fingerprints where version = ${version}))
      group by n.id, n.name order by n.name`),
  );
  return rows.map(copyOf);
}

/** Copies of the values that are in use, by the id of the credential. */
export async function copiesInUse(tx: Tx): Promise<Map<string, MetCopy[]>> {
  const { rows } = await tx.execute<MetRow & { readonly credential: string }>(sql`
    select v.credential, ${metColumns} from ${metPlaces}
    join rekey_inventory.fingerprints f on f.hmac = m.mark
    join rekey_inventory.versions v on v.id = f.version and v.life = 'active'
    where m.ended_at is null
    group by v.credential, n.id, n.name order by n.name`);
  const byCredential = Map.groupBy(rows, ({ credential }) => credential);
  return new Map([...byCredential].map(([id, met]) => [id, met.map(copyOf)]));
}

/** Where values were met: the mark `m`, the thing `t` that bears it, and its node `n`. */
export const metPlaces = sql`rekey_inventory.marks m
  join rekey_inventory.things t on t.id = m.thing
  join rekey_inventory.graph_nodes n on n.id = t.node`;

const metColumns = sql`n.id as node, n.name, bool_or(m.literal) as literal, bool_and(m.past) as past, min(m.sentence) as sentence,
  ${ms("max(m.last_seen)")} as last_seen,
  array(
    select distinct r.name from rekey_inventory.graph_edges e
    join rekey_inventory.graph_nodes r on r.id = e.from_id
    where e.to_id = n.id and e.type = 'uses' and e.ended_at is null order by r.name
  ) as readers`;

function copyOf({ node, name, literal, past, sentence, last_seen, readers }: MetRow): MetCopy {
  return { node, name, literal, past, sentence, readers, lastSeen: last_seen };
}
