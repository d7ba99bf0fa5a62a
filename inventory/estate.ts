/** The estate in the database as the program asks for it: applied whole or by what was read of it, and read entry by entry. */

import { RekeyError } from "../domain/errors.js";
import type { Section } from "../domain/estate/schema.js";
import type { Estate } from "../domain/estate/types.js";
import { type Database, read } from "./database.js";
import { type Applied, type Applying, applySubmission, planSubmission } from "./estate-apply.js";
import type { EstateDiff } from "./estate-diff.js";
import { authorityChanges as authorityTable, entries } from "./estate-tables.js";
import { and, eq, isNull, sql } from "./orm.js";
import { type Body, submissionOf } from "./submission.js";

/** An entry of the estate; `body` is what the estate says of it, or last said where it has ended. */
export interface Entry {
  readonly id: string;
  readonly section: Section;
  readonly name: string;
  readonly body: Body;
  readonly since: number;
  readonly changedAt: number;
  readonly endedAt: number | null;
}

/** What `applyEstate` is given. */
export interface ApplyRequest extends Applying {
  readonly estate: Estate;
  readonly digest: string;
}

/** Makes the database say what the whole estate says. Promises and errors as of `applySubmission`. */
export async function applyEstate(db: Database, request: ApplyRequest): Promise<Applied> {
  return applySubmission(db, submissionOf(request.estate, request.digest), request);
}

/** What `applyEstate` would change now, without changing it. */
export async function planEstate(db: Database, estate: Estate): Promise<EstateDiff> {
  return (await planSubmission(db, submissionOf(estate, ""))).diff;
}

const columns = {
  ...{ id: entries.id, section: entries.section, name: entries.name, body: entries.body },
  ...{ since: entries.since, changedAt: entries.changedAt, endedAt: entries.endedAt },
};

/** The entries of a section in force, by name; with `ended`, also those that have left the estate. */
export async function listEntries(
  db: Database,
  section: Section,
  options: { readonly ended?: boolean } = {},
): Promise<Entry[]> {
  const wanted = options.ended ? undefined : isNull(entries.endedAt);
  return read(db, (tx) =>
    tx
      .select(columns)
      .from(entries)
      .where(and(eq(entries.section, section), wanted))
      .orderBy(entries.name),
  );
}

/** The entry of that name in force. Throws `not-found`. */
export async function entryNamed(db: Database, section: Section, name: string): Promise<Entry> {
  const where = and(eq(entries.section, section), eq(entries.name, name), isNull(entries.endedAt));
  const [row] = await read(db, (tx) => tx.select(columns).from(entries).where(where));
  if (row === undefined) throw new RekeyError("not-found", `The estate has no ${name} among its ${section}.`);
  return row;
}

/** The entry of that id, ended or not. Throws `not-found`. */
export async function entryOf(db: Database, id: string): Promise<Entry> {
  const [row] = await read(db, (tx) => tx.select(columns).from(entries).where(eq(entries.id, id)));
  if (row === undefined) throw new RekeyError("not-found", `The inventory knows no ${id}.`);
  return row;
}

/** Who changed the credential's ownership or rules at `since` or later, oldest first (H37). */
export async function changesSince(
  db: Database,
  credential: string,
  since: number,
): Promise<
  {
    readonly what: "owner" | "policy" | "people";
    readonly previously: string;
    readonly at: number;
    readonly by: string;
  }[]
> {
  return read(db, (tx) =>
    tx
      .select({
        what: authorityTable.what,
        previously: authorityTable.previously,
        at: authorityTable.at,
        by: authorityTable.by,
      })
      .from(authorityTable)
      .where(
        and(
          eq(authorityTable.credential, credential),
          sql`${authorityTable.at} >= ${new Date(since).toISOString()}`,
        ),
      )
      .orderBy(authorityTable.number),
  );
}
