/** Checkpoints in the C2SP format (tlog-checkpoint): the log's name, its size and its root, signed as a note. */
import { RekeyError } from "../domain/errors.js";
import { hashBytes } from "./hash.js";
import { openNote, type Signer, signNote, type Verifier } from "./note.js";
import type { Head } from "./proofs.js";

/** What a checkpoint says: this log, with so many entries, had this root. */
export interface Checkpoint extends Head {
  readonly origin: string;
}

/** The checkpoint as a signed note; the key's name is the log's. */
export async function signCheckpoint({ size, root }: Head, signer: Signer): Promise<string> {
  return signNote(`${signer.name}\n${size}\n${Buffer.from(root).toString("base64")}\n`, signer);
}

/**
 * The checkpoint in a signed note. Throws `audit-broken` unless the key signed it, and it is of the log that has
 * the key's name. `source` names it in the sentence.
 */
export function openCheckpoint(note: string, verifier: Verifier, source = "the checkpoint"): Checkpoint {
  const text = openNote(note, verifier);
  if (text === null) {
    throw new RekeyError("audit-broken", unsignedSentence(source, verifier));
  }
  const checkpoint = parseCheckpoint(text);
  if (checkpoint?.origin !== verifier.name) {
    throw new RekeyError("audit-broken", `The signed note is no checkpoint of ${verifier.name}.`);
  }
  return checkpoint;
}

/** That somebody else signed it, as a sentence. */
export function unsignedSentence(source: string, { name }: Verifier): string {
  return `${source.charAt(0).toUpperCase()}${source.slice(1)} was not signed by the key of ${name}.`;
}

/** The name of the log that a signed checkpoint says it is of; null for a text that is none. Nothing is verified. */
export function claimedOrigin(note: string): string | null {
  const [text, signatures = ""] = note.split("\n\n");
  const signed = /^(— \S+ \S+\n)+$/u.test(signatures);
  return text === undefined || !signed ? null : (parseCheckpoint(`${text}\n`)?.origin ?? null);
}

function parseCheckpoint(text: string): Checkpoint | null {
  const [origin = "", size = "", base64 = ""] = text.split("\n");
  const root = Buffer.from(base64, "base64");
  const good = origin !== "" && /^(0|[1-9]\d{0,14})$/.test(size) && root.toString("base64") === base64;
  return good && root.length === hashBytes ? { origin, size: Number(size), root } : null;
}
