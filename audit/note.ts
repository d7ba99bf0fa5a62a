/**
 * Signed notes in the C2SP format (signed-note, as Go's `sumdb/note` reads and writes them): a text, a blank
 * line, and a line for each signature. A program that was not written here can check what this one signed.
 */
import { createPublicKey, hash, verify as verifySignature } from "node:crypto";
import { RekeyError } from "../domain/errors.js";

/** An Ed25519 key that signs; the private half is behind `sign`. */
export interface Signer {
  /** Without spaces and `+`; for a log, its origin. */
  readonly name: string;
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  sign(message: Uint8Array): Promise<Uint8Array>;
}

/** The public half of a signer's key. */
export type Verifier = Pick<Signer, "name" | "publicKey">;

/** The algorithm's number in the format. */
const ed25519 = 1;
const keyHashBytes = 4;
const signatureBytes = 64;
const namePattern = /^[^\s+]+$/u;
/** What Node needs before 32 bytes to take them for an Ed25519 key (RFC 8410). */
const derPrefix = Buffer.from("302a300506032b6570032100", "hex");

/** The key as one line of text, `name+hash+key`, which is what other programs take. */
export function verifierText({ name, publicKey }: Verifier): string {
  const id = keyHash({ name, publicKey }).toString("hex");
  return `${name}+${id}+${Buffer.concat([Buffer.of(ed25519), publicKey]).toString("base64")}`;
}

/** The key that such a line names. Throws `bad-input`. */
export function parseVerifier(text: string): Verifier {
  const [name = "", id = "", ...rest] = text.trim().split("+");
  const key = Buffer.from(rest.join("+"), "base64");
  const verifier = { name, publicKey: key.subarray(1) };
  const good = namePattern.test(name) && key.length === 33 && key[0] === ed25519;
  if (!good || keyHash(verifier).toString("hex") !== id) {
    throw new RekeyError(
      "bad-input",
      "The text is no key of a signed note.",
      "It has the form name+hash+key.",
    );
  }
  return verifier;
}

/** The note: the text with this key's signature. The text ends with a newline. Throws `bad-input` for another text. */
export async function signNote(text: string, signer: Signer): Promise<string> {
  if (!text.endsWith("\n") || !namePattern.test(signer.name)) {
    throw new RekeyError("bad-input", "The text or the name cannot stand in a signed note.");
  }
  const signature = await signer.sign(Buffer.from(text));
  const line = Buffer.concat([keyHash(signer), signature]).toString("base64");
  return `${text}\n— ${signer.name} ${line}\n`;
}

/** The text of a note that this key signed, or null: no note, no signature of the key, or one that does not verify. */
export function openNote(note: string, verifier: Verifier): string | null {
  const cut = note.lastIndexOf("\n\n");
  if (cut === -1 || !note.endsWith("\n")) return null;
  const text = note.slice(0, cut + 1);
  const lines = note.slice(cut + 2, -1).split("\n");
  const key = createPublicKey({
    key: Buffer.concat([derPrefix, verifier.publicKey]),
    format: "der",
    type: "spki",
  });
  const id = keyHash(verifier);
  for (const line of lines) {
    const [, name, base64 = ""] = /^— (\S+) (\S+)$/u.exec(line) ?? [];
    const bytes = Buffer.from(base64, "base64");
    if (name !== verifier.name || !bytes.subarray(0, keyHashBytes).equals(id)) continue;
    const signature = bytes.subarray(keyHashBytes);
    if (signature.length !== signatureBytes) return null;
    return verifySignature(null, Buffer.from(text), key, signature) ? text : null;
  }
  return null;
}

function keyHash({ name, publicKey }: Verifier): Buffer {
  const bytes = Buffer.concat([Buffer.from(`${name}\n`), Buffer.of(ed25519), publicKey]);
  return hash("sha256", bytes, "buffer").subarray(0, keyHashBytes);
}
