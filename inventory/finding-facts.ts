/**
 * What findings rest on, read from the inventory: a few hundred credentials at a time, so that an estate of a hundred thousand
 * needs no more memory than a small one.
 */

import type { Section } from "../domain/estate/schema.js";
import type { Shapes } from "../domain/estate/shapes.js";
import type { Consumer, Credential, CredentialException, Policy } from "../domain/estate/types.js";
import { type BoundedException, bounded } from "../domain/exceptions.js";
import {
  type CredentialFacts,
  isThereStill,
  type PastUse,
  type Picture,
} from "../domain/findings/credential.js";
import type { ReadSource } from "../domain/findings/evidence.js";
import type { Subject } from "../domain/findings/present.js";
import type { MetValue, OwnValue } from "../domain/findings/values.js";
import { Adjacency } from "../domain/graph/reach.js";
import type { Graph } from "../domain/graph/types.js";
import { isLive, type Life, liveStages } from "../domain/version.js";
import { neverRead, watchRulesOf } from "../domain/watched.js";
import { anonymousUsesAt } from "./anonymous-uses.js";
import { copiesInUse, metPlaces } from "./copies.js";
import { lastEnds } from "./credentials.js";
import type { Tx } from "./database.js";
import { entries } from "./estate-tables.js";
import { usersWithin } from "./graph-load.js";
import { isLatest } from "./live-values.js";
import { and, eq, gt, inArray, isNull, type SQL, sql } from "./orm.js";
import { ms } from "./rows.js";
import { wordsAmong } from "./thing-words.js";
import { askedOf, type WatchTimes, watchedWithin } from "./watching.js";

/** A look at every credential may take long, and nobody else's work waits for it. */
export const lookMsMax = 300_000;

/** Credentials of one look: their edges are in memory together. */
const credentialsMax = 200;
/** For so long back it is asked since when a source was read; whoever is silent for longer cannot be told from nobody. */
const lookBackMsMin = 400 * 24 * 60 * 60_000;

/** Some credentials, and what a look at them rests on. */
export interface Lot {
  readonly credentials: readonly CredentialFacts[];
  readonly picture: Picture;
}

/** What is asked for. Times are milliseconds since the epoch. */
export interface LotsWanted extends Pick<Picture, "now" | "leastWindowMs"> {
  readonly shapes: Shapes;
  /** Ids of the credentials; null: every one. */
  readonly only: readonly string[] | null;
}

/** Every credential that is known now, or of these those that are, lot by lot, in the order of their ids. */
export async function* credentialLots(
  tx: Tx,
  { now, leastWindowMs, shapes, only }: LotsWanted,
): AsyncGenerator<Lot> {
  const { rows } = await tx.execute<{ id: string }>(sql`
    select id from rekey_inventory.graph_nodes
    where type = 'credential' and ended_at is null and ${among(sql`id`, only)} order by id`);
  const sourcesFor = sourcesBy(tx, shapes, now);
  const policies = await policiesWithin(tx);
  const rotatedAt = await lastEnds(tx, true);
  const met = await copiesInUse(tx, now);
  for (let at = 0; at < rows.length; at += credentialsMax) {
    const ids = rows.slice(at, at + credentialsMax).map(({ id }) => id);
    const graph = await usersWithin(tx, ids);
    const pastUses = await pastUsesOf(tx, graph);
    const anonymous = await anonymousUsesAt(tx, [...graph.nodes.keys()]);
    const declared = await declaredAmong(tx, ids);
    const listed = await listedAmong(tx, ids);
    const words = await wordsAmong(tx, ids);
    const credentials: CredentialFacts[] = [];
    for (const id of ids) {
      const node = graph.nodes.get(id);
      if (node === undefined) continue;
      const entry = declared.get(id);
      const thing = listed.get(id);
      const policy = policies.get(entry?.body.policy ?? "") ?? null;
      const facts = {
        ...{ node, policy, declared: entry?.body ?? null, sources: await sourcesFor(policy) },
        ...{ knownSince: entry?.since ?? node.firstSeen, rotatedAt: rotatedAt.get(id) ?? null },
        // Whoever issued it knows its end better than whoever has written it down.
        ...{
          expiresAt: thing?.expiresAt ?? words.get(id)?.expiresAt ?? null,
          listedAt: thing?.issuer ?? null,
        },
        purpose: words.get(id)?.purpose ?? null,
        ...{ listedLast: thing?.last ?? null, met: met.get(id) ?? [] },
      };
      if (isThereStill(facts)) credentials.push(facts);
    }
    yield {
      credentials,
      picture: { adjacency: new Adjacency(graph), pastUses, anonymous, leastWindowMs, now },
    };
  }
}

/** True of everything, or of these ids only. */
function among(id: SQL, only: readonly string[] | null): SQL {
  return only === null ? sql`true` : sql`${id} = any(${sql.param(only)}::text[])`;
}

function inForce(section: Section) {
  return and(eq(entries.section, section), isNull(entries.endedAt));
}

