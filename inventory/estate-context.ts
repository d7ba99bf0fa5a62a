/**
 * What of the estate in force has to be looked at so that a change of it can be checked: the sections that every credential
 * shares, and what the change touches. Everything, where the change is to those sections themselves.
 */

import { isShared, sharedSections } from "../domain/estate/part.js";
import { askedOfConsumers } from "../domain/estate/rules.js";
import { type MappedSection, mapped, namedBy } from "../domain/graph/declared.js";
import { type Database, patient, read, type Tx } from "./database.js";
import { applyMsMax, digestIn } from "./estate-apply.js";
import { changesOf, type EstateChanges, type NewWord } from "./estate-changes.js";
import type { Sections } from "./estate-diff.js";
import { estateAround } from "./estate-load.js";
import { type KnownPieces, piecesIn, type Standing } from "./estate-pieces.js";
import { entries } from "./estate-tables.js";
import { and, inArray, isNull, sql } from "./orm.js";
import { column, parts } from "./rows.js";
import { sectionsOf } from "./sections.js";
import { type Body, entryKey, type Submission, type SubmittedEntry } from "./submission.js";

/** What whoever reads a part of an estate asks about the rest. */
export interface KnownEstate {
  /** The pieces that need not be read. */
  readonly pieces: () => Promise<KnownPieces>;
  /** What stands beside the sections, and the sections that every credential shares, as they are in force; null before there is one. */
  readonly shared: () => ReturnType<typeof sharedOf>;
  /** Null where that very estate is in force. Throws as `changesOf` does. */
  readonly context: (submission: Submission) => Promise<Context | null>;
}

/** Entries in force that the estate still has and that were not read. */
export interface Context {
  /** What the submission changes. */
  readonly changes: EstateChanges;
  readonly sections: Sections;
  /** Entries, of these and of those that were read, for which the rules have to be asked, as `section name`: all that they name is there. */
  readonly asked: ReadonlySet<string>;
  /** What applying needs to know of those of these credentials whose policy their class chose, by name. */
  readonly followers: ReadonlyMap<string, Pick<SubmittedEntry, "piece" | "claims">>;
}

