/**
 * The estate in the database: applied whole, in one transaction, by names that keep their ids for ever.
 * Nothing is deleted; what leaves the estate ends.
 */
import { and, desc, eq, inArray, isNotNull, isNull, sql } from "drizzle-orm";
import { RekeyError } from "../domain/errors.js";
import { type Section, sections } from "../domain/estate/schema.js";
import type { Shapes } from "../domain/estate/shapes.js";
import type { Credential, Estate } from "../domain/estate/types.js";
import { canonical } from "../domain/plan.js";
import { adoptions } from "./adoption-tables.js";
import { tellAudit } from "./audit-outbox.js";
import { authorityChanges } from "./authority-changes.js";
import { type Database, read, type Tx, transact } from "./database.js";
import { diffEstate, type EstateDiff } from "./estate-diff.js";
import { authorityChanges as authorityTable, entries, estateRevisions } from "./estate-tables.js";
import { keepDeclared, type Names } from "./graph-estate.js";
import { rematch } from "./rematch.js";
import { rotations } from "./rotation-tables.js";
import { sectionsOf } from "./sections.js";

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

/** An estate as it was applied. */
export interface EstateRevision {
  readonly number: number;
  readonly digest: string;
  readonly estate: Estate;
  readonly appliedAt: number;
  readonly appliedBy: string;
}

/** An entry of the estate; `body` is what the estate says of it, or last said where it has ended. */
export interface Entry {
  readonly id: string;
  readonly section: Section;
  readonly name: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly since: number;
  readonly changedAt: number;
  readonly endedAt: number | null;
}

/** What `applyEstate` is given. `newId` makes an id that was never used, beginning with the prefix. */
export interface ApplyRequest {
  readonly estate: Estate;
  readonly digest: string;
  readonly by: string;
  readonly now: number;
  readonly newId: (prefix: (typeof idPrefixes)[Section]) => string;
  /** What the registered kinds make of accounts and places, by which what sources saw is told anew; absent: it stays as it was. */
  readonly shapes?: Shapes;
}

/** What applying did; `revision` is the one that is in force now. */
export interface Applied {
  readonly revision: number;
  readonly diff: EstateDiff;
}

/** Serialises appliers; nothing else waits for it. */
const applyLock = 7_305_141_969;

/**
 * Makes the database say what the estate says. Applying the same digest again changes nothing. Throws
 * `rotation-open` when a credential would end, or would get another issuer, account, store or place (a pinned
 * consumer's included), while a rotation of it is open: the rotation's own records would point to somewhere else.
 */
export async function applyEstate(db: Database, request: ApplyRequest): Promise<Applied> {
  return transact(db, async (tx) => {
    await tx.execute(sql`select pg_advisory_xact_lock(${applyLock})`);
    const [last, beforeLast] = await tx
      .select()
      .from(estateRevisions)
      .orderBy(desc(estateRevisions.number))
      .limit(2);
    if (last?.digest === request.digest) {
      // A release that had no map may have applied it.
      await keepDeclared(tx, request, {});
      // The very same request once more: its first answer was lost, and is given again.
      const mine = last.appliedAt === request.now && last.appliedBy === request.by;
      const before = mine ? (beforeLast?.document ?? null) : last.document;
      return { revision: last.number, diff: diffEstate(before, request.estate) };
    }
    const known = await tx.select().from(entries).orderBy(entries.id).for("no key update");
    const before = sectionsOf(known.filter((entry) => entry.endedAt === null));
    const diff = diffEstate(before, request.estate);
    await refuseUnderRotation(tx, diff, known, request.estate);
    const revision = (last?.number ?? 0) + 1;
    await tx.insert(estateRevisions).values({
      number: revision,
      digest: request.digest,
      document: request.estate,
      appliedAt: request.now,
      appliedBy: request.by,
    });
    for (const section of sections) await applySection(tx, section, diff, known, request);
    await keepDeclared(tx, request, touchedBy(diff));
    if (request.shapes) await rematch(tx, request.shapes, request.now);
    await recordAuthority(tx, known, revision, request);
    const { now: at, digest, by } = request;
    await tellAudit(tx, {
      kind: "estate",
      at,
      rotation: null,
      facts: { revision, digest },
      personal: { by },
    });
    return { revision, diff };
  });
}

/** What `applyEstate` would change now, without changing it. */
export async function planEstate(db: Database, estate: Estate): Promise<EstateDiff> {
  return read(db, async (tx) => {
    const current = await tx.select().from(entries).where(isNull(entries.endedAt));
    return diffEstate(sectionsOf(current), estate);
  });
}

/** The estate in force, or null when none was ever applied. */
export async function currentEstate(db: Database): Promise<EstateRevision | null> {
  return read(db, async (tx) => {
    const [row] = await tx.select().from(estateRevisions).orderBy(desc(estateRevisions.number)).limit(1);
    if (row === undefined) return null;
    const { document, ...revision } = row;
    return { ...revision, estate: document };
  });
}

/** The entries of a section in force, by name; with `ended`, also those that have left the estate. */
export async function listEntries(
  db: Database,
  section: Section,
  options: { readonly ended?: boolean } = {},
): Promise<Entry[]> {
  const wanted = options.ended ? undefined : isNull(entries.endedAt);
  return read(db, (tx) =>
    tx
      .select()
      .from(entries)
      .where(and(eq(entries.section, section), wanted))
      .orderBy(entries.name),
  );
}

