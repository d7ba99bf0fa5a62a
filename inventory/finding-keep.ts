/**
 * Brings the records of findings up to date: what is found now opens or goes on, what an owner answers for is excepted until
 * its day, what is no longer found ends. One look at a time, in one transaction; the same look again changes nothing.
 */

import type { Shapes } from "../domain/estate/shapes.js";
import { type FindingState, type KnownState, type Standing, standingOf } from "../domain/findings/course.js";
import { findingsOfCredential } from "../domain/findings/credential.js";
import { consumerFindings, placeFindings } from "../domain/findings/entries.js";
import { failingFindings, gravest } from "../domain/findings/evidence.js";
import { keyOf, type Present, withSomebody } from "../domain/findings/present.js";
import { rightFindings } from "../domain/findings/rights.js";
import { valueFindings } from "../domain/findings/values.js";
import { Adjacency } from "../domain/graph/reach.js";
import { canonical } from "../domain/plan.js";
import { type Database, patient, read, type Tx, transact } from "./database.js";
import { endUnmet } from "./finding-end.js";
import {
  consumerLots,
  copiesWithin,
  credentialLots,
  endingPlaces,
  exceptionsWithin,
  lookMsMax,
  sourceOwnersWithin,
  sourcesWithin,
} from "./finding-facts.js";
import type { LookScope } from "./finding-scope.js";
import { findings } from "./finding-tables.js";
import { rightsWithin } from "./graph-load.js";
import { sha256Hex } from "./hash.js";
import { sql } from "./orm.js";
import { column, iso, parts } from "./rows.js";

/** What a look came to: how many findings changed their state, by the state that they have now. */
export interface FindingNews extends Readonly<Record<FindingState, number>> {
  /** False where another look began after this one was asked for, or at a later time, and has kept what there is. */
  readonly looked: boolean;
}

/** Any number will do, as long as nobody else in this database takes the same. */
const lookLock = 7_305_141_971;

/**
 * Looks at everything at `now` (milliseconds since the epoch), or at what a change of the estate can have changed, and keeps what
 * is found. A look that comes after a later one changes nothing. Errors as of `transact`.
 */
export async function bringFindings(
  db: Database,
  shapes: Shapes,
  now: number,
  scope: LookScope | null = null,
): Promise<FindingNews> {
  return transact(patient(db, lookMsMax), async (tx) => {
    const asked = await clock(tx);
    await tx.execute(sql`select pg_advisory_xact_lock(${lookLock})`);
    const news: Record<FindingState, number> = { open: 0, excepted: 0, ended: 0 };
    if (await isCovered(tx, asked, now)) return { ...news, looked: false };
    const began = await clock(tx);
    const exceptions = await exceptionsWithin(tx);
    const sourceOwners = await sourceOwnersWithin(tx);
    const met = new Set<string>();
    const take = async (found: readonly Present[]): Promise<void> => {
      const fresh = [...new Map(found.map((present) => [keyOf(present), present]))].filter(
        ([key]) => !met.has(key),
      );
      const known = await knownStates(
        tx,
        fresh.map(([key]) => key),
      );
      const standings = fresh.map(([key, present]) => {
        met.add(key);
        const { credential, sources } = present;
        const fitting = [credential ?? "", ...sources].flatMap((id) => exceptions.get(id) ?? []);
        return standingOf(withSomebody(present, sourceOwners), known.get(key), fitting, now);
      });
      for (const { state, isNews } of standings) if (isNews) news[state] += 1;
      await keepStandings(tx, standings, known, now);
    };
    await lookAt(tx, { shapes, now, scope }, take);
    news.ended = await endUnmet(tx, scope, met, now);
    if (scope === null)
      await tx.execute(sql`
        insert into rekey_inventory.finding_looks (at, began) values (${iso(now)}, ${began})
        on conflict (only_row) do update set at = excluded.at, began = excluded.began`);
    return { ...news, looked: true };
  });
}

/** So few credentials are looked at in about a second, and then what is found of the sources is up to date as well. */
const fewCredentials = 1_000;

