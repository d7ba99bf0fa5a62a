/** Worlds that tests of the command line take place in: one credential with three consumers, in several moments of its life. */
import type { Allowances, PlanTerms, RotationState } from "../../domain/rotation/state.js";
import type { CredentialView } from "../../inventory/credentials.js";
import type { Entry } from "../../inventory/estate.js";
import type { LoadedRotation } from "../../inventory/rotations.js";
import { begin, planFor, policy, versionIn } from "../domain/begin.js";
import { emptyWorld, now, type World } from "./fakes.js";

const day = 86_400_000;

function entry(section: Entry["section"], id: string, name: string, body: Entry["body"]): Entry {
  return { id, section, name, body, since: now - 90 * day, changedAt: now - 90 * day, endedAt: null };
}

const entries: Entry[] = [
  entry("owners", "own_1", "alice", { kind: "person", email: "alice@example.com", keys: [{}] }),
  entry("owners", "own_2", "orders-team", { kind: "team", members: ["alice", "bob"] }),
  entry("policies", "pol_1", "standard", {
    approval: { quorum: 1, from: "owner", validForMs: 7 * day },
    unmappedReaders: "refuse",
  }),
  entry("consumers", "con_1", "orders-api", { owner: "orders-team", purpose: "Serves the shop." }),
  entry("consumers", "con_2", "orders-report", { owner: "orders-team", observe: [{ kind: "confirmation" }] }),
  entry("consumers", "con_3", "partner-portal", { owner: "alice" }),
  entry("credentials", "crd_1", "orders-db", {
    owner: "orders-team",
    policy: "standard",
    issuer: "orders-pg",
    store: "files",
    consumers: [{}, {}, {}],
  }),
];

function credential(more: Partial<CredentialView> = {}): CredentialView {
  return {
    id: "crd_1",
    name: "orders-db",
    class: "service-account",
    purpose: "The orders service's login to its database.",
    owner: "orders-team",
    policy: "standard",
    issuer: "orders-pg",
    store: "files",
    consumers: ["orders-api", "orders-report", "partner-portal"],
    active: null,
    lastRotatedAt: now - 80 * day,
    dueAt: now + 10 * day,
    rotation: null,
    ...more,
  };
}

/** A credential of which nothing runs. */
export function idle(more: Partial<World> = {}): World {
  return emptyWorld({ credentials: [credential()], entries, ...more });
}

/** The same, where the credential names no policy, and has the one that takes its class. */
export function byClass(more: Partial<World> = {}): World {
  return idle({ credentials: [credential({ policyBy: "class" })], ...more });
}

/** The plan that is signed in these worlds. */
export const plan = {
  ...planFor({ canary: ["con_3"], main: ["con_1", "con_2"] }, "9f2c61"),
  approvers: ["orders-team"],
};

const allows: Allowances = {
  exceptions: [
    {
      ...{ finding: "unmapped-reader", about: "nightly-export", owner: "orders-team" },
      ...{ until: "2026-12-01T00:00:00.000Z", reason: "It moves with the next release." },
    },
  ],
  claims: {
    con_1: ["applicationName: orders-api", "serviceAccount: shop/orders"],
    con_3: ["address: 192.0.2.7"],
  },
};

/** The same with what it lets pass. */
export const allowing = { ...plan, terms: { allows } as PlanTerms };

/** The same with a consumer that cannot be moved back. */
export const amendment = {
  ...planFor({ canary: ["con_3"], main: ["con_1", "con_2", "con_4"] }, "77aa01"),
  approvers: ["alice"],
  pointOfNoReturn: "deliver to con_2",
};

/** The state of a rotation that began 20 seconds ago. */
export function stateOf(more: Partial<RotationState> = {}): RotationState {
  return begin({
    id: "rot_1",
    credential: "crd_1",
    nonce: "run_1",
    startedAt: now - 20_000,
    changedAt: now - 20_000,
    surveyedAt: now - 100,
    policy: {
      ...policy,
      approval: { quorum: 1, deadlineMs: 3 * day, reminderMs: day },
      adoptionTimeoutMs: 3_600_000,
      observationMaxAgeMs: 300_000,
    },
    plan,
    asked: [plan.digest],
    askedAt: now - 10_000,
    ...more,
  });
}

