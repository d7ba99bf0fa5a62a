/** Signatures of people: a document counts when a key that the estate gives to its person has signed it (H7). */
import { compactVerify, decodeJwt, importJWK } from "jose";
import { personOf } from "../domain/authority.js";
import type { DocumentPayload } from "../domain/documents.js";
import { RekeyError } from "../domain/errors.js";
import type { Estate } from "../domain/estate/types.js";

/** Long enough for every document of ours, short enough to cost nothing. */
const charactersMax = 8_192;

/** The payload of a document whose signature holds. Throws `decision-refused` with the reason otherwise. */
export async function verifiedPayload(estate: Estate, document: string): Promise<DocumentPayload> {
  const claimed = claimedPerson(document);
  const person = personOf(estate, claimed);
  if (!person) throw refused(`The estate knows no person ${claimed}.`);
  for (const { kty, crv, x } of person.keys) {
    const key = await importJWK({ kty, crv, x }, "EdDSA");
    try {
      const { payload } = await compactVerify(document, key, { algorithms: ["EdDSA"] });
      return JSON.parse(new TextDecoder().decode(payload)) as DocumentPayload;
    } catch (error) {
      // Not this key; the next one may be the one. Anything but a wrong signature is a fault of ours.
      if (!isWrongSignature(error)) throw error;
    }
  }
  throw refused(`None of the keys of ${claimed} has signed it.`);
}

function claimedPerson(document: string): string {
  if (document.length > charactersMax) throw refused("It is too long to be a decision.");
  try {
    const { person } = decodeJwt<{ person?: unknown }>(document);
    if (typeof person === "string") return person;
  } catch {
    throw refused("It is not a signed document.");
  }
  throw refused("It names nobody.");
}

function isWrongSignature(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ERR_JWS_SIGNATURE_VERIFICATION_FAILED";
}

function refused(detail: string): RekeyError {
  return new RekeyError("decision-refused", detail);
}
