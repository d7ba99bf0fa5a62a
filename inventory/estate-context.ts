/**
 * What of the estate in force has to be looked at so that a change of it can be checked: the sections that every credential
 * shares, and what the change touches. Everything, where the change is to those sections themselves.
 */
import { and, inArray, isNull, sql } from "drizzle-orm";
import { isShared, sharedSections } from "../domain/estate/part.js";
import { askedOfConsumers } from "../domain/estate/rules.js";
import type { Credential, SystemConfig } from "../domain/estate/types.js";
import { type Database, patient, read, type Tx } from "./database.js";
import { applyMsMax, digestIn } from "./estate-apply.js";
import { changedFields, type Sections } from "./estate-diff.js";
import { estateAround } from "./estate-load.js";
import { type KnownPieces, leftIn, piecesIn, type Standing } from "./estate-pieces.js";
import { entries } from "./estate-tables.js";
import { column, parts } from "./rows.js";
import { sectionsOf } from "./sections.js";
import { type Body, entryKey, type Submission, type SubmittedEntry } from "./submission.js";

/** What whoever reads a part of an estate asks about the rest. */
export interface KnownEstate {
  /** The pieces that need not be read. */
  readonly pieces: () => Promise<KnownPieces>;
  /** What stands beside the sections, and the sections that every credential shares, as they are in force; null before there is one. */
  readonly shared: () => ReturnType<typeof sharedOf>;
  /** Null where that very estate is in force. */
  readonly context: (submission: Submission) => Promise<Context | null>;
}

/** Entries in force that the estate still has and that were not read. */
export interface Context {
  readonly sections: Sections;
  /** Entries, of these and of those that were read, for which the rules have to be asked, as `section name`: all that they name is there. */
  readonly asked: ReadonlySet<string>;
}

/** The estate in a database, as a reader of parts asks about it. */
export function knownIn(db: Database): KnownEstate {
  return {
    pieces: () => read(patient(db, applyMsMax), piecesIn),
    shared: () => sharedOf(db),
    context: (submission) =>
      read(patient(db, applyMsMax), async (tx) => {
        const isInForce = (await digestIn(tx)) === submission.digest;
        return isInForce ? null : contextOf(tx, submission);
      }),
  };
}

async function sharedOf(db: Database) {
  return (await estateAround(db, null))?.estate ?? null;
}

interface Row extends Pick<Standing, "id" | "section" | "name" | "digest"> {
  readonly body: Body;
}

/** What has to stand beside the entries that were read for the rules to be asked. */
async function contextOf(tx: Tx, { entries: said, base }: Submission): Promise<Context> {
  const left = await leftIn(tx, base);
  const digests = new Map(left.map((row) => [entryKey(row), row.digest]));
  const names = new Set(said.map(entryKey));
  const changed = said.filter((entry) => digests.get(entryKey(entry)) !== entry.digest);
  const ended = left.filter((row) => !names.has(entryKey(row)));
  const isLeft = new Set(left.map(({ id }) => id));
  const stand = (rows: readonly Row[]): Row[] => rows.filter(({ id }) => !isLeft.has(id));
  const isNew = (one: SubmittedEntry) => !digests.has(entryKey(one));
  if (ended.some(({ section }) => isShared(section)) || changed.some((one) => !isNew(one) && binds(one))) {
    const all = stand(await rowsWhere(tx, isNull(entries.endedAt)));
    return { sections: sectionsOf(all), asked: new Set([...said, ...all].map(entryKey)) };
  }
  const shared = stand(
    await rowsWhere(tx, and(isNull(entries.endedAt), inArray(entries.section, [...sharedSections]))),
  );
  const ids = new Map(left.map((row) => [entryKey(row), row.id]));
  const moved = [...(await askedAnew(tx, changed)), ...ended].filter(
    ({ section }) => section === "consumers",
  );
  const using = await usersOf(
    tx,
    moved.flatMap((one) => ids.get(entryKey(one)) ?? []),
  );
  const claims = changed.flatMap((entry) => entry.claims ?? []);
  const claiming = stand(await claimersOf(tx, claims));
  const engines = shared.flatMap(({ body }) => (body as unknown as SystemConfig).engineCredential ?? []);
  const opening = stand(await named(tx, "credentials", engines));
  const read = changed.flatMap(({ section, body }) => (section === "credentials" ? [{ body }] : []));
  const ownersChanged = changed.some((one) => one.section === "owners" && !isNew(one));
  const signing = ownersChanged ? stand(await examplesOf(tx)) : [];
  const wanted = [...using, ...read].flatMap(({ body }) =>
    (body as unknown as Credential).consumers.map(({ consumer }) => consumer),
  );
  const used = stand(await named(tx, "consumers", [...new Set(wanted)]));
  return {
    sections: sectionsOf([...shared, ...stand(using), ...claiming, ...opening, ...signing, ...used]),
    asked: new Set([...changed, ...shared, ...using].map(entryKey)),
  };
}

