/**
 * Brings the records of findings up to date: what is found now opens or goes on, what an owner answers for is excepted until
 * its day, what is no longer found ends. One look at a time, in one transaction; the same look again changes nothing.
 */
import { sql } from "drizzle-orm";
import type { Shapes } from "../domain/estate/shapes.js";
import { type FindingState, type KnownState, type Standing, standingOf } from "../domain/findings/course.js";
import { findingsOfCredential } from "../domain/findings/credential.js";
import { consumerFindings, placeFindings } from "../domain/findings/entries.js";
import { gravest } from "../domain/findings/evidence.js";
import { keyOf, type Present } from "../domain/findings/present.js";
import { rightFindings } from "../domain/findings/rights.js";
import { valueFindings } from "../domain/findings/values.js";
import { Adjacency } from "../domain/graph/reach.js";
import { type Database, patient, type Tx, transact } from "./database.js";
import {
  consumersWithin,
  copiesWithin,
  credentialLots,
  endingPlaces,
  exceptionsWithin,
  lookMsMax,
} from "./finding-facts.js";
import { findings } from "./finding-tables.js";
import { rightsWithin } from "./graph-load.js";
import { sha256Hex } from "./hash.js";
import { column, iso, parts } from "./rows.js";

/** What a look came to: how many findings changed their state, by the state that they have now. */
export interface FindingNews extends Readonly<Record<FindingState, number>> {
  /** False where another look began after this one was asked for, or at a later time, and has kept what there is. */
  readonly looked: boolean;
}

/** Any number will do, as long as nobody else in this database takes the same. */
const lookLock = 7_305_141_971;

/**
 * Looks at everything at `now` (milliseconds since the epoch) and keeps what is found. A look that comes after a later one
 * changes nothing. Errors as of `transact`.
 */
