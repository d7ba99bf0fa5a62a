/** What is refused before AWS is asked, said once for every method. */
import { RekeyError } from "../../../domain/errors.js";
import type { SecretDocument } from "../../ports.js";
import { slots } from "./config.js";

/** The slot that is meant. Throws `bad-input` for one that is none of the two. */
export function slotIn({ slot }: { readonly slot: string }): string {
  if (slots.some((one) => one === slot)) return slot;
  throw new RekeyError("bad-input", `${slot} is not a slot of an IAM user: those are a and b.`);
}

/** The id of the document's key. Throws `value-missing` for a document that lacks a part. */
export function idIn(document: SecretDocument, slot: string): string {
  const { username, password } = document;
  if (username === undefined || password === undefined)
    throw new RekeyError(
      "value-missing",
      `The document for ${slot} lacks the access key's id or its secret.`,
    );
  return username.reveal();
}

/** For a key of which AWS says that the kept secret is not its own. */
export function anotherSecret(slot: string): RekeyError {
  return new RekeyError(
    "conflict",
    `AWS says that the access key of slot ${slot} has another secret than the one that was kept.`,
  );
}
