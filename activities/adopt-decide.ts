/**
 * Takes in what a person signed about an adoption. It is the same kind of document that rotations use, with the
 * same checks; a rejection before the first step ends the request (H7, H37).
 */

import { type AdoptionRecord, adoptionStanding } from "../domain/adopt-plan.js";
import { speaksFor } from "../domain/authority.js";
import { objectionTo } from "../domain/documents.js";
import { RekeyError } from "../domain/errors.js";
import type { Answered } from "../domain/rotation/work.js";
import { adoptionWith, closeAdoption } from "../inventory/adoptions.js";
import { recordDecision } from "../inventory/decisions.js";
import { verifiedPayload } from "../inventory/signatures.js";
import type { AdoptedCredential, AdoptionDeps } from "./adopt-open.js";
import { excludedFor } from "./surveyor.js";

/** What the engine makes of it. A document that does not count is answered with the reason, and is not kept. */
export async function decideAdoption(
  deps: AdoptionDeps,
  credential: AdoptedCredential,
  adoption: string,
  document: string,
): Promise<Pick<Answered, "accepted" | "sentence">> {
  try {
    return { accepted: true, sentence: await take(deps, credential, adoption, document) };
  } catch (error) {
    if (error instanceof RekeyError && error.code === "decision-refused") {
      return { accepted: false, sentence: error.message };
    }
    throw error;
  }
}

async function take(
  deps: AdoptionDeps,
  credential: AdoptedCredential,
  adoption: string,
  document: string,
): Promise<string> {
  const now = deps.now();
  const record = await adoptionWith(deps.db, adoption);
  const payload = await verifiedPayload(credential.estate, document);
  const { says, person, digest, issuedAt, id: jti } = payload;
  if (record.closedAt !== null) throw refused("The adoption has ended.");
  if (says !== "approve" && says !== "reject") throw refused("It says nothing about an adoption.");
  const { installation } = deps;
  const { nonce } = record.plan;
  const expected = { installation, rotation: record.id, nonce, digests: [record.digest] };
  const objection =
    payload.credential === credential.name
      ? objectionTo(payload, expected, now)
      : "It was signed for another credential.";
  if (objection !== null) throw refused(objection);
  const excluded = await excludedFor(deps, credential, record);
  if (says === "approve" && [excluded.requestedBy, ...excluded.recentEditors].includes(person)) {
    throw refused(
      `${person} does not count: whoever asked for the adoption or has just changed its rules cannot agree to it.`,
    );
  }
  // What the policy says bounds what the signer wrote.
  const expiresAt = Math.min(payload.expiresAt, issuedAt + credential.policy.approval.validForMs);
  if (expiresAt <= now) throw refused("It has expired.");
  const { approvers } = record.plan.approval;
  const barred = says === "approve" ? excluded : undefined;
  const owners = speaksFor(credential.estate, person, approvers, now, barred);
  if (owners.length === 0) throw refused(`${person} may not decide on this.`);
  const about = { jti, rotation: record.id, credential: credential.id, digest, person, says };
  const { repeated } = await recordDecision(deps.db, {
    ...about,
    consumer: null,
    owners,
    jws: document,
    issuedAt,
    expiresAt,
    receivedAt: now,
  });
  await endWhereRejected(deps, await adoptionWith(deps.db, adoption));
  return `${person}: ${says}${repeated ? ", as said before" : ""}.`;
}

/** After its first step a rejection stops an adoption where it is; only the way back is open then. */
async function endWhereRejected(deps: AdoptionDeps, record: AdoptionRecord): Promise<void> {
  const standing = adoptionStanding(record, deps.now());
  if (standing.is !== "vetoed" || record.begunAt !== null) return;
  await closeAdoption(deps.db, record.id, "refused", `${standing.by} rejected the plan.`, deps.now());
}

function refused(detail: string): RekeyError {
  return new RekeyError("decision-refused", detail);
}
