/** Takes in the report of a leak: who says so, on what evidence, and which versions it is about (H25, H37). */

import { speaksFor } from "../domain/authority.js";
import { count } from "../domain/count.js";
import { type DocumentPayload, reportText } from "../domain/documents.js";
import { RekeyError } from "../domain/errors.js";
import { leakedBy } from "../domain/incident.js";
import { canonical } from "../domain/plan.js";
import type { RotationEvent } from "../domain/rotation/events.js";
import { foldAll } from "../domain/rotation/fold.js";
import { plannedVersion } from "../domain/rotation/moves.js";
import type { Emergency, RotationState, VersionState } from "../domain/rotation/state.js";
import type { Answered, EmergencyReport } from "../domain/rotation/work.js";
import { stricter } from "../domain/stricter.js";
import { isLive } from "../domain/version.js";
import { decisionWith, recordDecision } from "../inventory/decisions.js";
import { appendEvent } from "../inventory/events.js";
import { versionsMatching } from "../inventory/fingerprints.js";
import { incidentWith, listIncidents, recordIncident } from "../inventory/incidents.js";
import { loadRotation, rotationOf } from "../inventory/rotations.js";
import { claimedId, verifiedPayload } from "../inventory/signatures.js";
import { versionsOf as everyVersionOf } from "../inventory/versions.js";
import { callWithin, framed } from "./calls.js";
import type { ActivityDeps, Systems } from "./deps.js";
import { secretValues } from "./documents.js";
import { ownersAddresses, tell } from "./notices.js";
import { heldBy } from "./run-check.js";

/** Without evidence that the value is ours, one person's word is not enough to revoke. */
const respondersWithoutEvidence = 2;

type Incident = Extract<RotationEvent, { type: "incident" }>;

/** The activity `report`: an emergency in a rotation that runs. */
export function reportActivity(deps: ActivityDeps) {
  return ({ state: given, report }: { state: RotationState; report: EmergencyReport }): Promise<Answered> =>
    framed(async () => {
      const { state } = await heldBy(deps, given);
      const systems = await deps.systems(state.credential);
      try {
        const authorised =
          (await alreadyAuthorised(deps, systems, report)) ?? (await authorise(deps, systems, state, report));
        const { event, key, sentence } = await incidentOf(deps, systems, state, authorised);
        const { repeated } = await appendEvent(deps.db, state.id, state.epoch, event, key);
        // The same report again must not end a hold; but a run that has not heard of it has to.
        const heard = repeated && addsNothing(given, event);
        return { events: heard ? [] : [event], accepted: true, sentence };
      } catch (error) {
        if (error instanceof RekeyError && error.code === "decision-refused") {
          return { events: [], accepted: false, sentence: error.message };
        }
        throw error;
      }
    });
}

/** A report whose authority was checked: who stands behind it, with which documents, and what the value matched. */
export interface Authorised {
  readonly report: EmergencyReport;
  readonly responders: readonly string[];
  /** Single-use ids of the documents. */
  readonly documents: readonly string[];
  readonly matched: readonly string[];
}

/** The id of the incident that these documents report: the same for every attempt, so that it is one incident. */
function incidentId(deps: Pick<ActivityDeps, "sha256Hex">, documents: readonly string[]): string {
  return `inc_${deps.sha256Hex(canonical([...new Set(documents)].sort()))}`;
}

/**
 * The report if its incident is in the records: it was authorised then, and documents expire. Null where it is
 * not, or where one of the documents, or what they were signed for, is not what was verified.
 */
export async function alreadyAuthorised(
  deps: ActivityDeps,
  systems: Systems,
  report: EmergencyReport,
): Promise<Authorised | null> {
  const documents: string[] = [];
  for (const document of report.documents) {
    const claimed = claimedId(document);
    const kept = claimed === null ? null : await decisionWith(deps.db, claimed);
    if (kept?.jws !== document || kept.digest !== deps.sha256Hex(reportText(report))) return null;
    documents.push(kept.jti);
  }
  const incident = await incidentWith(deps.db, incidentId(deps, documents));
  if (incident?.credential !== systems.id) return null;
  return { report, responders: incident.reportedBy.split(", "), documents, matched: incident.matched };
}

