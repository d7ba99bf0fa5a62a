/**
 * What a submitted estate changes, told by hashes: bodies are read only of what differs. The same function shows the difference
 * and applies it, so that nothing is applied that would not have been shown.
 */
import { inArray, sql } from "drizzle-orm";
import { RekeyError } from "../domain/errors.js";
import { type Section, sections } from "../domain/estate/schema.js";
import type { Tx } from "./database.js";
import { type ChangedEntry, changedFields, type EstateDiff } from "./estate-diff.js";
import { entries } from "./estate-tables.js";
import { column, parts } from "./rows.js";
import { type Body, bodyDigest, type Submission, type SubmittedEntry } from "./submission.js";

/** An entry that the inventory has, in force or ended. */
export interface Standing {
  readonly id: string;
  readonly section: Section;
  readonly name: string;
  /** Null where an earlier release has written it. */
  readonly digest: string | null;
  readonly piece: string | null;
  readonly ended: boolean;
}

/** An entry that says something new: created, changed, or back after it had ended. */
export interface NewWord {
  readonly entry: SubmittedEntry;
  readonly digest: string;
  /** What there is of that name, and what it says or last said; null where the name is new. */
  readonly before: (Standing & { readonly body: Body }) | null;
}

/** Everything that applying would write. */
export interface EstateChanges {
  readonly diff: EstateDiff;
  readonly words: readonly NewWord[];
  readonly ended: readonly Standing[];
  /** Entries that say what they said, in another piece or without a hash so far. */
  readonly moved: readonly {
    readonly standing: Standing;
    readonly entry: SubmittedEntry;
    readonly digest: string;
  }[];
}

const keyOf = ({ section, name }: Pick<Standing, "section" | "name">): string => `${section} ${name}`;

/** Tells what the submission changes. Throws `bad-input` where two pieces say one entry, `conflict` where a kept piece is not there. */
export async function changesOf(tx: Tx, submission: Submission): Promise<EstateChanges> {
  await refuseUnknown(tx, submission.kept);
  const standing = await standingOf(tx, submission);
  const digests = submission.entries.map(({ body }) => bodyDigest(body));
  const bodies = await bodiesOf(
    tx,
    submission.entries.flatMap((entry, i) => {
      const before = standing.get(keyOf(entry));
      return before === undefined || (before.digest === digests[i] && !before.ended) ? [] : [before.id];
    }),
  );
  const [words, moved]: [NewWord[], EstateChanges["moved"][number][]] = [[], []];
  const changed = new Map<string, ChangedEntry>();
  const said = new Set<string>();
  for (const [i, entry] of submission.entries.entries()) {
    if (said.has(keyOf(entry))) throw saidTwice(entry);
    said.add(keyOf(entry));
    const before = standing.get(keyOf(entry));
    const digest = digests[i] ?? "";
    const body = before === undefined ? undefined : bodies.get(before.id);
    if (before === undefined || before.ended) {
      words.push({ entry, digest, before: before && body ? { ...before, body } : null });
      continue;
    }
    standing.delete(keyOf(entry));
    const fields = body === undefined ? [] : changedFields(body, entry.body);
    if (fields.length > 0 && body !== undefined) {
      words.push({ entry, digest, before: { ...before, body } });
      changed.set(keyOf(entry), { name: entry.name, fields });
    } else if (before.digest !== digest || before.piece !== entry.piece) {
      moved.push({ standing: before, entry, digest });
    }
  }
  const ended = [...standing.values()].filter((one) => !one.ended);
  return { diff: diffOf(words, changed, ended), words, ended, moved };
}

function diffOf(
  words: readonly NewWord[],
  changed: ReadonlyMap<string, ChangedEntry>,
  ended: readonly Standing[],
): EstateDiff {
  const byName = (a: string, b: string) => (a < b ? -1 : 1);
  const told = sections.map((section) => {
    const mine = words.filter(({ entry }) => entry.section === section).map(({ entry }) => entry);
    const part = {
      created: mine.filter((one) => !changed.has(keyOf(one))).map(({ name }) => name),
      changed: mine.flatMap((one) => changed.get(keyOf(one)) ?? []),
      ended: ended.filter((one) => one.section === section).map(({ name }) => name),
    };
    part.created.sort(byName);
    part.changed.sort((a, b) => byName(a.name, b.name));
    part.ended.sort(byName);
    return [section, part] as const;
  });
  return {
    empty: words.length + ended.length === 0,
    sections: Object.fromEntries(told) as unknown as EstateDiff["sections"],
  };
}

/** A piece that nobody in force comes from was changed by somebody else meanwhile. */
async function refuseUnknown(tx: Tx, kept: readonly string[]): Promise<void> {
  if (kept.length === 0) return;
  const { rows } = await tx.execute(sql`
    select from unnest(${sql.param(kept)}::text[]) as k (piece)
    where not exists (select from rekey_inventory.entries e where e.piece = k.piece and e.ended_at is null)
    limit 1`);
  if (rows.length > 0)
    throw new RekeyError(
      "conflict",
      "Somebody else has applied an estate meanwhile.",
      "Apply again: the difference is told anew.",
    );
}

type Standings = Map<string, Standing>;

/** What is in force outside of the kept pieces, and whatever else bears the name of an entry that was read. */
async function standingOf(tx: Tx, { entries: read, kept }: Submission): Promise<Standings> {
  const columns = sql`e.id, e.section, e.name, e.digest, e.piece, e.ended_at is not null as ended`;
  const { rows } = await tx.execute<Standing & Record<string, unknown>>(sql`
    select ${columns} from rekey_inventory.entries e
    where e.ended_at is null and (e.piece is null or not exists (
      select from unnest(${sql.param(kept)}::text[]) as k (piece) where k.piece = e.piece))`);
  const found: Standings = new Map(rows.map((row) => [keyOf(row), row]));
  const others = read.filter((entry) => !found.has(keyOf(entry)));
  for (const part of parts(others)) {
    const { rows: named } = await tx.execute<Standing & Record<string, unknown>>(sql`
      select ${columns} from rekey_inventory.entries e
      join unnest(${column(part, ({ section }) => section)}::text[], ${column(part, ({ name }) => name)}::text[])
        as wanted (section, name) on wanted.section = e.section and wanted.name = e.name`);
    for (const row of named) {
      if (!row.ended) throw saidTwice(row);
      found.set(keyOf(row), row);
    }
  }
  return found;
}

function saidTwice({ section, name }: Pick<Standing, "section" | "name">): RekeyError {
  return new RekeyError("bad-input", `${name} stands twice among the ${section}.`, "Keep one of them.");
}

async function bodiesOf(tx: Tx, ids: readonly string[]): Promise<ReadonlyMap<string, Body>> {
  const found = new Map<string, Body>();
  for (const part of parts(ids)) {
    const rows = await tx
      .select({ id: entries.id, body: entries.body })
      .from(entries)
      .where(inArray(entries.id, part));
    for (const { id, body } of rows) found.set(id, body);
  }
  return found;
}

/** Which of these pieces nothing in force comes from, so that they have to be read. */
export async function unknownPieces(tx: Tx, pieces: readonly string[]): Promise<ReadonlySet<string>> {
  const { rows } = await tx.execute<{ piece: string }>(sql`
    select k.piece from unnest(${sql.param(pieces)}::text[]) as k (piece)
    where not exists (select from rekey_inventory.entries e where e.piece = k.piece and e.ended_at is null)`);
  return new Set(rows.map(({ piece }) => piece));
}
