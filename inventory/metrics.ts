/** Counts for the figures of the programme, and which credentials are in use: everything as it is at one moment. */

import type { Shapes } from "../domain/estate/shapes.js";
import { dormancyOfCredential } from "../domain/findings/credential.js";
import { type Figure, figuresOf, type Totals, tallyOf } from "../domain/findings/metrics.js";
import { ownerNames } from "../domain/graph/blast.js";
import type { Dormancy } from "../domain/graph/use.js";
import { type Database, patient, read, type Tx } from "./database.js";
import { credentialLots, lookMsMax } from "./finding-facts.js";
import { sql } from "./orm.js";

/** The figures at `now`, in milliseconds since the epoch. Findings count as they were kept last. */
export async function metricsAt(db: Database, shapes: Shapes, now: number): Promise<Figure[]> {
  return read(patient(db, lookMsMax), async (tx) => {
    const tallies = [];
    for await (const { credentials, picture } of credentialLots(tx, {
      now,
      leastWindowMs: null,
      shapes,
      only: null,
    }))
      tallies.push(...credentials.map((facts) => tallyOf(facts, picture)));
    return figuresOf(tallies, await totalsWithin(tx, now));
  });
}

/** Whether a credential is in use, and who answers for it. */
export interface CredentialUse extends Dormancy {
  /** Names. */
  readonly owners: readonly string[];
}

/** Of every credential whether it is in use; `leastWindowMs`: the least time without a use that counts, null: as its policy says. */
export async function usesAt(
  db: Database,
  shapes: Shapes,
  { leastWindowMs, now }: { readonly leastWindowMs: number | null; readonly now: number },
): Promise<CredentialUse[]> {
  return read(patient(db, lookMsMax), async (tx) => {
    const uses: CredentialUse[] = [];
    for await (const { credentials, picture } of credentialLots(tx, {
      now,
      leastWindowMs,
      shapes,
      only: null,
    })) {
      const { adjacency } = picture;
      for (const facts of credentials) {
        const owners = ownerNames(adjacency, facts.node.id);
        uses.push({ ...dormancyOfCredential(facts, picture), owners });
      }
    }
    return uses;
  });
}

async function totalsWithin(tx: Tx, now: number): Promise<Totals> {
  const { rows } = await tx.execute<Record<keyof Totals, string>>(sql`
    with readers as (
      select n.id, exists (select from rekey_inventory.graph_edges o
        where o.from_id = n.id and o.type = 'owned-by' and o.ended_at is null) as is_owned
      from rekey_inventory.graph_nodes n
      where n.type in ('consumer', 'identity') and n.ended_at is null and exists (
        select from rekey_inventory.graph_edges e where e.from_id = n.id and e.type = 'uses' and e.ended_at is null)
    ), places as (
      select t.node, bool_or(m.literal) as is_outside
      from rekey_inventory.marks m join rekey_inventory.things t on t.id = m.thing
      where m.ended_at is null group by t.node
    ), gone as (
      select e.id, count(v.id) as versions, count(v.id) filter (where v.ended_at is null) as living
      from rekey_inventory.entries e left join rekey_inventory.versions v on v.credential = e.id
      where e.section = 'credentials' and e.ended_at is not null group by e.id
    ), standing as (
      select state = 'excepted' and exception_until > ${new Date(now).toISOString()} as is_excepted
      from rekey_inventory.findings where state <> 'ended'
    )
    select (select count(*) from readers) as "readers", (select count(*) from readers where is_owned) as "readersOwned",
      (select count(*) from places) as "places", (select count(*) from places where is_outside) as "placesOutside",
      (select count(*) from gone) as "left", (select count(*) from gone where versions > 0) as "leftKnown",
      (select count(*) from gone where versions > 0 and living = 0) as "leftDead",
      (select count(*) from standing) as "findings",
      (select count(*) from standing where is_excepted) as "findingsExcepted"`);
  return Object.fromEntries(
    Object.entries(rows[0] ?? {}).map(([name, size]) => [name, Number(size)]),
  ) as unknown as Totals;
}