export async function bringFindings(db: Database, shapes: Shapes, now: number): Promise<FindingNews> {
  return transact(patient(db, lookMsMax), async (tx) => {
    const asked = await clock(tx);
    await tx.execute(sql`select pg_advisory_xact_lock(${lookLock})`);
    const news: Record<FindingState, number> = { open: 0, excepted: 0, ended: 0 };
    if (await isCovered(tx, asked, now)) return { ...news, looked: false };
    const began = await clock(tx);
    const known = await knownStates(tx);
    const exceptions = await exceptionsWithin(tx);
    const met = new Set<string>();
    const take = async (found: readonly Present[]): Promise<void> => {
      const standings = found
        .filter((present) => !met.has(keyOf(present)))
        .map((present) => {
          const key = keyOf(present);
          met.add(key);
          const { credential, sources } = present;
          const fitting = [credential ?? "", ...sources].flatMap((id) => exceptions.get(id) ?? []);
          return standingOf(present, known.get(key), fitting, now);
        });
      for (const { state, isNews } of standings) if (isNews) news[state] += 1;
      const isKnown = ({ key }: Standing) => known.has(key);
      for (const rows of parts(standings.filter(isKnown))) await keepOn(tx, rows, now);
      for (const rows of parts(standings.filter((one) => !isKnown(one)))) await keepNew(tx, rows, now);
      for (const rows of parts(standings.filter(({ isNews }) => isNews))) await noteChanges(tx, rows);
    };
    let ofSources: readonly Present[] = [];
    for await (const { credentials, picture } of credentialLots(tx, { now, leastWindowMs: null, shapes })) {
      const found = credentials.flatMap((facts) => findingsOfCredential(facts, picture));
      const { own = [], shared = [] } = Object.groupBy(found, ({ subject }) =>
        subject.type === "source" ? "shared" : "own",
      );
      ofSources = gravest([...ofSources, ...shared], keyOf);
      await take(own);
    }
    await take(ofSources);
    const consumers = await consumersWithin(tx);
    await take(consumers.flatMap(({ subject, consumer }) => consumerFindings(subject, consumer)));
    const places = await endingPlaces(tx);
    await take(places.flatMap(({ subject, ...ending }) => placeFindings(subject, ending, now)));
    const { copies, known: values } = await copiesWithin(tx);
    await take(valueFindings(copies, values, namelessId));
    await take(rightFindings(new Adjacency(await rightsWithin(tx))));
    news.ended = await endUnmet(tx, known, met, now);
    await tx.execute(sql`
      insert into rekey_inventory.finding_looks (at, began) values (${iso(now)}, ${began})
      on conflict (only_row) do update set at = excluded.at, began = excluded.began`);
    return { ...news, looked: true };
  });
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

async function knownStates(tx: Tx): Promise<Map<string, KnownState>> {
  const rows = await tx
    .select({
      key: findings.key,
      state: findings.state,
      owner: findings.exceptionOwner,
      reason: findings.exceptionReason,
      until: findings.exceptionUntil,
    })
    .from(findings);
  return new Map(
    rows.map(({ key, state, owner, reason, until }) => {
      const exception = until === null ? null : { owner: owner ?? "", reason: reason ?? "", until };
      return [key, { state, exception }];
    }),
  );
}

/** What is said of each now, as rows `said`. */
function saidBy(rows: readonly Standing[]) {
  return sql`unnest(
    ${column(rows, ({ key }) => key)}::text[], ${column(rows, ({ code }) => code)}::text[],
    ${column(rows, ({ severity }) => severity)}::text[], ${column(rows, ({ state }) => state)}::text[],
    ${column(rows, ({ subject }) => subject.id)}::text[], ${column(rows, ({ subject }) => subject.type)}::text[],
    ${column(rows, ({ subject }) => subject.name)}::text[], ${column(rows, ({ about }) => about?.id ?? null)}::text[],
    ${column(rows, ({ about }) => about?.type ?? null)}::text[], ${column(rows, ({ about }) => about?.name ?? null)}::text[],
    ${column(rows, ({ credential }) => credential)}::text[], ${column(rows, ({ sentence }) => sentence)}::text[],
    ${column(rows, ({ owners }) => JSON.stringify(owners))}::text[],
    ${column(rows, ({ places }) => JSON.stringify(places))}::text[],
    ${column(rows, ({ exception }) => exception?.owner ?? null)}::text[],
    ${column(rows, ({ exception }) => exception?.reason ?? null)}::text[],
    ${column(rows, ({ exception }) => (exception === null ? null : iso(exception.until)))}::timestamptz[],
    ${column(rows, ({ isNews, since }) => (isNews ? iso(since) : null))}::timestamptz[]
  ) as said (key, code, severity, state, subject, subject_type, subject_name, about, about_type, about_name, credential,
    sentence, owners, places, exception_owner, exception_reason, exception_until, since)`;
}

async function keepNew(tx: Tx, rows: readonly Standing[], now: number): Promise<void> {
  await tx.execute(sql`
    insert into rekey_inventory.findings (key, code, severity, state, subject, subject_type, subject_name, about,
      about_type, about_name, credential, sentence, owners, places, exception_owner, exception_reason, exception_until,
      first_seen, last_seen, since)
    select key, code, severity, state, subject, subject_type, subject_name, about, about_type, about_name, credential,
      sentence, owners::jsonb, places::jsonb, exception_owner, exception_reason, exception_until, ${iso(now)}, ${iso(now)}, since
    from ${saidBy(rows)} order by code, subject_name, about_name, key`);
}

async function keepOn(tx: Tx, rows: readonly Standing[], now: number): Promise<void> {
  await tx.execute(sql`
    update rekey_inventory.findings f set severity = said.severity, state = said.state,
      subject_type = said.subject_type, subject_name = said.subject_name, about_type = said.about_type,
      about_name = said.about_name, credential = said.credential, sentence = said.sentence,
      owners = said.owners::jsonb, places = said.places::jsonb, exception_owner = said.exception_owner,
      exception_reason = said.exception_reason, exception_until = said.exception_until, last_seen = ${iso(now)},
      since = coalesce(said.since, f.since)
    from ${saidBy(rows)} where f.key = said.key`);
}

async function noteChanges(tx: Tx, rows: readonly Standing[]): Promise<void> {
  await tx.execute(sql`
    insert into rekey_inventory.finding_changes (finding, at, state, exception_owner, exception_reason, exception_until)
    select f.number, said.since, said.state, said.exception_owner, said.exception_reason, said.exception_until
    from ${saidBy(rows)} join rekey_inventory.findings f on f.key = said.key`);
}

async function endUnmet(
  tx: Tx,
  known: ReadonlyMap<string, KnownState>,
  met: ReadonlySet<string>,
  now: number,
): Promise<number> {
  const over = [...known].flatMap(([key, { state }]) => (state === "ended" || met.has(key) ? [] : [key]));
  for (const rows of parts(over)) {
    const keys = column(rows, (key) => key);
    await tx.execute(sql`
      with ended as (
        update rekey_inventory.findings set state = 'ended', since = ${iso(now)}, exception_owner = null,
          exception_reason = null, exception_until = null
        where key = any(${keys}::text[]) returning number
      )
      insert into rekey_inventory.finding_changes (finding, at, state) select number, ${iso(now)}, 'ended' from ended`);
  }
  return over.length;
}