/** The record of a rotation in that state. */
function recordOf(state: RotationState, more: Partial<LoadedRotation> = {}): LoadedRotation {
  const { id, credential: of, nonce, epoch, startedAt } = state;
  return {
    id,
    credential: of,
    name: "orders-db",
    workflowId: "rotate/crd_1",
    runId: "run",
    nonce,
    epoch,
    mode: "ordinary",
    requestedBy: "olga",
    reason: "quarterly",
    gate: null,
    standing: null,
    openedAt: startedAt,
    closedAt: null,
    outcome: null,
    closingReason: null,
    initial: state,
    events: [],
    openIntent: null,
    ...more,
  };
}

/** The credential with this rotation. */
export function rotating(
  state: RotationState = stateOf(),
  row: Partial<LoadedRotation> = {},
  more: Partial<World> = {},
): World {
  const record = recordOf(state, row);
  return idle({
    credentials: [credential({ rotation: record })],
    rotations: [record],
    ...more,
    answers: { standing: () => "running", ...more.answers },
  });
}

/** Everybody agreed, the new version is delivered to the first wave, and one instance of the second lags behind. */
export function moving(more: Partial<RotationState> = {}): RotationState {
  const instance = (name: string, version: string, working = true) => ({ instance: name, version, working });
  return stateOf({
    decisions: [
      {
        id: "doc_9",
        person: "alice",
        digest: plan.digest,
        verdict: "approve",
        owners: ["orders-team"],
        issuedAt: now - 9_000,
        expiresAt: now + day,
      },
    ],
    versions: {
      old: versionIn("orders_a", "old", { life: "active", issuer: "enabled", delivered: true }),
      new: versionIn("orders_b", "new", {
        life: "delivered",
        issuer: "enabled",
        proved: true,
        delivered: true,
      }),
    },
    places: {
      canary: {
        tag: "",
        liveVersion: "new",
        told: "new",
        toldTo: ["con_3"],
        toldAt: now - 8_000,
        unknown: false,
      },
      main: {
        tag: "",
        liveVersion: "new",
        told: "new",
        toldTo: ["con_1", "con_2"],
        toldAt: now - 2_000,
        unknown: false,
      },
    },
    changedAt: now - 2_000,
    consumers: {
      con_1: {
        at: now - 100,
        instances: [instance("10.0.0.1", "new"), instance("10.0.0.2", "old")],
        stable: 2,
        since: null,
        lostAt: null,
      },
      con_2: {
        at: now - 100,
        instances: [instance("report-1", "new", false)],
        stable: 1,
        since: null,
        lostAt: null,
      },
      con_3: {
        at: now - 100,
        instances: [instance("person", "new")],
        stable: 5,
        since: now - 7_000,
        lostAt: null,
      },
    },
    uses: { old: { quietSince: null, watermarkAt: now - 100, sessions: 4 } },
    ...more,
  });
}

const timeline = [
  { at: now - 20_000, tookMs: 84, what: "open", sentence: "The rotation is open and holds its lock." },
  {
    at: now - 9_000,
    tookMs: 132,
    what: "issue",
    sentence: "Issued version new in orders_b, beside the old one.",
  },
];

/** Its workflow runs and answers. */
export const live = {
  progress: () => ({ rotation: "rot_1", epoch: 1, timeline }),
  standing: () => "running",
};

/** By the records it is about to look; its workflow has looked, and waits for the instance that lags behind. */
export function lagging(): World {
  const progress = () => ({
    ...live.progress(),
    ...{ gate: "delivered and adopted", standing: "waiting", who: "the owner of con_1" },
    sentence: "Waiting for adoption. Consumer con_1: instance 10.0.0.2 is on version old.",
    until: now + 3_600_000,
  });
  return rotating(moving({ surveyedAt: null }), {}, { answers: { ...live, progress } as never });
}

/** Somebody on orders-db whom nobody has declared, as the inventory keeps that. */
export const stranger: World["findings"][number] = {
  finding: {
    ...{ number: 12, code: "unmapped-reader", severity: "refuse", state: "open", credential: "crd_1" },
    subject: { id: "crd_1", type: "credential", name: "orders-db" },
    about: { id: "i1", type: "identity", name: "psql from 10.0.0.9" },
    sentence: "psql from 10.0.0.9 uses it and is no declared consumer of it.",
    ...{ owners: ["orders-team"], places: [], sources: ["sessions"], exception: null },
    ...{ firstSeen: now, lastSeen: now, since: now },
  },
  changes: [],
};