/** Consumers of which something is said anew that the rules about their credentials ask. */
async function askedAnew(tx: Tx, changed: readonly SubmittedEntry[]): Promise<SubmittedEntry[]> {
  const consumers = changed.filter(({ section }) => section === "consumers");
  const before = new Map(
    (
      await named(
        tx,
        "consumers",
        consumers.map(({ name }) => name),
      )
    ).map(({ name, body }) => [name, body]),
  );
  return consumers.filter(({ name, body }) => {
    const was = before.get(name);
    const fields = was === undefined ? [] : changedFields(was, body);
    return fields.some((field) => askedOfConsumers.some((one) => one === field));
  });
}

/** True where a change of the entry may break any other one, by a rule about the two. */
function binds({ section }: SubmittedEntry): boolean {
  return section === "stores" || section === "issuers" || section === "policies";
}

/** A credential for each owner and policy that go together somewhere: whether enough people can sign depends on nothing else. */
async function examplesOf(tx: Tx): Promise<Row[]> {
  const { rows } = await tx.execute<Row & Record<string, unknown>>(sql`
    select distinct on (body->>'policy', body->>'owner') id, section, name, digest, body
    from rekey_inventory.entries where section = 'credentials' and ended_at is null
    order by body->>'policy', body->>'owner', id`);
  return rows;
}

async function rowsWhere(tx: Tx, where: ReturnType<typeof and>): Promise<Row[]> {
  const { id, section, name, digest, body } = entries;
  return (await tx.select({ id, section, name, digest, body }).from(entries).where(where)) as Row[];
}

async function named(tx: Tx, section: Row["section"], names: readonly string[]): Promise<Row[]> {
  const found: Row[] = [];
  for (const part of parts(names)) {
    const { rows } = await tx.execute<Row & Record<string, unknown>>(sql`
      select id, section, name, digest, body from rekey_inventory.entries
      where section = ${section} and name = any(${sql.param(part)}::text[]) and ended_at is null`);
    for (const row of rows) found.push(row);
  }
  return found;
}

/** Credentials that some of these consumers use. The map is in step with the estate, and knows it without reading every entry. */
async function usersOf(tx: Tx, consumers: readonly string[]): Promise<Row[]> {
  const { rows } = await tx.execute<Row & Record<string, unknown>>(sql`
    select id, section, name, digest, body from rekey_inventory.entries
    where ended_at is null and section = 'credentials' and id in (
      select to_id from rekey_inventory.graph_edges
      where from_id = any(${sql.param(consumers)}::text[]) and type = 'uses' and ended_at is null)`);
  return rows;
}

/** Credentials that have claimed some of the same. */
async function claimersOf(tx: Tx, claims: readonly string[]): Promise<Row[]> {
  if (claims.length === 0) return [];
  const { rows } = await tx.execute<Row & Record<string, unknown>>(sql`
    select id, section, name, digest, body from rekey_inventory.entries e
    where e.id in (
      select c.id from unnest(${column(claims, (claim) => claim)}::text[]) as w (claim)
      join rekey_inventory.entries c on c.claims @> array[w.claim] and c.ended_at is null and c.claims is not null)`);
  return rows;
}