/** True when folding the incident would change nothing that the run goes by. */
function addsNothing({ versions, emergency }: RotationState, event: Incident): boolean {
  return (
    emergency !== null &&
    event.leaked.every((id) => versions[id]?.leaked === true) &&
    event.emergency.responders.every((person) => emergency.responders.includes(person)) &&
    event.emergency.containBy >= emergency.containBy &&
    (event.containment === "after-adoption" || emergency.containment === "revoke-now")
  );
}

/**
 * Checks who stands behind a report: two responders, or one whose evidence is a value of every version that would be
 * treated as leaked; a value that died long ago says nothing against one that lives. Throws `decision-refused`
 * otherwise. `state` is null for a report that starts a rotation.
 */
export async function authorise(
  deps: ActivityDeps,
  systems: Systems,
  state: RotationState | null,
  report: EmergencyReport,
): Promise<Authorised> {
  const matches = report.evidence === null ? [] : await versionsMatching(deps.db, report.evidence);
  const known = matches.filter((match) => match.credential === systems.id).map((match) => match.version);
  const persons = new Set<string>();
  const documents: string[] = [];
  for (const document of report.documents) {
    const payload = await respondersWord(deps, systems, report, document);
    const { id: jti, digest, person, says, issuedAt, expiresAt } = payload;
    const kept = {
      jti,
      rotation: state?.id ?? null,
      credential: systems.id,
      digest,
      person,
      says,
      consumer: null,
      owners: [],
    };
    await recordDecision(deps.db, { ...kept, jws: document, issuedAt, expiresAt, receivedAt: deps.now() });
    persons.add(person);
    documents.push(jti);
  }
  // Two of them wait for no store, unless only the value says what has leaked.
  const isEnough = persons.size >= respondersWithoutEvidence && report.leaked.length > 0;
  // A credential that was never rotated has no fingerprint yet; the value that is live now is the old one.
  const asks = known.length === 0 && !isEnough;
  const matched = asks && (await isLiveValue(deps, systems, report.evidence)) ? ["old"] : known;
  const alive = state ?? (await aliveOf(deps, systems));
  const isShown = matched.length > 0 && versionsOf(report, matched, alive).every(isOneOf(matched, alive));
  const needed = isShown ? 1 : respondersWithoutEvidence;
  if (persons.size < needed) {
    throw new RekeyError(
      "decision-refused",
      `The report needs ${count(needed, "responder")} and has ${persons.size}.`,
      "Have a second responder sign it, or give the leaked value with --value-from, so that it can be matched.",
    );
  }
  return { report, responders: [...persons].sort(), documents, matched };
}

/** What a report may be about, as far as it is known which version people mean. */
type Alive = Pick<RotationState, "versions" | "origin" | "target">;

/** The same before this run has opened or adopted a rotation: the open one's, or what the records know to live. */
async function aliveOf({ db }: ActivityDeps, { id: credential }: Systems): Promise<Alive> {
  const open = await rotationOf(db, credential);
  if (open !== null) {
    const { initial, events } = await loadRotation(db, open.id);
    return foldAll(initial, events);
  }
  const living = (await everyVersionOf(db, credential)).filter(
    ({ life }) => isLive(life) || life === "disabled",
  );
  const versions = living.map(({ id, slot, life }): [string, VersionState] => [
    id,
    { ...plannedVersion(id, slot), life, issuer: isLive(life) ? "enabled" : "disabled" },
  ]);
  const origin = living.find(({ life }) => life === "active")?.id ?? "old";
  return { versions: Object.fromEntries(versions), origin, target: "new" };
}

function isOneOf(matched: readonly string[], alive: Alive): (id: string) => boolean {
  return (id) => matched.some((word) => meant(word, alive) === id);
}

async function isLiveValue(
  deps: ActivityDeps,
  { stores }: Systems,
  evidence: string | null,
): Promise<boolean> {
  const live = evidence === null ? null : await stores.main.live(callWithin());
  const hmacs = await Promise.all(secretValues(live ?? {}).map((value) => deps.fingerprint(value)));
  return hmacs.some((hmac) => hmac === evidence);
}