/** A look after a change of the estate with this scope: at everything, where that is little. */
export async function lookAfter(
  db: Database,
  shapes: Shapes,
  now: number,
  scope: LookScope | null,
): Promise<FindingNews> {
  const isLittle = await read(db, async (tx) => {
    const { rows } = await tx.execute(sql`
      select from rekey_inventory.graph_nodes where type = 'credential' and ended_at is null
      offset ${fewCredentials} limit 1`);
    return rows.length === 0;
  });
  return bringFindings(db, shapes, now, isLittle ? null : scope);
}

interface Look {
  readonly shapes: Shapes;
  readonly now: number;
  readonly scope: LookScope | null;
}

/**
 * Hands over what is found, a part at a time. Of sources only a look at everything can speak: what it says of one of them is
 * the gravest that it is to any credential. What is not of the estate is looked at each time; there is little of it.
 */
async function lookAt(
  tx: Tx,
  { shapes, now, scope }: Look,
  take: (found: readonly Present[]) => Promise<void>,
): Promise<void> {
  let ofSources: readonly Present[] = [];
  const only = scope?.credentials ?? null;
  for await (const lot of credentialLots(tx, { now, leastWindowMs: null, shapes, only })) {
    const found = lot.credentials.flatMap((facts) => findingsOfCredential(facts, lot.picture));
    const { own = [], shared = [] } = Object.groupBy(found, ({ subject }) =>
      subject.type === "source" ? "shared" : "own",
    );
    ofSources = gravest([...ofSources, ...shared], keyOf);
    await take(own);
  }
  if (scope === null) {
    await take(ofSources);
    await take(failingFindings(await sourcesWithin(tx, shapes, now)));
  }
  for await (const consumers of consumerLots(tx, scope?.consumers ?? null))
    await take(consumers.flatMap(({ subject, consumer }) => consumerFindings(subject, consumer)));
  const places = await endingPlaces(tx);
  await take(places.flatMap(({ subject, ...ending }) => placeFindings(subject, ending, now)));
  const { copies, known } = await copiesWithin(tx);
  await take(valueFindings(copies, known, namelessId));
  await take(rightFindings(new Adjacency(await rightsWithin(tx))));
}

/** The database's own clock, as it writes it: by that one all looks are compared, whatever time they are made for. */
async function clock(tx: Tx): Promise<string> {
  const { rows } = await tx.execute<{ at: string }>(sql`select clock_timestamp()::text as at`);
  return rows[0]?.at ?? "";
}

/** Several readings that end together ask for one look, and a look that comes late knows less than a later one. */
async function isCovered(tx: Tx, asked: string, now: number): Promise<boolean> {
  const { rows } = await tx.execute(sql`
    select from rekey_inventory.finding_looks where began > ${asked}::timestamptz or at > ${iso(now)}`);
  return rows.length > 0;
}

/** The same for the same value, and of no use to whoever reads it. */
function namelessId(mark: string): string {
  return `val_${sha256Hex(`value ${mark}`).slice(0, 24)}`;
}

interface Known extends KnownState {
  /** Hash of what was said of it; null where an earlier release has written it. */
  readonly digest: string | null;
}

async function knownStates(tx: Tx, keys: readonly string[]): Promise<Map<string, Known>> {
  const known = new Map<string, Known>();
  for (const part of parts(keys)) {
    const rows = await tx
      .select({
        ...{ key: findings.key, state: findings.state, digest: findings.digest },
        ...{
          owner: findings.exceptionOwner,
          reason: findings.exceptionReason,
          until: findings.exceptionUntil,
        },
      })
      .from(findings)
      .where(sql`${findings.key} = any(${column(part, (key) => key)}::text[])`);
    for (const { key, state, digest, owner, reason, until } of rows) {
      const exception = until === null ? null : { owner: owner ?? "", reason: reason ?? "", until };
      known.set(key, { state, exception, digest });
    }
  }
  return known;
}

type Kept = Standing & { readonly digest: string };

/** Writes what is new of them. What says what it said, in the state in which it was, is left alone. */
async function keepStandings(
  tx: Tx,
  standings: readonly Standing[],
  known: ReadonlyMap<string, Known>,
  now: number,
): Promise<void> {
  const told = standings.map((standing): Kept => ({ ...standing, digest: digestOf(standing) }));
  const { added = [], changed = [] } = Object.groupBy(told, ({ key, digest, isNews }) => {
    const before = known.get(key);
    if (before === undefined) return "added";
    return isNews || before.digest !== digest ? "changed" : "same";
  });
  for (const rows of parts(changed)) await keepOn(tx, rows, now);
  for (const rows of parts(added)) await keepNew(tx, rows, now);
  for (const rows of parts(told.filter(({ isNews }) => isNews))) await noteChanges(tx, rows);
}