/** The estate in a database, as a reader of parts asks about it. */
export function knownIn(db: Database): KnownEstate {
  return {
    pieces: () => read(patient(db, applyMsMax), piecesIn),
    shared: () => sharedOf(db),
    context: (submission) =>
      read(patient(db, applyMsMax), async (tx) => {
        if ((await digestIn(tx)) === submission.digest) return null;
        const changes = await changesOf(tx, submission);
        return { changes, ...(await contextOf(tx, submission, changes)) };
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
async function contextOf(
  tx: Tx,
  { entries: said }: Submission,
  { words, moved, ended, diff }: EstateChanges,
): Promise<Omit<Context, "changes">> {
  const isLeft = new Set(
    [...words.flatMap(({ before }) => before ?? []), ...moved.map(({ standing }) => standing), ...ended].map(
      ({ id }) => id,
    ),
  );
  const stand = (rows: readonly Row[]): Row[] => rows.filter(({ id }) => !isLeft.has(id));
  if (
    ended.some(({ section }) => isShared(section)) ||
    words.some((word) => !isNew(word) && binds(word.entry))
  ) {
    const all = stand(await rowsWhere(tx, isNull(entries.endedAt)));
    const asked = new Set([...said, ...all].map(entryKey));
    return { sections: sectionsOf(all), asked, followers: await followersIn(tx) };
  }
  const shared = stand(
    await rowsWhere(tx, and(isNull(entries.endedAt), inArray(entries.section, [...sharedSections]))),
  );
  const using = await usersOf(tx, consumersAnew({ words, ended, diff }));
  const claiming = stand(await claimersOf(tx, await newClaims(tx, words)));
  const naming = await namersOf(
    tx,
    ended.map(({ id }) => id),
  );
  const changed = words.map(({ entry }) => entry);
  const ownersChanged = words.some((word) => word.entry.section === "owners" && !isNew(word));
  const signing = ownersChanged ? stand(await examplesOf(tx)) : [];
  const asked = [...changed, ...shared, ...using, ...naming];
  const used = [...(await namedIn(tx, asked, "consumers")), ...(await namedIn(tx, asked, "credentials"))];
  return {
    sections: sectionsOf([...shared, ...stand([...using, ...naming, ...used]), ...claiming, ...signing]),
    asked: new Set(asked.map(entryKey)),
    // Who takes a class has not changed: that is a change of a policy.
    followers: new Map(),
  };
}

/** Credentials in force whose policy their class chose. */
async function followersIn(tx: Tx): Promise<Context["followers"]> {
  const rows = await tx
    .select({ name: entries.name, piece: entries.piece, claims: entries.claims })
    .from(entries)
    .where(
      and(
        isNull(entries.endedAt),
        sql`${entries.section} = 'credentials' and ${entries.body}->>'policyBy' is not null`,
      ),
    );
  return new Map(rows.map(({ name, ...rest }) => [name, rest]));
}

/** Entries of a section that these speak of. */
async function namedIn(
  tx: Tx,
  speaking: readonly Pick<Row, "section" | "body">[],
  section: "consumers" | "credentials",
): Promise<Row[]> {
  const names = speaking.flatMap((entry) =>
    isMapped(entry) ? namedBy(entry).flatMap((one) => (one.section === section ? [one.name] : [])) : [],
  );
  return named(tx, section, [...new Set(names)]);
}

function isMapped<Of extends Pick<Row, "section">>(entry: Of): entry is Of & { section: MappedSection } {
  return mapped.some((section) => section === entry.section);
}

/** True of what is not in force so far. */
function isNew({ before }: NewWord): boolean {
  return before === null || before.ended;
}

/** Ids of consumers that end, or of which something is said anew that the rules about their credentials ask. */
function consumersAnew({ words, ended, diff }: Pick<EstateChanges, "words" | "ended" | "diff">): string[] {
  const asked = diff.sections.consumers.changed.filter(({ fields }) =>
    fields.some((field) => askedOfConsumers.some((one) => one === field)),
  );
  const names = new Set(asked.map(({ name }) => name));
  return [
    ...words.flatMap(({ entry, before }) =>
      entry.section === "consumers" && names.has(entry.name) ? (before?.id ?? []) : [],
    ),
    ...ended.flatMap(({ section, id }) => (section === "consumers" ? [id] : [])),
  ];
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

/** What is claimed anew: what an entry in force has claimed before was refused to everybody else since. */
async function newClaims(tx: Tx, words: readonly NewWord[]): Promise<string[]> {
  const had = new Map<string, ReadonlySet<string>>();
  const known = words.flatMap((word) => (isNew(word) || word.before === null ? [] : [word.before.id]));
  for (const part of parts(known)) {
    const { rows } = await tx.execute<{ id: string; claims: string[] }>(sql`
      select id, claims from rekey_inventory.entries where id = any(${sql.param(part)}::text[]) and claims is not null`);
    for (const { id, claims } of rows) had.set(id, new Set(claims));
  }
  return words.flatMap(({ entry, before }) => {
    const claimed = had.get(before?.id ?? "");
    return (entry.claims ?? []).filter((claim) => claimed?.has(claim) !== true);
  });
}

/** Entries that say of some of these what no source sees: that they need, can read or can make them. */
async function namersOf(tx: Tx, ids: readonly string[]): Promise<Row[]> {
  const { rows } = await tx.execute<Row & Record<string, unknown>>(sql`
    select id, section, name, digest, body from rekey_inventory.entries
    where ended_at is null and id in (
      select from_id from rekey_inventory.graph_edges
      where to_id = any(${sql.param(ids)}::text[]) and type in ('depends-on', 'can-read', 'mints') and ended_at is null)`);
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
