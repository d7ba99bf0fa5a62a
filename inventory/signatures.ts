/** Signatures of people: a document counts when a key that the estate gives to its person has signed it (H7). */
import { compactVerify, decodeJwt, errors, importJWK } from "jose";
import { z } from "zod";
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
      return shaped(payload);
    } catch (error) {
      // Not this key, or no document of ours; anything but the library's own refusals is a fault of ours.
      if (!isRefusal(error)) throw error;
    }
  }
  throw refused(`None of the keys of ${claimed} has signed it.`);
}

const time = z.int().nonnegative();
const word = z.string().min(1).max(256);

/** The payload as we write it; a signature over anything else is a signature over something else. */
const payloadSchema = z.strictObject({
  form: z.literal("rekey-decision/1"),
  installation: word,
  credential: word,
  rotation: z.string().max(256),
  nonce: z.string().max(256),
  digest: word,
  says: z.enum(["approve", "reject", "confirm", "emergency", "sign-off", "restored"]),
  consumer: word.optional(),
  version: word.optional(),
  person: word,
  issuedAt: time,
  expiresAt: time,
  id: word,
});

function shaped(bytes: Uint8Array): DocumentPayload {
  const parsed = payloadSchema.safeParse(JSON.parse(new TextDecoder().decode(bytes)));
  if (!parsed.success) throw refused("It does not have the form of a decision.");
  const { consumer, version, ...payload } = parsed.data;
  return {
    ...payload,
    ...(consumer === undefined ? {} : { consumer }),
    ...(version === undefined ? {} : { version }),
  };
}

/** The id that a document gives itself, or null; nothing is verified here, so it is good for a look-up only. */
export function claimedId(document: string): string | null {
  try {
    const { id } = decodeJwt<{ id?: unknown }>(document);
    return typeof id === "string" ? id : null;
  } catch {
    return null;
  }
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

/** A wrong signature, another algorithm (`none` is one), a header that is none: all that somebody may send. */
function isRefusal(error: unknown): boolean {
  return error instanceof errors.JOSEError;
}

function refused(detail: string): RekeyError {
  return new RekeyError("decision-refused", detail);
}
