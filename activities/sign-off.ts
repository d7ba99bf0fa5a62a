/** Owners sign afterwards for what an emergency did without them, also when its rotation has long ended (H37). */

import { speaksFor } from "../domain/authority.js";
import { count } from "../domain/count.js";
import { clockSkewMs } from "../domain/documents.js";
import { RekeyError } from "../domain/errors.js";
import type { Answered } from "../domain/rotation/work.js";
import { decisionWith, recordDecision } from "../inventory/decisions.js";
import { listIncidents, signOffIncident } from "../inventory/incidents.js";
import { verifiedPayload } from "../inventory/signatures.js";
import { askedOwners } from "./approvers.js";
import type { ActivityDeps, Systems } from "./deps.js";

/** Owners who may sign for the credential: its own, and those that its policy asks. */
export function signingOwners(systems: Systems): string[] {
  return [...askedOwners(systems), ...(systems.owner === null ? [] : [systems.owner])];
}

/**
 * Notes a kept signature on the credential's incidents that were known when it was signed and that nobody
 * signed yet. Answers with the number of those that it signs, the same each time: later ones need another (H37).
 * Throws `decision-refused` when there are only later ones.
 */
export async function signIncidents(
  deps: Pick<ActivityDeps, "db">,
  credential: string,
  decision: string,
  now: number,
): Promise<number> {
  const kept = await decisionWith(deps.db, decision);
  const until = kept === null ? 0 : Math.min(kept.issuedAt, kept.receivedAt);
  for (const { id, at } of await listIncidents(deps.db, { credential, unsigned: true })) {
    if (at <= until) await signOffIncident(deps.db, id, decision, now);
  }
  const all = await listIncidents(deps.db, { credential });
  const signed = all.filter(({ signedOffWith }) => signedOffWith === decision).length;
  if (signed === 0 && all.some(({ signedOffAt }) => signedOffAt === null)) {
    throw new RekeyError("decision-refused", "It is older than every open report; read them and sign again.");
  }
  return signed;
}

/** Takes in a sign-off outside a rotation. Answers with the reason when it does not count. */
export async function takeSignOff(
  deps: ActivityDeps,
  credential: string,
  document: string,
): Promise<Pick<Answered, "accepted" | "sentence">> {
  const systems = await deps.systems(credential);
  const now = deps.now();
  try {
    const payload = await verifiedPayload(systems.estate, document);
    const { id: jti, rotation, digest, person, says, issuedAt, expiresAt } = payload;
    const bound =
      says === "sign-off" &&
      payload.installation === deps.installation &&
      payload.credential === systems.name;
    if (!bound) throw new RekeyError("decision-refused", "It signs something else off.");
    if (issuedAt > now + clockSkewMs) throw new RekeyError("decision-refused", "It is dated in the future.");
    if (expiresAt <= now) throw new RekeyError("decision-refused", "It has expired.");
    const owners = speaksFor(systems.estate, person, signingOwners(systems), now);
    if (owners.length === 0)
      throw new RekeyError("decision-refused", `${person} may not sign for this credential.`);
    const reported = await listIncidents(deps.db, { credential });
    if (rotation !== "" && !reported.some((incident) => incident.rotation === rotation))
      throw new RekeyError("decision-refused", "It was signed for another rotation.");
    const about = { rotation: rotation === "" ? null : rotation, credential, digest, consumer: null };
    const kept = { jti, ...about, person, says, owners };
    await recordDecision(deps.db, { ...kept, jws: document, issuedAt, expiresAt, receivedAt: now });
    const signed = await signIncidents(deps, credential, jti, now);
    return { accepted: true, sentence: `${person} has signed ${count(signed, "report")} off.` };
  } catch (error) {
    if (error instanceof RekeyError && error.code === "decision-refused") {
      return { accepted: false, sentence: error.message };
    }
    throw error;
  }
}
