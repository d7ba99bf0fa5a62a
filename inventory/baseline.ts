/** In which guises a credential was seen used: every sighting of a use of it, or of a copy of it, with the reader's own words. */

import type { ReaderThing } from "../domain/discovery/said.js";
import type { Sighting } from "../domain/graph/baseline.js";
import { type Database, read } from "./database.js";
import { idsOfCopies } from "./graph-load.js";
import { sql } from "./orm.js";
import { ms } from "./rows.js";

interface SightingRow extends Record<string, unknown> {
  readonly reader: string;
  readonly type: Sighting["type"];
  readonly body: ReaderThing | null;
  readonly source: string;
  readonly count: string;
  readonly first: number;
  readonly last: number;
  readonly times: number;
}

/** The sightings that stand. `source` is the id of the estate's entry. */
export async function sightingsOf(db: Database, credential: string): Promise<readonly Sighting[]> {
  const { rows } = await read(db, async (tx) => {
    const copies = await idsOfCopies(tx, [credential]);
    return tx.execute<SightingRow>(sql`
      select n.name as reader, n.type, t.body, v.source, v.count, v.times,
        ${ms("v.first_seen")} as first, ${ms("v.last_seen")} as last
      from rekey_inventory.graph_evidence v
      join rekey_inventory.graph_nodes n on n.id = v.from_id
      left join rekey_inventory.things t on t.id = v.seen_from
      where v.to_id = any(${sql.param([credential, ...copies])}::text[]) and v.type = 'uses'
        and v.kind in ('read', 'session') and v.ended_at is null`);
  });
  return rows.map(({ reader, type, body, source, count, first, last, times }) => ({
    ...{ reader, type, source, first, last, times, count: Number(count), traits: body?.traits ?? {} },
  }));
}
