/**
 * Whose word counts at the moment of use: by the estate in force, without whoever asked or has just changed the
 * rules, and for an agreement only with a key that is still its person's (H7, H37).
 */
import { type Excluded, speaksFor } from "../domain/authority.js";
import type { DocumentPayload } from "../domain/documents.js";
import { RekeyError } from "../domain/errors.js";
import type { Estate } from "../domain/estate/types.js";
import type { SignOffs } from "../inventory/burning.js";
import { documentsOf } from "../inventory/decisions.js";
import { verifiedPayload } from "../inventory/signatures.js";
import type { ActivityDeps } from "./deps.js";

/** Owners among `asked` for whom each kept decision of a rotation, or of an adoption, speaks now. */
export async function speakersOf(
  { db, now }: Pick<ActivityDeps, "db" | "now">,
  estate: Estate,
  rotation: string,
  asked: readonly string[],
  excluded: Excluded,
): Promise<NonNullable<SignOffs["speaksFor"]>> {
  const at = now();
  const voided = new Set<string>();
  // To say no needs no key any more: somebody who said no has not said yes since.
  for (const { jti, jws, person, says } of await documentsOf(db, rotation))
    if (says === "approve" && (await signedNow(estate, jws))?.person !== person) voided.add(jti);
  return (person, decision) => (voided.has(decision) ? [] : speaksFor(estate, person, asked, at, excluded));
}

/** What a kept document says, where a key that is its person's now has signed it; null where none has. */
export async function signedNow(estate: Estate, jws: string): Promise<DocumentPayload | null> {
  try {
    return await verifiedPayload(estate, jws);
  } catch (error) {
    if (error instanceof RekeyError && error.code === "decision-refused") return null;
    throw error;
  }
}
