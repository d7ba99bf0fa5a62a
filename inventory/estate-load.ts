/**
 * Reads the estate in force: whole, for the few who need that, or what concerns one credential, which is all that a rotation of
 * it looks at. Both are put together from the entries, and say the same of that credential.
 */

import { sharedSections } from "../domain/estate/part.js";
import type { Credential, Estate } from "../domain/estate/types.js";
import { type Database, read, type Tx } from "./database.js";
import { entries, estateRevisions } from "./estate-tables.js";
import { and, desc, eq, inArray, isNull, or, sql } from "./orm.js";
import { sectionsOf } from "./sections.js";
import type { Header } from "./submission.js";

/** Which estate is in force. */
export interface Revision {
  readonly number: number;
  readonly digest: string;
  readonly appliedAt: number;
  readonly appliedBy: string;
}

/** An estate as it was applied. */
export interface EstateRevision extends Revision {
  readonly estate: Estate;
}

/** Which one is in force, or null when none was ever applied. */
export async function currentRevision(db: Database): Promise<Revision | null> {
  return read(db, async (tx) => {
    const row = await newest(tx);
    if (row === null) return null;
    const { header: _, ...revision } = row;
    return revision;
  });
}

/** The estate in force, whole, or null when none was ever applied. */
export async function currentEstate(db: Database): Promise<EstateRevision | null> {
  return read(db, async (tx) => {
    const row = await newest(tx);
    if (row === null) return null;
    const { header, ...revision } = row;
    const rows = await tx.select(said).from(entries).where(isNull(entries.endedAt)).orderBy(entries.name);
    return { ...revision, estate: { ...header, ...sectionsOf(rows) } };
  });
}

/** What concerns one credential. */
export interface EstateAround extends EstateRevision {
  /** Ids of its consumers, by name. */
  readonly consumerIds: ReadonlyMap<string, string>;
}

/**
 * The estate in force without other credentials and without consumers that are none of this one's: everything that a rotation
 * of it asks the estate. Where there is no credential of that name, or none is asked for, only what all of them share. Null when
 * none was ever applied.
 */
export async function estateAround(db: Database, credential: string | null): Promise<EstateAround | null> {
  return read(db, async (tx) => {
    const row = await newest(tx);
    if (row === null) return null;
    const { header, ...revision } = row;
    const rows = await tx
      .select(said)
      .from(entries)
      .where(
        and(
          isNull(entries.endedAt),
          or(
            inArray(entries.section, [...sharedSections]),
            and(eq(entries.section, "credentials"), eq(entries.name, credential ?? "")),
          ),
        ),
      )
      .orderBy(entries.name);
    const own = rows.find(({ section }) => section === "credentials")?.body as Credential | undefined;
    const used = await consumersIn(
      tx,
      (own?.consumers ?? []).map(({ consumer }) => consumer),
    );
    return {
      ...revision,
      estate: { ...header, ...sectionsOf([...rows, ...used]) },
      consumerIds: new Map(used.map(({ id, name }) => [name, id])),
    };
  });
}

const said = { id: entries.id, section: entries.section, name: entries.name, body: entries.body };

async function consumersIn(tx: Tx, names: readonly string[]) {
  return tx
    .select(said)
    .from(entries)
    .where(
      and(
        eq(entries.section, "consumers"),
        isNull(entries.endedAt),
        sql`${entries.name} = any(${sql.param(names)}::text[])`,
      ),
    );
}

/** The name of the installation whose estate is in force; null when none was ever applied. */
export async function installationIn(tx: Tx): Promise<string | null> {
  return (await newest(tx))?.header.installation ?? null;
}

/** The newest revision. A release that kept whole documents has written what stands beside the sections only there. */
async function newest(tx: Tx): Promise<(Revision & { readonly header: Header }) | null> {
  const [row] = await tx
    .select({
      number: estateRevisions.number,
      digest: estateRevisions.digest,
      appliedAt: estateRevisions.appliedAt,
      appliedBy: estateRevisions.appliedBy,
      header: sql<Header>`coalesce(${estateRevisions.header}, json_build_object(
        'version', ${estateRevisions.document}->'version', 'installation', ${estateRevisions.document}->'installation'))`,
    })
    .from(estateRevisions)
    .orderBy(desc(estateRevisions.number))
    .limit(1);
  return row ?? null;
}
