/** Takes in the report of a leak: who says so, on what evidence, and which versions it is about (H25, H37). */
import { personOf, speaksFor } from "../domain/authority.js";
import { RekeyError } from "../domain/errors.js";
import { leakedBy } from "../domain/incident.js";
import type { RotationEvent } from "../domain/rotation/events.js";
import type { Emergency, RotationState } from "../domain/rotation/state.js";
import type { Answered, EmergencyReport } from "../domain/rotation/work.js";
import { recordDecision } from "../inventory/decisions.js";
import { appendEvent } from "../inventory/events.js";
import { versionsMatching } from "../inventory/fingerprints.js";
import { recordIncident } from "../inventory/incidents.js";
import { framed } from "./calls.js";
import type { ActivityDeps, Systems } from "./deps.js";
import { checkRun } from "./run-check.js";
import { verifiedPayload } from "./signatures.js";

/** Without evidence that the value is ours, one person's word is not enough to revoke. */
const respondersWithoutEvidence = 2;

type Incident = Extract<RotationEvent, { type: "incident" }>;

/** The activity `report`: an emergency in a rotation that runs. */
export function reportActivity(deps: ActivityDeps) {
  return ({ state, report }: { state: RotationState; report: EmergencyReport }): Promise<Answered> =>
    framed(async () => {
      await checkRun(deps, state);
      const systems = await deps.systems(state.credential);
      try {
        const { event, sentence } = await incidentOf(deps, systems, state, report);
        await appendEvent(deps.db, state.id, state.epoch, event);
        return { events: [event], accepted: true, sentence };
      } catch (error) {
        if (error instanceof RekeyError && error.code === "decision-refused") {
          return { events: [], accepted: false, sentence: error.message };
        }
        throw error;
      }
    });
}

/** The incident that a report makes of this rotation. Throws `decision-refused` when nobody with authority stands behind it. */
export async function incidentOf(
  deps: ActivityDeps,
  systems: Systems,
  state: RotationState,
  report: EmergencyReport,
): Promise<{ readonly event: Incident; readonly sentence: string }> {
  const now = deps.now();
  const responders = await respondersOf(deps, systems, state, report, now);
  const matched = report.evidence === null ? [] : await versionsMatching(deps.db, report.evidence);
  const needed = matched.length > 0 ? 1 : respondersWithoutEvidence;
  if (responders.length < needed) {
    throw new RekeyError(
      "decision-refused",
      `The report needs ${needed} responder(s) and has ${responders.length}.`,
      "Have a second responder sign it, or give the leaked value with --value-from, so that it can be matched.",
    );
  }
  const leaked = versionsOf(
    report,
    matched.map((match) => match.version),
    state,
  );
  const emergency: Emergency = {
    reason: report.reason,
    containment: report.containment ?? systems.rules.containment,
    startedAt: now,
    containBy: now + systems.rules.containmentDeadlineMs,
    signOffBy: now + systems.rules.signOffDeadlineMs,
    responders,
  };
  await recordIncident(deps.db, {
    id: deps.newId("inc"),
    credential: state.credential,
    rotation: state.id,
    reason: report.reason,
    reportedBy: responders.join(", "),
    at: now,
    matched: leaked,
    signOffBy: emergency.signOffBy,
  });
  const event: Incident = {
    type: "incident",
    at: now,
    leaked,
    containment: emergency.containment,
    emergency,
  };
  return { event, sentence: `Emergency: ${leaked.length} version(s) are treated as leaked.` };
}

async function respondersOf(
  deps: ActivityDeps,
  systems: Systems,
  state: RotationState,
  report: EmergencyReport,
  now: number,
): Promise<string[]> {
  const allowed = systems.policy.responders;
  const persons = new Set<string>();
  for (const document of report.documents) {
    const payload = await verifiedPayload(systems.estate, document);
    const { says, installation, credential, digest, expiresAt, person } = payload;
    const mine = says === "emergency" && installation === deps.installation && credential === systems.name;
    if (!mine || digest !== deps.sha256Hex(report.reason)) {
      throw new RekeyError("decision-refused", `What ${person} signed is another report.`);
    }
    if (expiresAt <= now) throw new RekeyError("decision-refused", `What ${person} signed has expired.`);
    const may =
      allowed.length === 0
        ? personOf(systems.estate, person) !== undefined
        : speaksFor(systems.estate, person, allowed, now).length > 0;
    if (!may) throw new RekeyError("decision-refused", `${person} is no responder for this credential.`);
    await recordDecision(deps.db, {
      jti: payload.id,
      rotation: state.id,
      credential: state.credential,
      digest,
      person,
      says,
      consumer: null,
      owners: [],
      jws: document,
      issuedAt: payload.issuedAt,
      expiresAt,
      receivedAt: now,
    });
    persons.add(person);
  }
  return [...persons].sort();
}

/** `old` and `new` are words for people; what matched nothing may be anything, so everything that lives counts. */
function versionsOf(report: EmergencyReport, matched: readonly string[], state: RotationState): string[] {
  if (report.leaked === "unknown") return leakedBy({ kind: "unknown" }, state);
  const ids = report.leaked.map((word) =>
    word === "old" ? state.origin : word === "new" ? state.target : word,
  );
  return leakedBy({ kind: "versions", ids: [...ids, ...matched] }, state);
}
