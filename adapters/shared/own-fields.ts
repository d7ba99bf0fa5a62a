/**
 * Which fields of a stored document are ours and what they are called there, because a document is shared
 * with other writers and other credentials, and every store must keep its hands off the rest (H18, H34).
 */
import { z } from "zod";
import { RekeyError } from "../../domain/errors.js";
import { Secret } from "../../domain/secret.js";
import { ownFields, type PlaceView, type SecretDocument } from "../ports.js";

/** Our word for a field (`username`) to its name in the stored document (`db_user`). */
export type FieldMap = Readonly<Record<string, string>>;

/** The live document as far as it is ours. */
export interface OwnDocument {
  /** By our words, without the tag. */
  readonly values: SecretDocument;
  /** Text of the tag, `""` when there is none. */
  readonly tag: string;
  readonly version: string | null;
}

/** What stands at a place, from what was read there; `null` is no document. `storeVersion` is the store's name of it, where it has one. */
export function viewOf(own: OwnDocument | null, storeVersion?: string): PlaceView {
  if (own === null) return { tag: "", liveVersion: null };
  return { tag: own.tag, liveVersion: own.version, ...(storeVersion === undefined ? {} : { storeVersion }) };
}

/** The document as consumers read it; `null` where nothing of it but a tag is there. */
export function valuesIn(own: OwnDocument | null): SecretDocument | null {
  return own === null || Object.keys(own.values).length === 0 ? null : own.values;
}

/** New contents of our fields by their stored names; `null` removes the field. */
export type FieldWrites = Readonly<Record<string, Secret | null>>;

const storedName = z.string().min(1).max(200);

/** The `fields` of a place: our word to the stored name, for documents whose names are given by others. */
export function fieldsSchema() {
  return z
    .record(z.string().min(1).max(200), storedName)
    .refine(
      (map) =>
        new Set(Object.values(withEngineFields(map))).size === Object.keys(withEngineFields(map)).length,
      {
        error: "expected a different stored name for each field",
      },
    )
    .default({ username: "username", password: "password" })
    .describe(
      "Which field of the document holds what: our word to the name in the document, such as " +
        "{username: db_user, password: db_pass}. Only these and rekey_version, rekey_attest_key and rekey_tag are " +
        "ever written; name the last three here too where the document has such fields of its own.",
    );
}

/** The map with the engine's own three fields in it, under their usual names where the estate gives no other. */
export function withEngineFields(fields: FieldMap): FieldMap {
  const engine = Object.values(ownFields).map((name) => [name, name]);
  return { ...Object.fromEntries(engine), ...fields };
}

/** The estate's fields without the engine's three: those that a consumer logs in with. */
export function credentialFields(fields: FieldMap): string[] {
  const engine: readonly string[] = Object.values(ownFields);
  return Object.keys(fields).filter((field) => !engine.includes(field));
}

/**
 * Our part of a raw document, or `null` when there is none at all. Text, numbers and booleans are values;
 * anything else under one of our names is `unsupported`, as a consumer could not log in with it.
 */
export function readOwn(
  raw: Readonly<Record<string, unknown>> | null,
  fields: FieldMap,
  place: string,
): OwnDocument | null {
  if (raw === null) return null;
  const values: Record<string, Secret> = {};
  let tag = "";
  for (const [field, stored] of Object.entries(withEngineFields(fields))) {
    const value = Object.hasOwn(raw, stored) ? raw[stored] : undefined;
    if (value === undefined || value === null) continue;
    if (!["string", "number", "boolean"].includes(typeof value)) {
      throw new RekeyError("unsupported", `The field "${stored}" at ${place} is not a plain text.`);
    }
    if (field === ownFields.tag) tag = String(value);
    else values[field] = new Secret(String(value));
  }
  return { values, tag, version: values[ownFields.version]?.reveal() ?? null };
}

/** The raw document without what is not plain: for looking through old revisions, which anybody may have written. */
export function plainPart(raw: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(raw).filter(([, value]) => typeof value !== "object"));
}

/** The id, if it can stand as one segment of a path. Throws `bad-input`: an id must not climb out of the staging folder. */
export function versionSegment(version: string): string {
  if (/^[\w-]{1,128}$/.test(version)) return version;
  throw new RekeyError("bad-input", "A version's id may hold letters, digits, dashes and underscores only.");
}

/**
 * The document as it is staged: our words only, and the version's id in it. Throws `bad-input` for a field
 * that the place does not name, as it could not be taken back later.
 */
export function toStage(
  document: SecretDocument,
  version: string,
  fields: FieldMap,
  place: string,
): SecretDocument {
  const known = withEngineFields(fields);
  const kept: Record<string, Secret> = {};
  for (const [field, value] of Object.entries(document)) {
    if (field === ownFields.tag || field === ownFields.version) continue;
    if (!Object.hasOwn(known, field)) {
      throw new RekeyError(
        "bad-input",
        `The value has a field "${field}" that the place ${place} does not name.`,
        `Add "${field}" to the place's \`fields\` in the estate.`,
      );
    }
    kept[field] = value;
  }
  return { ...kept, [ownFields.version]: new Secret(version) };
}

/** Writes that make our part of the live document exactly the staged one, under the new tag: what is not staged goes. */
export function writesOf(
  staged: SecretDocument,
  version: string,
  tag: string,
  fields: FieldMap,
): FieldWrites {
  const writes: Record<string, Secret | null> = {};
  for (const [field, stored] of Object.entries(withEngineFields(fields)))
    writes[stored] = staged[field] ?? null;
  return {
    ...writes,
    ...oneWrite(ownFields.version, version, fields),
    ...oneWrite(ownFields.tag, tag, fields),
  };
}

/** A write of one of our fields. */
export function oneWrite(field: string, value: string, fields: FieldMap): FieldWrites {
  return { [withEngineFields(fields)[field] ?? field]: new Secret(value) };
}

/** Values as they travel in a request or a file. They leave `Secret` here: for the edge only. */
export function revealed(document: SecretDocument): Record<string, string> {
  return Object.fromEntries(Object.entries(document).map(([field, value]) => [field, value.reveal()]));
}

/** A staged copy as it was read back. */
export function asSecrets(raw: Readonly<Record<string, unknown>>): SecretDocument {
  return Object.fromEntries(Object.entries(raw).map(([field, value]) => [field, new Secret(String(value))]));
}

/** The raw document after the writes, everything of others as it was. The values leave `Secret` here: for the edge only. */
export function applyWrites(
  raw: Readonly<Record<string, unknown>> | null,
  writes: FieldWrites,
): Record<string, unknown> {
  const next: Record<string, unknown> = { ...raw };
  for (const [stored, value] of Object.entries(writes)) {
    if (value === null) delete next[stored];
    else next[stored] = value.reveal();
  }
  return next;
}

/**
 * True where both hold the same credential: every field that stands in both is equal, and one of them is more
 * than a user name, which several versions may share.
 */
export function sameCredential(a: SecretDocument, b: SecretDocument, fields: FieldMap): boolean {
  const shared = credentialFields(fields).filter((field) => a[field] && b[field]);
  return shared.some((field) => field !== "username") && differing(a, b, shared).length === 0;
}

/** Those of `names` whose values differ between the two documents; a field in only one of them differs. */
export function differing(a: SecretDocument, b: SecretDocument, names: readonly string[]): string[] {
  return names.filter((name) => {
    const left = a[name];
    const right = b[name];
    return left && right ? !left.equals(right) : left !== right;
  });
}
