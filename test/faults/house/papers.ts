/** What the harness's persons sign: decisions, reports of a leak, and that restored records are gone on with. */
import { signDocument } from "../../../client/documents.js";
import type { DocumentPayload } from "../../../domain/documents.js";
import { newId } from "../../../worker/installation.js";
import type { Lane } from "./lane.js";

const validForMs = 3_600_000;
const ownerSigned = new WeakSet<Lane>();

/** Whether the lane's owner has signed anything since a case began. */
export function ownerHasSigned(lane: Lane): boolean {
  return ownerSigned.has(lane);
}

/** A case begins. */
export function forgetSignatures(lane: Lane): void {
  ownerSigned.delete(lane);
}

/** A document that says so, with the signature of one of the lane's persons. */
export function signed(
  lane: Lane,
  person: string,
  said: Pick<DocumentPayload, "says" | "rotation" | "nonce" | "digest"> & { readonly credential?: string },
): Promise<string> {
  const { keys, installation } = lane;
  const key = keys[person];
  if (key === undefined) throw new Error(`nobody is called ${person}`);
  if (person === "owner") ownerSigned.add(lane);
  const now = Date.now();
  return signDocument(
    {
      form: "rekey-decision/1",
      installation,
      credential: "orders-db",
      ...said,
      person,
      issuedAt: now,
      expiresAt: now + validForMs,
      id: newId("doc"),
    },
    key,
  );
}