/** The same as long as nothing else is said of the finding. */
function digestOf({
  severity,
  subject,
  about,
  credential,
  sentence,
  owners,
  places,
  shownBy,
}: Standing): string {
  const said = { severity, subject, about, credential, sentence, owners, places, shownBy };
  return sha256Hex(canonical(said)).slice(0, 24);
}

/** What is said of each now, as rows `said`. */
function saidBy(rows: readonly Kept[]) {
  return sql`unnest(
    ${column(rows, ({ key }) => key)}::text[], ${column(rows, ({ code }) => code)}::text[],
    ${column(rows, ({ severity }) => severity)}::text[], ${column(rows, ({ state }) => state)}::text[],
    ${column(rows, ({ subject }) => subject.id)}::text[], ${column(rows, ({ subject }) => subject.type)}::text[],
    ${column(rows, ({ subject }) => subject.name)}::text[], ${column(rows, ({ about }) => about?.id ?? null)}::text[],
    ${column(rows, ({ about }) => about?.type ?? null)}::text[], ${column(rows, ({ about }) => about?.name ?? null)}::text[],
    ${column(rows, ({ credential }) => credential)}::text[], ${column(rows, ({ sentence }) => sentence)}::text[],
    ${column(rows, ({ owners }) => JSON.stringify(owners))}::text[],
    ${column(rows, ({ places }) => JSON.stringify(places))}::text[],
    ${column(rows, ({ shownBy }) => JSON.stringify(shownBy))}::text[],
    ${column(rows, ({ exception }) => exception?.owner ?? null)}::text[],
    ${column(rows, ({ exception }) => exception?.reason ?? null)}::text[],
    ${column(rows, ({ exception }) => (exception === null ? null : iso(exception.until)))}::timestamptz[],
    ${column(rows, ({ isNews, since }) => (isNews ? iso(since) : null))}::timestamptz[],
    ${column(rows, ({ digest }) => digest)}::text[]
  ) as said (key, code, severity, state, subject, subject_type, subject_name, about, about_type, about_name, credential,
    sentence, owners, places, sources, exception_owner, exception_reason, exception_until, since, digest)`;
}

async function keepNew(tx: Tx, rows: readonly Kept[], now: number): Promise<void> {
  await tx.execute(sql`
    insert into rekey_inventory.findings (key, code, severity, state, subject, subject_type, subject_name, about,
      about_type, about_name, credential, sentence, owners, places, sources, exception_owner, exception_reason, exception_until,
      first_seen, last_seen, since, digest)
    select key, code, severity, state, subject, subject_type, subject_name, about, about_type, about_name, credential,
      sentence, owners::jsonb, places::jsonb, sources::jsonb, exception_owner, exception_reason, exception_until, ${iso(now)}, ${iso(now)}, since, digest
    from ${saidBy(rows)} order by code, subject_name, about_name, key`);
}

async function keepOn(tx: Tx, rows: readonly Kept[], now: number): Promise<void> {
  await tx.execute(sql`
    update rekey_inventory.findings f set severity = said.severity, state = said.state,
      subject_type = said.subject_type, subject_name = said.subject_name, about_type = said.about_type,
      about_name = said.about_name, credential = said.credential, sentence = said.sentence,
      owners = said.owners::jsonb, places = said.places::jsonb, sources = said.sources::jsonb, exception_owner = said.exception_owner,
      exception_reason = said.exception_reason, exception_until = said.exception_until, last_seen = ${iso(now)},
      digest = said.digest, since = coalesce(said.since, f.since)
    from ${saidBy(rows)} where f.key = said.key`);
}

async function noteChanges(tx: Tx, rows: readonly Kept[]): Promise<void> {
  await tx.execute(sql`
    insert into rekey_inventory.finding_changes (finding, at, state, exception_owner, exception_reason, exception_until)
    select f.number, said.since, said.state, said.exception_owner, said.exception_reason, said.exception_until
    from ${saidBy(rows)} join rekey_inventory.findings f on f.key = said.key`);
}
