/**
 * Decisions that come over the network. The signature is what authenticates one, so anybody may send it; it is
 * checked here by the estate's keys before it costs a rotation anything, and again by the engine, whose word it is.
 */
import { RekeyError } from "../../domain/errors.js";
import { verifiedPayload } from "../../inventory/signatures.js";
import type { Services } from "../cli/deps.js";
import { type Sent, send } from "../cli/signing.js";

/** What taking in a decision needs. */
export interface DoorDeps {
  readonly services: Pick<Services, "installation" | "inventory" | "rotations">;
  /** Called once the signature holds, before anything is sent on; throws when this person sends too much. */
  admit(person: string): void;
}

/**
 * Takes in one signed document and answers with what the engine said; the very same one again is answered alike.
 * Throws `decision-refused` with the reason when it does not count, `already-closed`, and `unreachable`.
 */
export async function takeDecision({ services, admit }: DoorDeps, document: string): Promise<Sent> {
  const { inventory, rotations, installation } = services;
  const estate = await inventory.shared();
  if (estate === null) throw new RekeyError("decision-refused", "No estate was applied here yet.");
  const payload = await verifiedPayload(estate, document);
  admit(payload.person);
  if (payload.installation !== installation) {
    throw new RekeyError("decision-refused", "It was signed for another installation.");
  }
  if (payload.says === "emergency") {
    const hint = "Report a leak with `rekey rotate --emergency`, or `rekey expedite`.";
    throw new RekeyError("bad-input", "A report of a leak is no decision on a rotation.", hint);
  }
  const record = await inventory.rotation(payload.rotation).catch((failure: unknown) => {
    const absent = failure instanceof RekeyError && failure.code === "not-found";
    throw absent ? new RekeyError("decision-refused", "It was signed for another rotation.") : failure;
  });
  if (record.closedAt === null) return send({ rotations }, record.workflowId, document);
  const kept = await inventory.document(payload.id);
  if (kept?.jws === document) {
    const sentence = `${payload.person}: ${payload.says}, as said before. The rotation has ended.`;
    return { accepted: true, answered: true, id: payload.id, sentence };
  }
  if (payload.says !== "sign-off") throw new RekeyError("already-closed");
  const receipt = await rotations.signOff(record.credential, document);
  if (!receipt.accepted) throw new RekeyError("decision-refused", receipt.sentence);
  return { ...receipt, id: payload.id, answered: true };
}