async function policiesWithin(tx: Tx): Promise<Map<string, Policy>> {
  const rows = await tx.select().from(entries).where(inForce("policies"));
  return new Map(rows.map(({ name, body }) => [name, body as unknown as Policy]));
}

async function declaredAmong(
  tx: Tx,
  ids: readonly string[],
): Promise<Map<string, { readonly since: number; readonly body: Credential }>> {
  const rows = await tx
    .select()
    .from(entries)
    .where(and(inArray(entries.id, ids), isNull(entries.endedAt)));
  return new Map(rows.map(({ id, since, body }) => [id, { since, body: body as unknown as Credential }]));
}

/** What sources list of these credentials: where, until when, and when last. */
async function listedAmong(tx: Tx, ids: readonly string[]) {
  const { rows } = await tx.execute<{
    node: string;
    issuer: string | null;
    expires_at: string | null;
    last: number;
  }>(sql`
    select node, max(body ->> 'issuer') as issuer, max((body ->> 'expiresAt')::bigint) as expires_at,
      ${ms("max(last_seen)")} as last
    from rekey_inventory.things where node = any(${sql.param(ids)}::text[]) group by node`);
  return new Map(
    rows.map(({ node, issuer, expires_at, last }) => [
      node,
      { issuer, expiresAt: expires_at === null ? null : Number(expires_at), last },
    ]),
  );
}

/** Everybody who was ever seen at what is in this part of the map, also where that has ended. */
async function pastUsesOf(tx: Tx, { nodes }: Graph): Promise<Map<string, PastUse[]>> {
  const used = [...nodes.values()].filter(({ type }) => type === "credential" || type === "location");
  const { rows } = await tx.execute<{ from: string; to: string; last: number }>(sql`
    select from_id as from, to_id as to, ${ms("max(last_seen)")} as last
    from rekey_inventory.graph_evidence
    where to_id = any(${sql.param(used.map(({ id }) => id))}::text[]) and type = 'uses' and kind in ('read', 'session')
    group by from_id, to_id`);
  return Map.groupBy(rows, ({ to }) => to);
}

/** The sources of the estate with what their readings are worth, asked once for each policy. */
function sourcesBy(
  tx: Tx,
  shapes: Shapes,
  now: number,
): (policy: Policy | null) => Promise<readonly ReadSource[]> {
  const known = new Map<string, readonly ReadSource[]>();
  return async (policy) => {
    const { useWindowMs: windowMs, evidenceMaxAgeMs: pauseMs } = watchRulesOf(policy);
    // What was missing counts within the policy's window; since when it is read, also for those who may be silent for longer.
    const lookBackMs = Math.max(lookBackMsMin, 2 * windowMs);
    const key = `${windowMs} ${pauseMs}`;
    const sources = known.get(key) ?? (await readSources(tx, shapes, { windowMs, lookBackMs, pauseMs, now }));
    known.set(key, sources);
    return sources;
  };
}

/** Every source of the estate, and what its readings are worth where no policy says how it looks at them. */
export function sourcesWithin(tx: Tx, shapes: Shapes, now: number): Promise<readonly ReadSource[]> {
  return sourcesBy(tx, shapes, now)(null);
}

async function readSources(tx: Tx, shapes: Shapes, times: WatchTimes): Promise<readonly ReadSource[]> {
  const declared = await tx.select().from(entries).where(inForce("sources"));
  const asked = declared.map(({ id, name, body }) => askedOf({ id, name, body }, shapes));
  const watched = new Map((await watchedWithin(tx, asked, times)).map((one) => [one.source, one]));
  return asked.map(({ id, name, body, seesUse }) => {
    const own = watched.get(id) ?? neverRead;
    return { ...own, id, name, seesUse, settings: body, owner: String(body.owner) };
  });
}

/** Consumers at a time. */
const consumersMax = 5_000;

/** Consumers of the estate, or of these those that it has, in the order of their ids; with what they do by the estate, or by what people have told of them elsewhere. */
export async function* consumerLots(
  tx: Tx,
  only: readonly string[] | null,
): AsyncGenerator<{ readonly subject: Subject; readonly consumer: Pick<Consumer, "owner" | "purpose"> }[]> {
  for (let after = ""; ; ) {
    const rows = await tx
      .select({
        ...{ id: entries.id, name: entries.name },
        owner: sql<string>`${entries.body} ->> 'owner'`,
        purpose: sql<string | null>`${entries.body} ->> 'purpose'`,
      })
      .from(entries)
      .where(and(inForce("consumers"), among(sql`${entries.id}`, only), gt(entries.id, after)))
      .orderBy(entries.id)
      .limit(consumersMax);
    const last = rows.at(-1);
    if (last === undefined) return;
    const words = await wordsAmong(
      tx,
      rows.filter(({ purpose }) => purpose === null).map(({ id }) => id),
    );
    yield rows.map(({ id, name, owner, purpose }) => {
      const said = purpose ?? words.get(id)?.purpose ?? null;
      const consumer = { owner, ...(said === null ? {} : { purpose: said }) };
      return { subject: { id, type: "consumer", name }, consumer };
    });
    after = last.id;
  }
}

