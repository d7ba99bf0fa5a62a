/**
 * A text that waits and is not what was told: another one under an id that the log has, or one that is no entry. It is
 * not taken for what was told, and not thrown away either: the log says that it was there, once, and keeps it.
 */
import { createHash, randomBytes } from "node:crypto";
import { type AuditBody, type AuditEntry, auditEntryOf, bodyOf } from "../domain/audit.js";
import { canonical } from "../domain/plan.js";
import { type Database, read } from "../inventory/database.js";
import { sql } from "../inventory/orm.js";

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
  const text = canonical(found);
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

/** Sentences about such texts of which the log was told at `since` or later, in their order. */
export async function mismatchesIn(log: Database, since: number): Promise<string[]> {
  return read(log, async (tx) => {
    const { rows } = await tx.execute<{ index: string; body: string }>(
      sql`select index, body from rekey_audit.entries
        where starts_with(id, 'mismatch_') and at >= ${since} order by index`,
    );
    return rows.flatMap(({ index, body }) => toldOf(Number(index), bodyOf(body)) ?? []);
  });
}

/** What an entry of the log's own tells of texts that are not what was told, as a sentence; null for every other one. */
export function toldOf(index: number, { kind, entry, place, alone }: Partial<AuditBody>): string | null {
  if (kind === "mismatch") return `Entry ${index} tells of ${mismatchText(entry, place)}.`;
  const ids = kind === "gap" && Array.isArray(alone) ? alone : [];
  if (ids.length === 0) return null;
  return `Entry ${index} tells that ${ids.length} of the entries from ${placeText("spool")} stood nowhere else.`;
}

/** What was found, and where, in words. Both are what an entry of the kind `mismatch` says. */
export function mismatchText(entry: unknown, place: unknown): string {
  const what = entry === null ? "a text that is no entry" : `another text under the id of entry ${entry}`;
  return `${what}, found in ${placeText(place as Place)}`;
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

function randomSalt(): string {
  return randomBytes(saltBytes).toString("hex");
}

function sha256Hex(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
