/** A small estate and a rotation of it, made by the functions under test, so that each test starts from what it is about. */
import { randomBytes } from "node:crypto";
import type { Estate, Policy } from "../../domain/estate/types.js";
import type { IssuerTraits } from "../../domain/kinds.js";
import { plannedVersion } from "../../domain/rotation/moves.js";
import type { RotationState } from "../../domain/rotation/state.js";
import type { Step } from "../../domain/rotation/steps.js";
import type { Database } from "../../inventory/database.js";
import type { StoredDecision } from "../../inventory/decisions.js";
import { applyEstate, entryNamed } from "../../inventory/estate.js";
import { type Opened, type Opening, type OpenRequest, openRotation } from "../../inventory/open.js";
import { recordVersions } from "../../inventory/versions.js";

/** The time at which everything in these tests begins. */
export const t0 = Date.parse("2026-03-01T09:00:00.123Z");
const hourMs = 60 * 60 * 1000;

/** A new id. */
export function newId(prefix: string): string {
  return `${prefix}_${randomBytes(8).toString("hex")}`;
}

/** A policy with everything that has no default here. */
export const policy: Policy = {
  intervalMs: 30 * 24 * hourMs,
  freezes: [],
  approval: {
    quorum: 1,
    from: "owner",
    deadlineMs: 72 * hourMs,
    reminderMs: 24 * hourMs,
    validForMs: 336 * hourMs,
  },
  quietPeriodMs: hourMs,
  adoptionSoakMs: 0,
  disableSoakMs: hourMs,
  adoptionTimeoutMs: hourMs,
  drainTimeoutMs: 24 * hourMs,
  observationMaxAgeMs: 60_000,
  stallTimeoutMs: hourMs,
  retryDelayMs: 1_000,
  unmappedReaders: "refuse",
  containment: "after-adoption",
  containmentDeadlineMs: hourMs,
  signOffDeadlineMs: 24 * hourMs,
  overlapMaxMs: 168 * hourMs,
  cooldownMs: 24 * hourMs,
  responders: [],
};

function person(email: string) {
  return { kind: "person" as const, email, keys: [], delegates: [] };
}

/** Two credentials on one issuer and store, two consumers, a team of two. */
export function sampleEstate(): Estate {
  const credential = (login: string) => ({
    issuer: "main-db",
    account: { login },
    store: "secrets",
    place: { path: login },
    owner: "payments",
    policy: "standard",
    class: "service-account" as const,
    purpose: "Orders are read and written with it.",
    consumers: [
      { consumer: "checkout", isolation: "shared" as const },
      { consumer: "reports", isolation: "shared" as const },
    ],
  });
  const consumer = {
    owner: "payments",
    observe: [{ kind: "fake" }],
    match: { applicationName: [], address: [] },
    reversible: true,
    canary: false,
  };
  return {
    version: 1,
    installation: "test",
    owners: {
      ann: person("ann@example.com"),
      bob: person("bob@example.com"),
      payments: { kind: "team", members: ["ann", "bob"] },
    },
    stores: { secrets: { kind: "fake" } },
    issuers: { "main-db": { kind: "fake" } },
    notifiers: {},
    sources: {},
    policies: { standard: policy },
    consumers: { checkout: consumer, reports: consumer },
    credentials: { "orders-db": credential("orders"), "billing-db": credential("billing") },
  };
}

/** Applies the sample estate and answers with the ids of its two credentials. */
export async function applySample(db: Database): Promise<{ orders: string; billing: string }> {
  await applyEstate(db, { estate: sampleEstate(), digest: "d1", by: "ann", now: t0, newId });
  const [orders, billing] = await Promise.all([
    entryNamed(db, "credentials", "orders-db"),
    entryNamed(db, "credentials", "billing-db"),
  ]);
  return { orders: orders.id, billing: billing.id };
}

const traits: IssuerTraits = {
  overlap: "two-accounts",
  sessionsTellVersions: true,
  capacity: 2,
  valueBy: "engine",
  disableReversible: true,
  derives: [],
  propagationMs: 0,
};

/** The first state of a rotation from the version in slot `a` to a new one in slot `b`. */
function firstState(credential: string, opening: Opening): RotationState {
  const origin = opening.versions[0]?.id ?? "ver_origin";
  const target = `ver_${opening.rotation}`;
  return {
    id: opening.rotation,
    credential,
    installation: "ins_test",
    nonce: opening.nonce,
    epoch: opening.epoch,
    startedAt: t0,
    policy,
    traits,
    emergency: null,
    origin,
    target,
    acceptable: [origin, target],
    versions: {
      // Deliberately not in the order that a binary JSON type would give them.
      [target]: plannedVersion(target, "b"),
      [origin]: { ...plannedVersion(origin, "a"), life: "active", issuer: "enabled", delivered: true },
    },
    freeSlots: [],
    spareIds: [],
    tags: { a: "", b: "" },
    places: {
      main: { tag: "", liveVersion: origin, told: null, toldTo: [], toldAt: null, unknown: false },
    },
    change: 0,
    changedAt: t0,
    plan: null,
    amendments: [],
    surveyedAt: null,
    findings: [],
    notBefore: null,
    consumers: {},
    uses: {},
    decisions: [],
    asked: [],
    askedAt: null,
    remindedAt: null,
    seized: false,
    turned: null,
    irreversible: false,
    trouble: null,
    operator: null,
    resumedAt: null,
    refused: null,
    objections: [],
    closed: null,
  };
}

/** What a run that rotates the credential asks for; every call is another run unless `runId` is given. */
export function openRequest(credential: string, more: Partial<OpenRequest> = {}): OpenRequest {
  return {
    credential,
    workflowId: `rotate/${credential}`,
    runId: newId("run"),
    newRotationId: newId("rot"),
    nonce: newId("non"),
    lockKeys: [`account:${credential}`, `place:${credential}`],
    initial: (opening) => firstState(credential, opening),
    mode: "ordinary",
    requestedBy: "ann",
    reason: "It is time.",
    now: t0,
    ...more,
  };
}

/** An open rotation of the credential with a version that was there before. */
export async function openedRotation(
  db: Database,
  credential: string,
  more: Partial<OpenRequest> = {},
): Promise<Opened> {
  const standings = [{ id: newId("ver"), slot: "a", life: "active" as const }];
  await recordVersions(db, { credential, by: null, standings, at: t0 });
  return openRotation(db, openRequest(credential, more));
}

/** The step that makes the rotation's target. */
export function issueStep({ initial }: Opened): Step {
  return { do: "issue", version: initial.target, slot: "b" };
}

/** A decision on a rotation as its verification leaves it. */
export function decisionOn(
  opened: Pick<Opened, "rotation" | "initial">,
  more: Partial<StoredDecision> = {},
): StoredDecision {
  const jti = newId("dec");
  return {
    jti,
    rotation: opened.rotation,
    credential: opened.initial.credential,
    digest: "plan-1",
    person: "ann",
    says: "approve",
    consumer: null,
    owners: ["payments"],
    jws: `header.${jti}.signature`,
    issuedAt: t0 + 1_000,
    expiresAt: t0 + 24 * hourMs,
    receivedAt: t0 + 2_000,
    ...more,
  };
}
