/**
 * Whose a value is or was, and where sources met it, by its keyed hashes: what is asked when one has leaked and nobody knows which it is.
 * No value, and no hash, comes out.
 */

import { isLive, type Life } from "../domain/version.js";
import { metPlaces } from "./copies.js";
import { type Database, read, type Tx } from "./database.js";
import { isLatest } from "./live-values.js";
import { sql } from "./orm.js";
import { readsAt } from "./place-readers.js";
import { ms } from "./rows.js";

/**
 * Whether it opens anything. `live`: it is in use, or may be soon; `retired`: another took its place, and nobody has seen an issuer refuse
 * it; `dead`: it was taken away, or never came to be.
 */
export type Standing = "live" | "retired" | "dead";

/** A credential that has or had a value. Times are milliseconds since the epoch. */
export interface KnownValue {
  readonly credential: string;
  readonly owners: readonly string[];
  /** Id of the version; null for a value that was live when a rotation looked, and of no version that Rekey made. */
  readonly version: string | null;
  readonly is: Standing;
  readonly since: number;
  /** The credential has left the estate: no rotation of it can begin. */
  readonly hasLeft: boolean;
}

/** Somebody who reads a place, or what it stands in; `uses`: was seen or is declared to, and not only could. */
export interface PlaceReader {
  readonly name: string;
  readonly type: string;
  readonly uses: boolean;
  readonly owners: readonly string[];
}

/** A place at which sources met a value. Times are milliseconds since the epoch. */
export interface MetPlace {
  readonly name: string;
  /** It stands there outside of any store. */
  readonly literal: boolean;
  /** Nobody reads it there, as in a commit of long ago. */
  readonly past: boolean;
  /** Whoever found it there tried it, and it opened something. */
  readonly verified: boolean;
  readonly sentence: string;
  readonly sources: readonly string[];
  /** Who answers for these. */
  readonly owners: readonly string[];
  readonly firstSeen: number;
  readonly lastSeen: number;
  /** Since when it is not met there any more; null: it is there. */
  readonly endedAt: number | null;
  readonly readers: readonly PlaceReader[];
}

/** How much a source could have met. Times are milliseconds since the epoch. */
export interface LookingSource {
  readonly name: string;
  readonly kind: string;
  /** When its first reading began; null: never read. */
  readonly readSince: number | null;
  /** When its last reading came to its end; null: none did. */
  readonly readUntil: number | null;
  /** Values that it meets now and by which they are known again. */
  readonly values: number;
  /** Places at which it met a value that a report keeps back, or that is too short or too common. */
  readonly hidden: number;
}

/** What is known of a value, and what it is worth that no more is. */
export interface Whereabouts {
  /** The gravest first. */
  readonly credentials: readonly KnownValue[];
  /** Those where it is first, by name. */
  readonly places: readonly MetPlace[];
  /** Every source of the estate. */
  readonly sources: readonly LookingSource[];
  /** Credentials of the estate of which no value is known yet: one of theirs would not be known for it. */
  readonly unproved: readonly string[];
}

/** What is known of the values with these keyed hashes, such as an address and the password in it. */
export async function whereaboutsOf(db: Database, hmacs: readonly string[]): Promise<Whereabouts> {
  return read(db, async (tx) => ({
    credentials: await credentialsWith(tx, hmacs),
    places: await placesWith(tx, hmacs),
    sources: await sourcesLooking(tx),
    unproved: await unprovedIn(tx),
  }));
}

const gravity: readonly Standing[] = ["live", "retired", "dead"];

function standingOf(life: Life): Standing {
  if (life === "retiring") return "retired";
  // What is planned may be at its issuer already, where that did not answer.
  return isLive(life) || life === "planned" ? "live" : "dead";
}

async function credentialsWith(tx: Tx, hmacs: readonly string[]): Promise<KnownValue[]> {
  const { rows } = await tx.execute<{
    name: string;
    owner: string | null;
    version: string | null;
    life: Life;
    since: number;
    has_left: boolean;
  }>(sql`
    select e.name, e.body ->> 'owner' as owner, v.id as version, v.life, ${ms("min(f.at)")} as since, e.ended_at is not null as has_left
    from rekey_inventory.fingerprints f
    join rekey_inventory.versions v on v.id = f.version
    join rekey_inventory.entries e on e.id = f.credential
    where f.hmac = any(${sql.param(hmacs)}::text[])
    group by e.id, v.id
    union all
    select e.name, e.body ->> 'owner', null, case when bool_or(${isLatest}) then 'active' else 'retiring' end, ${ms("min(l.first_seen)")},
      e.ended_at is not null
    from rekey_inventory.live_values l join rekey_inventory.entries e on e.id = l.credential
    where l.hmac = any(${sql.param(hmacs)}::text[]) and not exists (
      select from rekey_inventory.fingerprints f where f.credential = l.credential and f.hmac = l.hmac)
    group by e.id
    order by name, version`);
  return rows
    .map(({ name, owner, version, life, since, has_left }) => ({
      ...{ credential: name, owners: owner === null ? [] : [owner], version },
      ...{ is: standingOf(life), since, hasLeft: has_left },
    }))
    .toSorted((one, other) => gravity.indexOf(one.is) - gravity.indexOf(other.is));
}