/** What a responder signed, if it is this very report and they may say so. */
async function respondersWord(
  deps: ActivityDeps,
  systems: Systems,
  report: EmergencyReport,
  document: string,
): Promise<DocumentPayload> {
  const payload = await verifiedPayload(systems.estate, document);
  const { says, installation, credential, digest, expiresAt, person } = payload;
  const now = deps.now();
  const mine = says === "emergency" && installation === deps.installation && credential === systems.name;
  if (!mine || digest !== deps.sha256Hex(reportText(report)))
    throw refused(`What ${person} signed is another report.`);
  if (expiresAt <= now) throw refused(`What ${person} signed has expired.`);
  if (await owesSignOff(deps, person, now)) {
    throw refused(
      `A report of ${person} was not signed off in time; until it is, another responder has to act.`,
    );
  }
  const allowed = systems.policy.responders;
  const may = allowed.length === 0 || speaksFor(systems.estate, person, allowed, now).length > 0;
  if (!may) throw refused(`${person} is no responder for this credential.`);
  return payload;
}

/** Overriding the owners is a loan: whoever has not paid back in time gets no other one (H37). */
async function owesSignOff(deps: ActivityDeps, person: string, now: number): Promise<boolean> {
  const unsigned = await listIncidents(deps.db, { unsigned: true });
  return unsigned.some(
    ({ reportedBy, signOffBy }) => signOffBy < now && reportedBy.split(", ").includes(person),
  );
}

function refused(detail: string): RekeyError {
  return new RekeyError("decision-refused", detail);
}

/**
 * The incident that an authorised report makes of this rotation, and the key of its event. It is kept and told
 * once: another attempt gets what the first one made of it. Throws `decision-refused` for another rotation's.
 */
export async function incidentOf(
  deps: ActivityDeps,
  systems: Systems,
  state: RotationState,
  { report, responders, documents, matched }: Authorised,
): Promise<{ readonly event: Incident; readonly key: string; readonly sentence: string }> {
  const id = incidentId(deps, documents);
  const kept = await recordIncident(deps.db, {
    id,
    credential: state.credential,
    rotation: state.id,
    reason: report.reason,
    reportedBy: responders.join(", "),
    at: deps.now(),
    matched: versionsOf(report, matched, state),
    signOffBy: deps.now() + systems.rules.signOffDeadlineMs,
  });
  if (kept.rotation !== state.id) throw refused("It was reported in another rotation.");
  const { at: now, matched: leaked } = kept;
  const { containment, containmentDeadlineMs } = stricter(state.policy, systems.rules);
  const emergency: Emergency = {
    reason: report.reason,
    containment: report.containment ?? containment,
    startedAt: now,
    containBy: now + containmentDeadlineMs,
    signOffBy: kept.signOffBy,
    responders,
  };
  await tell(deps, systems, {
    id: `${state.id}/emergency/${id}`,
    kind: "emergency",
    recipients: ownersAddresses(systems, now),
    rotation: state.id,
    subject: `Emergency: ${systems.name}`,
    text: `${responders.join(" and ")} reported a leak of ${systems.name}: ${report.reason} It is being rotated without your sign-off; sign afterwards with \`rekey sign-off ${systems.name}\`.`,
  });
  const event: Incident = {
    type: "incident",
    at: now,
    leaked,
    containment: emergency.containment,
    emergency,
  };
  return {
    event,
    key: `incident:${id}`,
    sentence: `Emergency: ${count(leaked.length, "version is", "versions are")} treated as leaked.`,
  };
}

/** `old` and `new` are words for people; what matched nothing may be anything, so everything that lives counts. */
function versionsOf(report: EmergencyReport, matched: readonly string[], alive: Alive): string[] {
  if (report.leaked === "unknown") return leakedBy({ kind: "unknown" }, alive);
  const ids = [...report.leaked, ...matched].map((word) => meant(word, alive));
  return leakedBy({ kind: "versions", ids }, alive);
}

function meant(word: string, { origin, target }: Alive): string {
  return word === "old" ? origin : word === "new" ? target : word;
}
