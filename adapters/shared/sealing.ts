/** Documents as bytes on disk: JSON, and inside age where the estate asks for it. */
import { RekeyError } from "../../domain/errors.js";
import type { AdapterDeps, Call } from "../ports.js";
import type { DiskConfig } from "./disk-settings.js";

/** Loaded where it is used: most estates have nothing sealed with it, and every command knows every kind. */
const agePackage = () => import("age-encryption");

/** A document's fields as they stand in the file. */
export type RawDocument = Readonly<Record<string, unknown>>;

/** One way of writing documents. */
export interface Sealing {
  /** Ending of the names of staged copies. */
  readonly extension: string;
  seal(document: RawDocument): Promise<Uint8Array>;
  /** The document in the bytes; throws `unsupported` when it cannot be had, without a word of what is there. */
  open(bytes: Uint8Array, path: string, call: Call): Promise<RawDocument>;
}

/** Readable by whoever may read the file. */
export const plainSealing: Sealing = {
  extension: "json",
  seal: async (document) => Buffer.from(toText(document), "utf8"),
  open: async (bytes, path) => toDocument(Buffer.from(bytes).toString("utf8"), path),
};

/** Readable by the holders of the recipients' keys. The engine's key is resolved anew each time, so that it can rotate. */
export function ageSealing(age: NonNullable<DiskConfig["age"]>, deps: AdapterDeps): Sealing {
  return {
    extension: "age",
    seal: async (document) => {
      const { armor, Encrypter } = await agePackage();
      const encrypter = new Encrypter();
      for (const recipient of age.recipients) encrypter.addRecipient(recipient);
      return Buffer.from(armor.encode(await encrypter.encrypt(toText(document))), "utf8");
    },
    open: async (bytes, path, call) => {
      const keys = (await deps.resolve(age.identity, call)).reveal();
      return toDocument(await decrypted(bytes, keys, path), path);
    },
  };
}

/** `keys` is a key, or a key file as `age-keygen` writes it, with comments. */
async function decrypted(bytes: Uint8Array, keys: string, path: string): Promise<string> {
  const { armor, Decrypter } = await agePackage();
  try {
    const decrypter = new Decrypter();
    for (const line of keys.split("\n")) {
      if (line.startsWith("AGE-SECRET-KEY-")) decrypter.addIdentity(line.trim());
    }
    const text = Buffer.from(bytes).toString("utf8");
    const binary = text.startsWith("-----BEGIN AGE") ? armor.decode(text) : bytes;
    return await decrypter.decrypt(binary, "text");
  } catch {
    throw new RekeyError(
      "unsupported",
      `${path} cannot be decrypted with the engine's age identity.`,
      "Check `age.identity`; its public key must be among `age.recipients`.",
    );
  }
}

function toText(document: RawDocument): string {
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** A parser's own message quotes the text, which may hold a value; so it is dropped. */
function toDocument(text: string, path: string): RawDocument {
  let value: unknown;
  try {
    value = JSON.parse(text, keepNumber);
  } catch {
    value = null;
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as RawDocument;
  throw new RekeyError("unsupported", `${path} does not hold one JSON object.`);
}

/** Others' numbers are written back as they were read, also those that JavaScript cannot hold exactly. */
function keepNumber(_key: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== "number" || context?.source === undefined || String(value) === context.source)
    return value;
  return (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(context.source);
}
