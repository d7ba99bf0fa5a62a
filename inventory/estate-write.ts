/** Writes what an estate changes: a few statements for thousands of entries, and nothing of what stays as it is. */

import type { Section } from "../domain/estate/schema.js";
import type { Tx } from "./database.js";
import type { EstateChanges, NewWord } from "./estate-changes.js";
import { pastBodies } from "./estate-tables.js";
import { sql } from "./orm.js";
import { column, parts } from "./rows.js";

/** What an entry's id begins with, by its section. */
export const idPrefixes = {
  credentials: "crd",
  consumers: "con",
  owners: "own",
  policies: "pol",
  stores: "sto",
  issuers: "iss",
  notifiers: "not",
  sources: "src",
} as const satisfies Record<Section, string>;

/** Makes an id that was never used, beginning with the prefix. */
export type NewId = (prefix: (typeof idPrefixes)[Section]) => string;

/** Which revision writes, and when, in milliseconds since the epoch. */
export interface Writing {
  readonly revision: number;
  readonly now: number;
  readonly newId: NewId;
}

/**
 * Nobody opens a rotation of what is about to change, until the transaction ends. In the order of ids, as everybody who
 * holds several.
 */
export async function holdTouched(tx: Tx, { words, ended }: EstateChanges): Promise<void> {
  const ids = [...words.flatMap(({ before }) => before?.id ?? []), ...ended.map(({ id }) => id)];
  await tx.execute(sql`
    select from rekey_inventory.entries where id = any(${sql.param(ids)}::text[]) order by id for no key update`);
}

/** Writes all of it. What an entry said until now is kept. */
export async function writeEntries(tx: Tx, changes: EstateChanges, writing: Writing): Promise<void> {
  const { words, ended, moved } = changes;
  const known = words.filter(({ before }) => before !== null);
  const replaced = [...known.flatMap(({ before }) => before ?? []), ...ended];
  for (const part of parts(replaced)) {
    await tx.execute(sql`
      insert into ${pastBodies} (entry, until_revision, body)
      select id, ${writing.revision}, case when ended_at is null then body end from rekey_inventory.entries
      where id = any(${column(part, ({ id }) => id)}::text[])`);
  }
  const at = new Date(writing.now).toISOString();
  for (const part of parts(words.filter(({ before }) => before === null)))
    await create(tx, part, at, writing.newId);
  for (const part of parts(known)) await change(tx, part, at);
  for (const part of parts(ended)) {
    await tx.execute(sql`
      update rekey_inventory.entries set changed_at = ${at}, ended_at = ${at}, piece = null, claims = null
      where id = any(${column(part, ({ id }) => id)}::text[])`);
  }
  await writeMoved(tx, moved);
}

/** Notes in which piece of text entries stand that say what they said. */
export async function writeMoved(tx: Tx, moved: EstateChanges["moved"]): Promise<void> {
  for (const part of parts(moved)) {
    await tx.execute(sql`
      update rekey_inventory.entries e set digest = said.digest, piece = said.piece, claims = ${listOf("claims")}
      from unnest(
        ${column(part, ({ standing }) => standing.id)}::text[], ${column(part, ({ entry }) => entry.digest)}::text[],
        ${column(part, ({ entry }) => entry.piece)}::text[], ${column(part, ({ entry }) => json(entry.claims))}::json[]
      ) as said (id, digest, piece, claims)
      where e.id = said.id`);
  }
}

async function create(tx: Tx, words: readonly NewWord[], at: string, newId: NewId): Promise<void> {
  await tx.execute(sql`
    insert into rekey_inventory.entries (id, section, name, body, digest, piece, claims, since, changed_at)
    select id, section, name, body, digest, piece, ${listOf("claims")}, ${at}, ${at} from unnest(
      ${column(words, ({ entry }) => newId(idPrefixes[entry.section]))}::text[],
      ${column(words, ({ entry }) => entry.section)}::text[], ${column(words, ({ entry }) => entry.name)}::text[],
      ${column(words, ({ entry }) => json(entry.body))}::json[], ${column(words, ({ entry }) => entry.digest)}::text[],
      ${column(words, ({ entry }) => entry.piece)}::text[], ${column(words, ({ entry }) => json(entry.claims))}::json[]
    ) as said (id, section, name, body, digest, piece, claims)`);
}

async function change(tx: Tx, words: readonly NewWord[], at: string): Promise<void> {
  await tx.execute(sql`
    update rekey_inventory.entries e set body = said.body, digest = said.digest, piece = said.piece,
      claims = ${listOf("claims")}, changed_at = ${at}, ended_at = null
    from unnest(
      ${column(words, ({ before }) => before?.id ?? "")}::text[],
      ${column(words, ({ entry }) => json(entry.body))}::json[], ${column(words, ({ entry }) => entry.digest)}::text[],
      ${column(words, ({ entry }) => entry.piece)}::text[], ${column(words, ({ entry }) => json(entry.claims))}::json[]
    ) as said (id, body, digest, piece, claims)
    where e.id = said.id`);
}

function json(value: unknown): string | null {
  return value === null ? null : JSON.stringify(value);
}

/** A list that travelled as JSON: the database takes no array of arrays of different lengths. */
function listOf(name: "claims") {
  const list = sql.raw(`said.${name}`);
  return sql`case when ${list} is null then null else array(select json_array_elements_text(${list})) end`;
}
