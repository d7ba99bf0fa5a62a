/**
 * What a submitted estate changes, told by hashes: bodies are read only of what differs. What was told is what is applied, as long
 * as nobody has changed anything since; so nothing is applied that was not shown.
 */

import { RekeyError } from "../domain/errors.js";
import { sections } from "../domain/estate/schema.js";
import type { Tx } from "./database.js";
import { type ChangedEntry, changedFields, type EstateDiff } from "./estate-diff.js";
import { installationIn } from "./estate-load.js";
import { leftIn, refuseStale, type Standing, stampIn } from "./estate-pieces.js";
import { entries } from "./estate-tables.js";
import { inArray, sql } from "./orm.js";
import { column, parts } from "./rows.js";
import { type Body, entryKey, type Submission, type SubmittedEntry } from "./submission.js";

/** An entry that says something new: created, changed, or back after it had ended. */
export interface NewWord {
  readonly entry: SubmittedEntry;
  /** What there is of that name, and what it says or last said; null where the name is new. */
  readonly before: (Standing & { readonly body: Body }) | null;
}

/** Everything that applying would write. */
export interface EstateChanges {
  /** What it was told by, as of `stampIn`: applied now it is only while that holds. */
  readonly stamp: string;
  readonly diff: EstateDiff;
  readonly words: readonly NewWord[];
  readonly ended: readonly Standing[];
  /** Entries that say what they said, in another piece or without a hash so far. */
  readonly moved: readonly {
    readonly standing: Standing;
    readonly entry: SubmittedEntry;
  }[];
}

/**
 * What the submission changes as it was `told` before: nobody has changed anything since, or this throws `conflict`. Null: nobody
 * was told, and it is told now.
 */
export async function changesStill(
  tx: Tx,
  submission: Submission,
  told: EstateChanges | null,
): Promise<EstateChanges> {
  if (told === null) return changesOf(tx, submission);
  await refuseStale(tx, told);
  return told;
}

/** What is told of an estate that is in force. */
export async function noChanges(tx: Tx): Promise<EstateChanges> {
  return { stamp: await stampIn(tx), diff: nothing, words: [], ended: [], moved: [] };
}

/** Tells what the submission changes. Throws `bad-input` where two pieces say one entry, `conflict` as `leftIn` does. */
export async function changesOf(tx: Tx, submission: Submission): Promise<EstateChanges> {
  const standing = await standingOf(tx, submission);
  const bodies = await bodiesOf(
    tx,
    submission.entries.flatMap((entry) => {
      const before = standing.get(entryKey(entry));
      return before === undefined || (before.digest === entry.digest && !before.ended) ? [] : [before.id];
    }),
  );
  const [words, moved]: [NewWord[], EstateChanges["moved"][number][]] = [[], []];
  const changed = new Map<string, ChangedEntry>();
  const said = new Set<string>();
  for (const entry of submission.entries) {
    if (said.has(entryKey(entry))) throw saidTwice(entry);
    said.add(entryKey(entry));
    const before = standing.get(entryKey(entry));
    const body = before === undefined ? undefined : bodies.get(before.id);
    if (before === undefined || before.ended) {
      words.push({ entry, before: before && body ? { ...before, body } : null });
      continue;
    }
    standing.delete(entryKey(entry));
    const fields = body === undefined ? [] : changedFields(body, entry.body);
    if (fields.length > 0 && body !== undefined) {
      words.push({ entry, before: { ...before, body } });
      changed.set(entryKey(entry), { name: entry.name, fields });
    } else if (before.digest !== entry.digest || before.piece !== entry.piece) {
      moved.push({ standing: before, entry });
    }
  }
  const ended = [...standing.values()].filter((one) => !one.ended);
  const told = diffOf(words, changed, ended);
  const [from, to] = [await installationIn(tx), submission.header.installation];
  const diff = from === null || from === to ? told : { ...told, empty: false, renamed: { from, to } };
  return { stamp: await stampIn(tx), diff, words, ended, moved };
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
      created: mine.filter((one) => !changed.has(entryKey(one))).map(({ name }) => name),
      changed: mine.flatMap((one) => changed.get(entryKey(one)) ?? []),
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

/** The difference of what is the same. */
export const nothing: EstateDiff = diffOf([], new Map(), []);

type Standings = Map<string, Standing>;

/** What is in force and was read anew or ends, and whatever else bears the name of an entry that was read. */
async function standingOf(tx: Tx, { entries: read, base }: Submission): Promise<Standings> {
  const found: Standings = new Map((await leftIn(tx, base)).map((row) => [entryKey(row), row]));
  const others = read.filter((entry) => !found.has(entryKey(entry)));
  const followed = new Set(others.filter((entry) => entry.followed === true).map(entryKey));
  for (const part of parts(others)) {
    const { rows: named } = await tx.execute<Standing & Record<string, unknown>>(sql`
      select e.id, e.section, e.name, e.digest, e.piece, e.ended_at is not null as ended from rekey_inventory.entries e
      join unnest(${column(part, ({ section }) => section)}::text[], ${column(part, ({ name }) => name)}::text[])
        as wanted (section, name) on wanted.section = e.section and wanted.name = e.name`);
    for (const row of named) {
      if (!row.ended && !followed.has(entryKey(row))) throw saidTwice(row);
      found.set(entryKey(row), row);
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
