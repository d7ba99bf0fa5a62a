/** Takes in what a person signed: verified here and not in the workflow, so that nobody who runs Temporal can forge it (H7). */
import { speaksFor } from "../domain/authority.js";
import { declarable, declarationDigest } from "../domain/declaration.js";
import { type DocumentPayload, objectionTo, objectionToConfirmation } from "../domain/documents.js";
import { RekeyError } from "../domain/errors.js";
import type { RotationEvent } from "../domain/rotation/events.js";
import { foldAll } from "../domain/rotation/fold.js";
import type { Answered, DocumentRequest } from "../domain/rotation/work.js";
import { recordDecision } from "../inventory/decisions.js";
import { appendEvent } from "../inventory/events.js";
import { verifiedPayload } from "../inventory/signatures.js";
import { framed } from "./calls.js";
import type { ActivityDeps } from "./deps.js";
import { heldBy } from "./run-check.js";
import { signIncidents, signingOwners } from "./sign-off.js";
import { excludedFor } from "./surveyor.js";

/** The activity `verify`. A document that does not count is answered with the reason, and leaves no trace in the state. */
export function verifyActivity(deps: ActivityDeps) {
  return ({ state: given, document }: DocumentRequest): Promise<Answered> =>
    framed(async () => {
      const { record, state } = await heldBy(deps, given);
      const systems = await deps.systems(state.credential);
      try {
        const payload = await verifiedPayload(systems.estate, document);
        const now = deps.now();
        const plans = [state.plan, ...state.amendments].flatMap((plan) => (plan ? [plan.digest] : []));
        const live = declarable(state).map((version) => declarationDigest(state, version));
        const digests = [...plans, ...(payload.says === "approve" ? live : [])];
        const objection = objectionTo(
          payload,
          { installation: deps.installation, rotation: state.id, nonce: state.nonce, digests },
          now,
        );
        if (objection !== null) throw new RekeyError("decision-refused", objection);
        const excluded = await excludedFor(deps, systems, record);
        if (
          payload.says === "approve" &&
          [excluded.requestedBy, ...excluded.recentEditors].includes(payload.person)
        ) {
          const why = "whoever asked for the rotation or has just changed its rules cannot agree to it";
          throw new RekeyError("decision-refused", `${payload.person} does not count: ${why}.`);
        }
        const counts = payload.says === "approve" || payload.says === "reject";
        // What the policy says bounds what the signer wrote; the engine does not rely on the signer's program.
        const { issuedAt } = payload;
        const expiresAt = counts
          ? Math.min(payload.expiresAt, issuedAt + systems.policy.approval.validForMs)
          : payload.expiresAt;
        if (expiresAt <= now) throw new RekeyError("decision-refused", "It has expired.");
        // To say no, or to say what a consumer holds, everybody who may speak is heard; to agree, not those who asked.
        const barred = payload.says === "approve" ? excluded : undefined;
        const owners = speaksFor(systems.estate, payload.person, ownersFor(payload), now, barred);
        if (owners.length === 0)
          throw new RekeyError("decision-refused", `${payload.person} may not decide on this.`);
        if (payload.says === "confirm") {
          // What was delivered is read from the records, like everything else that a word depends on (H7).
          const { target, places } = foldAll(record.initial, record.events);
          const consumer = systems.consumers.find(({ id }) => id === payload.consumer);
          const untimely = objectionToConfirmation(payload, target, consumer && places[consumer.place]);
          if (untimely !== null) throw new RekeyError("decision-refused", untimely);
        }
        const { repeated } = await recordDecision(deps.db, {
          jti: payload.id,
          rotation: state.id,
          credential: state.credential,
          digest: payload.digest,
          person: payload.person,
          says: payload.says,
          consumer: payload.consumer ?? null,
          owners,
          jws: document,
          issuedAt,
          expiresAt,
          receivedAt: now,
        });
        if (payload.says === "sign-off") await signIncidents(deps, state.credential, payload.id, now);
        // By what the run knows: an attempt whose answer was lost has told the records, and not the run.
        const known = given.decisions.some((decision) => decision.id === payload.id);
        const events: RotationEvent[] = [];
        if (counts && !known) {
          const { id, person, digest } = payload;
          const verdict = payload.says === "approve" ? "approve" : "reject";
          events.push({
            type: "decided",
            at: now,
            decision: { id, person, digest, verdict, owners, issuedAt, expiresAt },
          });
          for (const event of events)
            await appendEvent(deps.db, state.id, state.epoch, event, `decision:${id}`);
        }
        const sentence = `${payload.person}: ${payload.says}${repeated ? ", as said before" : ""}.`;
        return { events, accepted: true, sentence };
      } catch (error) {
        if (error instanceof RekeyError && error.code === "decision-refused") {
          return { events: [], accepted: false, sentence: error.message };
        }
        throw error;
      }

      function ownersFor(payload: DocumentPayload): string[] {
        if (payload.says !== "confirm") {
          // An amendment asks the owners of what it adds, who need not be the credential's.
          const amendment = state.amendments.find(({ digest }) => digest === payload.digest);
          return [...signingOwners(systems), ...(amendment?.approvers ?? [])];
        }
        // Only its own owner knows what a consumer holds; nobody else's word stands in for theirs.
        return systems.consumers.filter(({ id }) => id === payload.consumer).map(({ owner }) => owner);
      }
    });
}
