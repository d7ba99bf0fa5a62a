/**
 * One credential as one object, because a user name from before a change and a password from after it are no
 * credential at all (H34). It is read in one call, replaced whole, and does not show its values by accident.
 */
import { Trouble } from "./trouble.js";

/**
 * Our word for a field to its name in the document, as the estate's `fields` says it: `{ username: "db_user" }`.
 * A field that is not named has our word for a name.
 */
export type FieldNames = Readonly<Record<string, string>>;

/** Fields that the engine adds to a document (docs/attestation.md). */
const versionField = "rekey_version";
const attestKeyField = "rekey_attest_key";
const tagField = "rekey_tag";

/** A shorter attestation key could be guessed from one answer. */
const attestKeyLengthMin = 32;

const versionShape = /^[\w.-]{1,128}$/;
const inspectHook = Symbol.for("nodejs.util.inspect.custom");

/**
 * A credential. `console.log`, `JSON.stringify` and string conversion show its version only; the values are
 * read from `username`, `password`, `attestKey` and `field(name)`.
 */
export class Credential {
  /** Which version this is; `null` for a document that the engine has not written yet. */
  readonly version: string | null;
  readonly #fields: ReadonlyMap<string, string>;
  readonly #names: FieldNames;

  constructor(fields: ReadonlyMap<string, string>, names: FieldNames = {}) {
    this.#fields = fields;
    this.#names = names;
    const version = this.field(versionField) ?? "";
    this.version = versionShape.test(version) ? version : null;
  }

  /** The login, or `null` for a credential that has none (a token). */
  get username(): string | null {
    return this.field("username");
  }

  get password(): string {
    return this.field("password") ?? "";
  }

  /**
   * Keys the answers to challenges. `null` when the document carries none that is fit for it: too short, or
   * the same as another field, which would make the endpoint an oracle for that field (H6).
   */
  get attestKey(): string | null {
    const key = this.field(attestKeyField);
    if (key === null || key.length < attestKeyLengthMin) return null;
    return [...this.#fields.values()].filter((value) => value === key).length === 1 ? key : null;
  }

  /** Any other field of the same document, `null` when it has none of that name. */
  field(word: string): string | null {
    return this.#fields.get(storedName(this.#names, word)) ?? null;
  }

  /** True when using one or the other makes no difference. The engine's fence tag may differ. */
  equals(other: Credential | null): boolean {
    if (other === null) return false;
    const tag = storedName(this.#names, tagField);
    const names = new Set([...this.#fields.keys(), ...other.#fields.keys()]);
    names.delete(tag);
    return [...names].every((name) => this.#fields.get(name) === other.#fields.get(name));
  }

  toJSON(): { version: string | null } {
    return { version: this.version };
  }

  toString(): string {
    return `Credential(${this.version ?? "no version"})`;
  }

  [inspectHook](): string {
    return this.toString();
  }
}

function storedName(names: FieldNames, word: string): string {
  return Object.hasOwn(names, word) ? (names[word] ?? word) : word;
}

/**
 * Makes a credential of a document: an object whose fields are texts (numbers and booleans are taken as texts,
 * nested values are left out). Throws `Trouble("unreadable")` when it is no object or holds no password.
 */
export function parseCredential(document: unknown, names: FieldNames = {}): Credential {
  if (typeof document !== "object" || document === null || Array.isArray(document)) {
    throw new Trouble("unreadable", "The document is not an object of fields.");
  }
  const fields = new Map<string, string>();
  for (const [name, value] of Object.entries(document)) {
    if (typeof value === "string") fields.set(name, value);
    else if (typeof value === "number" || typeof value === "boolean") fields.set(name, String(value));
  }
  const credential = new Credential(fields, names);
  if (credential.password === "") {
    throw new Trouble("unreadable", `The document has no field "${storedName(names, "password")}".`);
  }
  return credential;
}

/** The same for a document in JSON. The parser's own message is dropped: it quotes the text it choked on. */
export function parseCredentialJson(text: string, names: FieldNames = {}): Credential {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    throw new Trouble("unreadable", "The document is not JSON.");
  }
  return parseCredential(document, names);
}
