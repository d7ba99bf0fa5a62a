/**
 * What an entry of the audit log is: who did or was about to do what, in one text that is hashed and never
 * changed. What is personal in it stands there as a commitment only, so that it can be forgotten one day while
 * the hash of the text stays what it was (H40).
 */
import { canonical } from "./plan.js";

/** What entries tell of. Two are the log's own: `gap` for what was done while it could not be written, `mismatch` for a text that is not what was told. */
export type AuditKind =
  | "opened"
  | "adopted"
  | "intent"
  | "outcome"
  | "decision"
  | "burned"
  | "incident"
  | "held"
  | "resumed"
  | "cancelled"
  | "turned"
  | "signed-off"
  | "estate"
  | "closed"
  | "restored"
  | "forgotten"
  | "gap"
  | "mismatch";

/** Something to be told, before it has an id and salts. */
export interface AuditRecord {
  readonly kind: AuditKind;
  readonly at: number;
  /** The rotation that it belongs to, if any. */
  readonly rotation: string | null;
  /** Ids, tags, digests, numbers: nothing secret and nobody's name. */
  readonly facts: Readonly<Record<string, unknown>>;
  /** Persons' ids and what people wrote, by field. Null is left out. */
  readonly personal?: Readonly<Record<string, string | null>>;
}

/** What a commitment was made of; without it the field is forgotten, and its entry is as good as before. */
export interface Opening {
  readonly salt: string;
  readonly value: string;
}

/** An entry as it goes into the log. */
export interface AuditEntry {
  readonly id: string;
  /** Canonical JSON; its hash is the leaf. */
  readonly body: string;
  readonly openings: Readonly<Record<string, Opening>>;
}

/** What a body says, read back. */
export interface AuditBody {
  readonly form: string;
  readonly id: string;
  readonly kind: AuditKind;
  readonly at: number;
  readonly rotation?: string;
  readonly personal?: Readonly<Record<string, string>>;
  readonly [fact: string]: unknown;
}

const form = "rekey-audit/1";

/** The commitment to a field of an entry: nobody can guess the value from it without the salt. */
export function commitment(
  id: string,
  field: string,
  { salt, value }: Opening,
  sha256Hex: (text: string) => string,
): string {
  return sha256Hex(canonical([form, id, field, salt, value]));
}

/** The entry of a record. `id` is of this entry alone; `salt` gives another random text at each call. */
export function auditEntryOf(
  record: AuditRecord,
  id: string,
  salt: () => string,
  sha256Hex: (text: string) => string,
): AuditEntry {
  const { kind, at, rotation, facts } = record;
  const openings: Record<string, Opening> = {};
  const personal: Record<string, string> = {};
  for (const [field, value] of Object.entries(record.personal ?? {})) {
    if (value === null) continue;
    const opening = { salt: salt(), value };
    openings[field] = opening;
    personal[field] = commitment(id, field, opening, sha256Hex);
  }
  const hasPersonal = Object.keys(personal).length > 0;
  const body = canonical({
    ...facts,
    ...{ form, id, kind, at },
    ...(rotation === null ? {} : { rotation }),
    ...(hasPersonal ? { personal } : {}),
  });
  return { id, body, openings };
}

/** Ids of entries that were told; those of the log's own begin otherwise, so that nobody can tell one in their place. */
const toldId = /^aud_[0-9a-z]+$/;
/** Escapes that the database reads nothing out of: half a character, and the character that no text there can hold. */
const unreadable = /\\u(?:0000|d[89a-f])/;

/**
 * True where the entry can stand in the log: its text is canonical and says the same id, and when. What waits may have
 * been changed there, so `given` is no more than what was found.
 */
export function isEntry(given: AuditEntry): boolean {
  try {
    const { id, body, openings } = given;
    const told = bodyOf(body);
    const { rotation } = told;
    return (
      toldId.test(id) &&
      told.id === id &&
      Number.isSafeInteger(told.at) &&
      (rotation === undefined || typeof rotation === "string") &&
      canonical(told) === body &&
      !unreadable.test(body) &&
      Object.entries(openings).every(([field, { salt, value }]) => [field, salt, value].every(isText))
    );
  } catch {
    // No JSON, or no object where there has to be one.
    return false;
  }
}

function isText(given: unknown): boolean {
  return typeof given === "string" && !given.includes("\0");
}

/** What the body says. Throws `SyntaxError` for what is no JSON. */
export function bodyOf(body: string): AuditBody {
  return JSON.parse(body) as AuditBody;
}