/** The entry of that name in force. Throws `not-found`. */
export async function entryNamed(db: Database, section: Section, name: string): Promise<Entry> {
  const where = and(eq(entries.section, section), eq(entries.name, name), isNull(entries.endedAt));
  const [row] = await read(db, (tx) => tx.select().from(entries).where(where));
  if (row === undefined) throw new RekeyError("not-found", `The estate has no ${name} among its ${section}.`);
  return row;
}

/** The entry of that id, ended or not. Throws `not-found`. */
export async function entryOf(db: Database, id: string): Promise<Entry> {
  const [row] = await read(db, (tx) => tx.select().from(entries).where(eq(entries.id, id)));
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

function touchedBy({ sections: parts }: EstateDiff): Names {
  return Object.fromEntries(
    sections.map((section) => {
      const { created, changed, ended } = parts[section];
      return [section, [...created, ...changed.map(({ name }) => name), ...ended]];
    }),
  );
}

async function applySection(
  tx: Tx,
  section: Section,
  diff: EstateDiff,
  known: readonly Entry[],
  { estate, now, newId }: ApplyRequest,
): Promise<void> {
  const { created, changed, ended } = diff.sections[section];
  const bodyOf = (name: string) => estate[section][name] as unknown as Readonly<Record<string, unknown>>;
  const idOf = new Map(
    known.filter((entry) => entry.section === section).map((entry) => [entry.name, entry.id]),
  );
  for (const name of [...created, ...changed.map((entry) => entry.name)]) {
    const id = idOf.get(name);
    const body = bodyOf(name);
    if (id === undefined) {
      const row = { id: newId(idPrefixes[section]), section, name, body, since: now, changedAt: now };
      await tx.insert(entries).values(row);
    } else {
      await tx.update(entries).set({ body, changedAt: now, endedAt: null }).where(eq(entries.id, id));
    }
  }
  const endedIds = ended.flatMap((name) => idOf.get(name) ?? []);
  if (endedIds.length > 0) {
    await tx.update(entries).set({ changedAt: now, endedAt: now }).where(inArray(entries.id, endedIds));
  }
}

const bearings: ReadonlySet<string> = new Set(["issuer", "account", "store", "place"]);

/** True when every edge with a place of its own still has that place; the rotation writes there, too. */
function keepsPinned(before: Credential | undefined, after: Credential | undefined): boolean {
  return (before?.consumers ?? []).every(({ consumer, place }) => {
    if (place === undefined) return true;
    const edge = after?.consumers.find((candidate) => candidate.consumer === consumer);
    return edge?.place !== undefined && canonical(edge.place) === canonical(place);
  });
}

function bodyNamed(known: readonly Entry[], name: string): Credential | undefined {
  const entry = known.find((candidate) => candidate.section === "credentials" && candidate.name === name);
  return entry?.body as unknown as Credential | undefined;
}

async function refuseUnderRotation(
  tx: Tx,
  diff: EstateDiff,
  known: readonly Entry[],
  estate: Estate,
): Promise<void> {
  const { ended, changed } = diff.sections.credentials;
  const moved = changed.filter(
    ({ name, fields }) =>
      fields.some((field) => bearings.has(field)) ||
      !keepsPinned(bodyNamed(known, name), estate.credentials[name]),
  );
  const names = new Set([...ended, ...moved.map(({ name }) => name)]);
  const touched = known.filter((entry) => entry.section === "credentials" && names.has(entry.name));
  if (touched.length === 0) return;
  const ids = touched.map(({ id }) => id);
  await refuseUnderAdoption(tx, touched);
  const [open] = await tx
    .select({ credential: rotations.credential, id: rotations.id })
    .from(rotations)
    .where(and(inArray(rotations.credential, ids), isNull(rotations.closedAt)))
    .limit(1);
  if (open === undefined) return;
  const name = touched.find(({ id }) => id === open.credential)?.name;
  throw new RekeyError(
    "rotation-open",
    `Credential ${name} is being rotated (${open.id}), so it can neither end nor move to another account or place.`,
    "Wait until the rotation has ended, or cancel it; then apply again.",
  );
}

/** An adoption that has begun is finished or taken back at the account that was signed. */
async function refuseUnderAdoption(tx: Tx, touched: readonly Entry[]): Promise<void> {
  const ids = touched.map(({ id }) => id);
  const [begun] = await tx
    .select({ credential: adoptions.credential, id: adoptions.id })
    .from(adoptions)
    .where(and(inArray(adoptions.credential, ids), isNull(adoptions.closedAt), isNotNull(adoptions.begunAt)))
    .limit(1);
  if (begun === undefined) return;
  const name = touched.find(({ id }) => id === begun.credential)?.name;
  throw new RekeyError(
    "rotation-open",
    `Credential ${name} is being adopted (${begun.id}), so it can neither end nor move to another account or place.`,
    `Let \`rekey adopt ${name}\` end it, or take it back with --undo; then apply again.`,
  );
}

async function recordAuthority(
  tx: Tx,
  known: readonly Entry[],
  revision: number,
  { estate, by, now }: ApplyRequest,
): Promise<void> {
  const idOf = new Map(
    known.filter((entry) => entry.section === "credentials").map((entry) => [entry.name, entry.id]),
  );
  const rows = authorityChanges(sectionsOf(known), estate).flatMap(({ credential, what, previously }) => {
    const id = idOf.get(credential);
    return id === undefined ? [] : [{ credential: id, what, previously, revision, at: now, by }];
  });
  if (rows.length > 0) await tx.insert(authorityTable).values(rows);
}