/** Exceptions of credentials, by the rule of their policy, and of sources, by the id of the entry. */
export async function exceptionsWithin(tx: Tx): Promise<Map<string, readonly BoundedException[]>> {
  const { rows } = await tx.execute<{
    id: string;
    exceptions: readonly CredentialException[];
    policy: Pick<Policy, "exceptionMaxMs"> | null;
  }>(sql`
    select e.id, e.body -> 'exceptions' as exceptions, p.body as policy from rekey_inventory.entries e
    left join rekey_inventory.entries p on p.section = 'policies' and p.name = e.body ->> 'policy' and p.ended_at is null
    where e.section in ('credentials', 'sources') and e.ended_at is null and e.body -> 'exceptions' is not null`);
  return new Map(rows.map(({ id, exceptions, policy }) => [id, bounded(exceptions, policy)]));
}

/** Who answers for the sources, by their ids; also for those that have left the estate, whose word counts for some time. */
export async function sourceOwnersWithin(tx: Tx): Promise<Map<string, string>> {
  const rows = await tx
    .select({ id: entries.id, owner: sql<string | null>`${entries.body} ->> 'owner'` })
    .from(entries)
    .where(eq(entries.section, "sources"));
  return new Map(rows.flatMap(({ id, owner }) => (owner === null ? [] : [[id, owner] as const])));
}

/** Places that are there and whose content has an end, with the ids of the sources that show them. */
export async function endingPlaces(
  tx: Tx,
): Promise<{ readonly subject: Subject; readonly expiresAt: number; readonly sources: readonly string[] }[]> {
  const { rows } = await tx.execute<{
    id: string;
    name: string;
    expires_at: string;
    sources: readonly string[];
  }>(sql`
    select n.id, n.name, max((t.body ->> 'expiresAt')::bigint) as expires_at, array_agg(distinct shown.source) as sources
    from rekey_inventory.things t join rekey_inventory.graph_nodes n on n.id = t.node
    join lateral (
      select m.source from rekey_inventory.marks m where m.thing = t.id and m.ended_at is null
      union all
      select v.source from rekey_inventory.graph_evidence v where v.seen_from = t.id and v.ended_at is null
      union all
      select v.source from rekey_inventory.graph_evidence v where v.seen_to = t.id and v.ended_at is null
    ) shown on true
    where t.body ->> 'is' = 'location' and t.body ->> 'expiresAt' is not null and n.ended_at is null
    group by n.id, n.name`);
  return rows.map(({ id, name, expires_at, sources }) => ({
    subject: { id, type: "location", name },
    expiresAt: Number(expires_at),
    sources,
  }));
}

/** Marks that are met somewhere now, and those of values that are valid for more than one credential. */
const telling = sql`
  select mark from rekey_inventory.marks where ended_at is null
  union all
  select hmac from (
    select f.hmac, f.credential from rekey_inventory.fingerprints f join rekey_inventory.versions v on v.id = f.version
    where v.life = any(${sql.param(liveStages)}::text[])
    union all
    select l.hmac, l.credential from rekey_inventory.live_values l where ${isLatest}
  ) valid group by hmac having count(distinct credential) > 1`;

/** Values that lie somewhere now or are valid for several of ours, and whose they are. */
export async function copiesWithin(
  tx: Tx,
): Promise<{ readonly copies: readonly MetValue[]; readonly known: readonly OwnValue[] }> {
  const { rows } = await tx.execute<{
    mark: string;
    id: string;
    name: string;
    literal: boolean;
    verified: boolean;
    sentence: string;
    source: string;
  }>(sql`
    select m.mark, n.id, n.name, m.literal, m.verified, m.sentence, m.source
    from ${metPlaces} where m.ended_at is null order by n.name, n.id, m.sentence`);
  const { rows: ours } = await tx.execute<{
    mark: string;
    id: string;
    name: string;
    owner: string | null;
    life: Life;
  }>(sql`
    select f.hmac as mark, e.id, e.name, e.body ->> 'owner' as owner, v.life
    from rekey_inventory.fingerprints f
    join rekey_inventory.versions v on v.id = f.version
    join rekey_inventory.entries e on e.id = f.credential
    where f.hmac in (${telling})
    union
    select l.hmac, e.id, e.name, e.body ->> 'owner', 'active'
    from rekey_inventory.live_values l join rekey_inventory.entries e on e.id = l.credential
    where l.hmac in (${telling}) and ${isLatest}
      and not exists (
        select from rekey_inventory.fingerprints f where f.credential = l.credential and f.hmac = l.hmac)
    order by name`);
  return {
    copies: rows.map(({ mark, id, name, literal, verified, sentence, source }) => ({
      ...{ mark, literal, verified, sentence, source },
      place: { id, type: "location", name },
    })),
    known: ours.map(({ mark, id, name, owner, life }) => ({
      ...{ mark, isLive: isLive(life), owners: owner === null ? [] : [owner] },
      credential: { id, type: "credential", name },
    })),
  };
}