type PlaceRow = Omit<MetPlace, "readers"> & { readonly node: string };

async function placesWith(tx: Tx, hmacs: readonly string[]): Promise<MetPlace[]> {
  const { rows } = await tx.execute<PlaceRow>(sql`
    with met as (
      select n.id, n.name, m.literal, m.past, m.verified, m.sentence, m.first_seen, m.last_seen, m.ended_at, s.name as source,
        s.body ->> 'owner' as owner, bool_or(m.ended_at is null) over (partition by n.id) as is_there
      from ${metPlaces} left join rekey_inventory.entries s on s.id = m.source
      where m.mark = any(${sql.param(hmacs)}::text[])
    )
    select id as node, name, bool_or(literal) as literal, bool_and(past) as past, bool_or(verified) as verified, min(sentence) as sentence,
      ${ms("min(first_seen)")} as "firstSeen", ${ms("max(last_seen)")} as "lastSeen",
      case when is_there then null else ${ms("max(ended_at)")} end as "endedAt",
      coalesce(array_agg(distinct source order by source) filter (where source is not null), '{}') as sources,
      coalesce(array_agg(distinct owner order by owner) filter (where owner is not null), '{}') as owners
    from met where ended_at is null or not is_there
    group by id, name, is_there order by is_there desc, name`);
  const readers = await readersAt(
    tx,
    rows.map(({ node }) => node),
  );
  return rows.map(({ node, ...place }) => ({ ...place, readers: readers.get(node) ?? [] }));
}

/** Who reads these places or what they stand in, by the place; whoever only could comes last. */
async function readersAt(tx: Tx, places: readonly string[]): Promise<Map<string, PlaceReader[]>> {
  const { rows } = await tx.execute<{
    place: string;
    name: string;
    type: string;
    uses: boolean;
    owners: readonly string[];
  }>(sql`
    with recursive around (place, id) as (
      select id, id from unnest(${sql.param(places)}::text[]) as asked (id)
      union
      select a.place, e.to_id from around a join rekey_inventory.graph_edges e on e.from_id = a.id
      where e.type = 'stored-in' and e.ended_at is null
    )
    select a.place, r.name, r.type, bool_or(e.type = 'uses') as uses, array(
      select distinct o.name from rekey_inventory.graph_edges b join rekey_inventory.graph_nodes o on o.id = b.to_id
      where b.from_id = r.id and b.type = 'owned-by' and b.ended_at is null order by o.name) as owners
    from around a
    cross join lateral ${readsAt("a.id", { could: true })} e
    join rekey_inventory.graph_nodes r on r.id = e.from_id
    group by a.place, r.id, r.name, r.type order by uses desc, r.name`);
  const byPlace = Map.groupBy(rows, ({ place }) => place);
  return new Map(
    [...byPlace].map(([place, those]) => [place, those.map(({ place: _, ...reader }) => reader)]),
  );
}

async function sourcesLooking(tx: Tx): Promise<LookingSource[]> {
  const { rows } = await tx.execute<{
    name: string;
    kind: string;
    read_since: number | null;
    read_until: number | null;
    values: string;
    hidden: string;
  }>(sql`
    select e.name, e.body ->> 'kind' as kind, s.read_since, s.read_until, m.values, m.hidden
    from rekey_inventory.entries e
    left join lateral (
      select ${ms("min(started_at)")} as read_since, ${ms("max(ended_at)")} as read_until
      from rekey_inventory.scans where source = e.id) s on true
    left join lateral (
      select count(distinct mark) filter (where mark <> '') as values, count(*) filter (where mark = '') as hidden
      from rekey_inventory.marks where source = e.id and ended_at is null) m on true
    where e.section = 'sources' and e.ended_at is null order by e.name`);
  return rows.map(({ name, kind, read_since, read_until, ...counts }) => ({
    ...{ name, kind, readSince: read_since, readUntil: read_until },
    ...{ values: Number(counts.values), hidden: Number(counts.hidden) },
  }));
}

async function unprovedIn(tx: Tx): Promise<string[]> {
  const { rows } = await tx.execute<{ name: string }>(sql`
    select e.name from rekey_inventory.entries e
    where e.section = 'credentials' and e.ended_at is null
      and not exists (select from rekey_inventory.fingerprints f where f.credential = e.id)
      and not exists (select from rekey_inventory.live_values l where l.credential = e.id)
    order by e.name`);
  return rows.map(({ name }) => name);
}
