/**
 * Reads which copies of credentials came or ended between two moments. No table has copies: each is worked out from when its value
 * was met at the place, when that was known for the credential's, when an issuer refused it, and when the estate said that it is
 * kept there. Only credentials of which some of that falls into the time are looked at.
 */

import { changesBetween, type Period } from "../domain/graph/changes.js";
import { copiesOverTime, type Kept, type Stay } from "../domain/graph/copy-times.js";
import { useWindowMs } from "../domain/graph/current.js";
import type { GraphEdge } from "../domain/graph/types.js";
import { liveStages } from "../domain/version.js";
import type { Tx } from "./database.js";
import { learntOf } from "./learnt.js";
import { type SQL, sql } from "./orm.js";
import { readsAt } from "./place-readers.js";
import { iso, ms } from "./rows.js";

/** The edges to copies that changed in that time, and those that were there before and came back; none where no value was ever met. */
export async function copiesChanged(
  tx: Tx,
  period: Period,
): Promise<{ readonly edges: GraphEdge[]; readonly past: GraphEdge[] }> {
  const { rows: met } = await tx.execute(sql`select 1 from rekey_inventory.marks limit 1`);
  if (met.length === 0) return { edges: [], past: [] };
  const { rows: stays } = await tx.execute<Stay & Record<string, unknown>>(staysIn(period));
  const { edges, past } = copiesOverTime(stays, await keptAmong(tx, stays));
  const { came, learnt, ended } = changesBetween(
    { nodes: new Map(), edges, past: { nodes: [], edges: past } },
    period,
  );
  const changed = new Set([...came.edges, ...learnt, ...ended.edges].map(({ thing }) => thing));
  return { edges: edges.filter((edge) => changed.has(edge)), past: past.filter((edge) => changed.has(edge)) };
}

/** The learning of an edge or a node of the map. */
const learnt = sql.raw(learntOf(""));

/**
 * Every value that was live when a rotation looked, with when a copy of it no longer counts by its age: columns of `live_values`, and
 * `lapses`. All at once: asked of each value by itself (`maybeAccepted`) it takes as long as all the rest.
 */
const lives = sql`
  select l.*, case when l.last_seen < l.latest
    then l.last_seen + coalesce((p.body ->> 'useWindowMs')::float8, ${useWindowMs}::float8) * interval '1 millisecond' end as lapses
  from (select *, max(last_seen) over (partition by credential) as latest from rekey_inventory.live_values) l
  left join rekey_inventory.entries c on c.id = l.credential
  left join rekey_inventory.entries p on p.section = 'policies' and p.ended_at is null and p.name = c.body ->> 'policy'`;

/** Ids of the credentials that have a copy of which anything changed in that time, and of others. */
function touched(within: (moment: SQL) => SQL): SQL {
  const column = (name: string) => within(sql.raw(name));
  return sql`
    with news (mark) as materialized (
      select mark from rekey_inventory.marks where ${column("first_seen")} or ${column("learnt_at")} or ${column("ended_at")}
      union
      select key[1] from rekey_inventory.past_spans
        where of = 'copy' and (${column("first_seen")} or ${column("learnt_at")} or ${column("ended_at")})
      union
      select m.mark from rekey_inventory.graph_nodes n join rekey_inventory.things t on t.node = n.id
      join rekey_inventory.marks m on m.thing = t.id
      where n.type = 'location' and ${within(sql.raw("coalesce(n.learnt_at, n.first_seen)"))}
    )
    select f.credential from news join rekey_inventory.fingerprints f on f.hmac = news.mark
    union select l.credential from news join rekey_inventory.live_values l on l.hmac = news.mark
    union select credential from rekey_inventory.fingerprints where ${column("at")}
    union select credential from rekey_inventory.versions where ${column("ended_at")}
    union select r.credential from rekey_inventory.rotation_events e
      join rekey_inventory.rotations r on r.id = e.rotation where ${column("e.at")}
    union select credential from lives where ${column("first_seen")} or ${column("lapses")}
    union select from_id from rekey_inventory.graph_edges
      where type = 'stored-in' and (${within(learnt)} or ${column("ended_at")})`;
}

/** When an issuer was seen to refuse a version `v`; of one that came disabled, when its value was known. */
const refusedAt = sql`coalesce((
  select max(e.at) from rekey_inventory.rotations r join rekey_inventory.rotation_events e on e.rotation = r.id
  where r.credential = v.credential and e.event ->> 'type' = 'disabled' and e.event ->> 'version' = v.id), v.ended_at, f.at)`;

