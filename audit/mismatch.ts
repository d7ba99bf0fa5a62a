/**
 * A text that waits and is not what was told: another one under an id that the log has, or one that is no entry. It is
 * not taken for what was told, and not thrown away either: the log says that it was there, once, and keeps it.
 */
import { createHash, randomBytes } from "node:crypto";
import { sql } from "drizzle-orm";
import { type AuditEntry, auditEntryOf, bodyOf } from "../domain/audit.js";
import { type Database, read } from "../inventory/database.js";

/** Where entries wait: the inventory's outbox, a worker's spool, or the memory of the process that told them. */
export type Place = "outbox" | "spool" | "hand";

const prefix = "mismatch_";
const saltBytes = 16;
/** More than any entry has; of a longer text the hash is kept, and how long it was. */
const charactersMax = 100_000;

/**
 * The log's own entry of it. `known` is the text that the log has under that id, if any; the entry belongs to its
 * rotation. What was found may have anything in it, names too, so it stands there as a commitment. The same text makes
 * an entry of the same id.
 */
export function mismatchOf(
  found: AuditEntry,
  known: string | undefined,
  place: Place,
  now: number,
): AuditEntry {
  const text = JSON.stringify(found ?? null);
  const digest = createHash("sha256").update(text).digest("hex");
  const facts = {
    place,
    entry: known === undefined ? null : found.id,
    characters: text.length,
    digest,
  };
  const record = {
    kind: "mismatch",
    at: now,
    rotation: (known === undefined ? undefined : bodyOf(known).rotation) ?? null,
    facts,
    personal: { text: text.length > charactersMax ? null : text },
  } as const;
  return auditEntryOf(record, `${prefix}${digest}`, randomSalt, sha256Hex);
}

/** A text that the log tells of. */
export interface Mismatch {
  /** Of the entry that tells of it. */
  readonly index: number;
  readonly place: Place;
  /** Id of the entry that has another text; null where what was found is no entry. */
  readonly entry: string | null;
}

/** Those of which the log was told at `since` or later, in their order. */
export async function mismatchesIn(log: Database, since: number): Promise<Mismatch[]> {
  return read(log, async (tx) => {
    const { rows } = await tx.execute<{ index: string; body: string }>(
      sql`select index, body from rekey_audit.entries
        where starts_with(id, 'mismatch_') and at >= ${since} order by index`,
    );
    return rows.flatMap(({ index, body }) => mismatchIn(Number(index), body) ?? []);
  });
}

/** What this entry tells of, where it tells of such a text. */
export function mismatchIn(index: number, body: string): Mismatch | null {
  // Nearly no entry does: looking for the word is far cheaper than reading all of them.
  if (!body.includes(`"kind":"mismatch"`)) return null;
  try {
    const { kind, place, entry } = bodyOf(body);
    return kind === "mismatch"
      ? { index, place: place as Place, entry: (entry ?? null) as string | null }
      : null;
  } catch {
    // What is no JSON tells of nothing; it does not have the hash that the tree holds either.
    return null;
  }
}

const places: Readonly<Record<Place, string>> = {
  outbox: "the inventory's outbox",
  spool: "a worker's spool",
  hand: "a worker's memory",
};

/** The place in words. */
export function placeText(place: Place): string {
  return places[place];
}

/** That there was such a text, as a sentence. */
export function mismatchSentence({ index, place, entry }: Mismatch): string {
  const what =
    entry === null ? "a text that is no entry stood" : `another text under the id of entry ${entry} stood`;
  return `Entry ${index} tells that ${what} in ${placeText(place)}.`;
}

function randomSalt(): string {
  return randomBytes(saltBytes).toString("hex");
}

function sha256Hex(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