/** Every value of these credentials that was ever met, from when it was known to be theirs until it could not be accepted any more. */
const everAccepted = sql`
  select v.credential, f.hmac, f.at as since,
    case when v.life = any(${sql.param(liveStages)}::text[]) then null else ${refusedAt} end as until
  from touched join rekey_inventory.versions v on v.credential = touched.id
  join rekey_inventory.fingerprints f on f.version = v.id
  join met on met.mark = f.hmac
  where v.life not in ('planned', 'abandoned')
  union all
  select l.credential, l.hmac, l.first_seen, coalesce(
    (select min(${refusedAt}) from rekey_inventory.fingerprints f join rekey_inventory.versions v on v.id = f.version
      where f.credential = l.credential and f.hmac = l.hmac and v.life in ('disabled', 'destroyed')),
    l.lapses)
  from touched join lives l on l.credential = touched.id
  join met on met.mark = l.hmac`;

/** Since when one was known to be there; an earlier release kept that of its place alone, and only of the last time. */
const learntSince = sql`coalesce(
  span.learnt_at, greatest(m.first_seen, case when span.ended_at is null or n.learnt_at < span.ended_at then n.learnt_at end))`;

/** Where and for how long the values of those credentials were met. An end that is still to come is none. */
function staysIn({ from, until }: Period): SQL {
  const within = (moment: SQL) => sql`(${moment} > ${iso(from)} and ${moment} <= ${iso(until)})`;
  return sql`
    with lives as materialized (${lives}), touched (id) as materialized (${touched(within)}),
    met as materialized (select distinct mark from rekey_inventory.marks where mark <> ''), once as materialized (${everAccepted}),
    stays as (
      select o.credential, n.id as place, m.source, m.literal, m.past, m.sentence, m.first_seen, m.last_seen,
        greatest(o.since, ${learntSince}) as learnt_at,
        least(span.ended_at, case when o.until <= ${iso(until)} then o.until end) as ended_at
      from once o join rekey_inventory.marks m on m.mark = o.hmac
      join rekey_inventory.things t on t.id = m.thing
      join rekey_inventory.graph_nodes n on n.id = t.node and n.type = 'location'
      cross join lateral (
        select m.learnt_at, m.ended_at
        union all
        select p.learnt_at, p.ended_at from rekey_inventory.past_spans p
        where p.of = 'copy' and p.key = array[m.mark, m.thing, m.source, m.record]
      ) span
    )
    select s.credential, s.place, s.source, s.literal, s.past, s.sentence, reader.one is not null as "isRead",
      ${ms("s.first_seen")} as "firstSeen", ${ms("s.last_seen")} as "lastSeen",
      ${ms("s.learnt_at")} as "learntAt", ${ms("s.ended_at")} as "endedAt"
    from stays s left join lateral (select true as one from ${readsAt("s.place")} e limit 1) reader on true
    where s.ended_at is null or s.learnt_at < s.ended_at
    order by s.credential, s.place, s.source, s.sentence`;
}

/** When each place was one where its credential is kept, or what is filled from there or part of it (`keptOf`). */
async function keptAmong(tx: Tx, stays: readonly Stay[]): Promise<Kept[]> {
  const pairs = [
    ...new Map(
      stays.map(({ credential, place }) => [`${credential} ${place}`, { credential, place }]),
    ).values(),
  ];
  const { rows } = await tx.execute<Kept & Record<string, unknown>>(sql`
    with recursive inside (credential, place, id) as (
      select credential, place, place from unnest(
        ${sql.param(pairs.map(({ credential }) => credential))}::text[],
        ${sql.param(pairs.map(({ place }) => place))}::text[]) as met (credential, place)
      union
      select i.credential, i.place, whole.id from inside i, lateral (
        select e.to_id as id from rekey_inventory.graph_edges e
        join rekey_inventory.graph_nodes n on n.id = e.from_id and n.type = 'location'
        where e.from_id = i.id and e.type in ('depends-on', 'stored-in') offset 0) whole
    )
    select i.credential, i.place, ${ms("own.since")} as since, ${ms("own.ended_at")} as "endedAt"
    from inside i, lateral (
      select ${learnt} as since, e.ended_at from rekey_inventory.graph_edges e
      where e.from_id = i.credential and e.to_id = i.id and e.type = 'stored-in' offset 0) own
    order by 1, 2, 3`);
  return rows;
}
