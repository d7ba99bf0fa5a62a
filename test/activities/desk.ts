/**
 * A desk for activities about people: the real records on PostgreSQL, real signatures, one open rotation and the
 * context of its run; the clock is set by hand, and what notifiers were given is kept.
 */
import { createHash } from "node:crypto";
import { asyncLocalStorage, Context } from "@temporalio/activity";
import type { ActivityDeps, Systems } from "../../activities/deps.js";
import type { Notice } from "../../adapters/ports.js";
import type { DocumentPayload } from "../../domain/documents.js";
import { RekeyError } from "../../domain/errors.js";
import { foldAll } from "../../domain/rotation/fold.js";
import type { RotationState } from "../../domain/rotation/state.js";
import { applyEstate, entryNamed } from "../../inventory/estate.js";
import { openRotation } from "../../inventory/open.js";
import { restoreGuard } from "../../inventory/restore-guard.js";
import { loadRotation } from "../../inventory/rotations.js";
import { recordVersions } from "../../inventory/versions.js";
import { rulesOf } from "../../worker/systems.js";
import { planFor } from "../domain/begin.js";
import { type Fresh, migratedDatabase } from "../inventory/database.js";
import { newId, openRequest, policy, sampleEstate, t0 } from "../inventory/world.js";
import { type PersonName, people, signed } from "../workflows/people.js";

/** The desk. */
export interface Desk {
  readonly fresh: Fresh;
  readonly deps: ActivityDeps;
  readonly credential: string;
  /** The state of the rotation as it was opened. */
  readonly state: RotationState;
  readonly clock: { now: number };
  /** What was told, in order. */
  readonly told: Notice[];
  /** Set to false, notifiers take nothing. */
  readonly post: { works: boolean };
  /** Runs the body as an activity of the rotation's run, or of another one, that has so much time. */
  run<T>(body: () => Promise<T>, runId?: string, startToCloseTimeoutMs?: number): Promise<T>;
  /** A document of a person, issued now by the desk's clock and good for an hour. */
  paper(person: PersonName, more?: Partial<DocumentPayload>): Promise<string>;
  /** The state as the records have it. */
  recorded(): Promise<RotationState>;
}

/** Opens a desk; call it in a test. */
export async function openDesk(): Promise<Desk> {
  const fresh = await migratedDatabase();
  const { db } = fresh;
  const { owners } = await people();
  const estate = { ...sampleEstate(), owners };
  // Long ago, so that nobody counts as a recent editor.
  await applyEstate(db, { estate, digest: "d1", by: "platform", now: t0 - 2 * policy.cooldownMs, newId });
  const credential = (await entryNamed(db, "credentials", "orders-db")).id;
  const standings = [{ id: newId("ver"), slot: "a", life: "active" as const }];
  await recordVersions(db, { credential, by: null, standings, at: t0 });
  const mine = { workflowId: `rotate/${credential}`, runId: newId("run") };
  const request = openRequest(credential, { ...mine, requestedBy: "eve" });
  const plan = { ...planFor({ main: ["one"] }, "plan"), approvers: ["payments"] };
  const { initial: state } = await openRotation(db, {
    ...request,
    initial: (opening) => ({ ...request.initial(opening), plan }),
  });
  const clock = { now: t0 };
  const post = { works: true };
  const told: Notice[] = [];
  const systems = {
    id: credential,
    name: "orders-db",
    estate,
    owner: "payments",
    policy,
    rules: rulesOf(policy),
    consumers: [],
    lockKeys: request.lockKeys,
    issuer: {
      traits: state.traits,
      survey: async () => ({ slots: [], sessions: [], watermarkSeen: false, identity: "main" }),
      preflight: async () => [],
    },
    stores: {
      main: {
        live: async () => null,
        view: async () => ({ tag: "", liveVersion: state.origin, staged: [] }),
        preflight: async () => [],
        // A look is not what these tests are about: it is refused for good, which is an answer.
        staged: async () => {
          throw new RekeyError("not-permitted", "The store may not be read.");
        },
      },
    },
    notifiers: [
      {
        preflight: async () => [],
        notify: async (notice: Notice) => {
          if (!post.works) throw new RekeyError("unreachable", "The post does not answer.");
          told.push(notice);
        },
      },
    ],
  } as unknown as Systems;
  const deps = {
    db,
    installation: state.installation,
    systems: async () => systems,
    now: () => clock.now,
    newId,
    sha256Hex: (text: string) => createHash("sha256").update(text).digest("hex"),
    restores: restoreGuard({
      db,
      installation: state.installation,
      outside: { read: async () => null, write: async () => undefined },
      now: () => clock.now,
      newId,
    }),
    platform: async () => [{ subject: "Temporal", findings: [] }],
  } as unknown as ActivityDeps;
  const { id: rotation, nonce } = state;
  return {
    fresh,
    deps,
    credential,
    state,
    clock,
    told,
    post,
    run: (body, runId = mine.runId, startToCloseTimeoutMs = 90_000) => {
      const context = Object.create(Context.prototype, {
        cancellationSignal: { value: new AbortController().signal },
        heartbeat: { value: () => undefined },
        info: {
          value: { workflowExecution: { ...mine, runId }, startToCloseTimeoutMs, scheduledTimestampMs: t0 },
        },
      }) as Context;
      return asyncLocalStorage.run(context, body);
    },
    paper: (person, more = {}) => {
      const times = { issuedAt: clock.now, expiresAt: clock.now + 3_600_000 };
      return signed(person, { installation: state.installation, rotation, nonce, ...times, ...more });
    },
    recorded: async () => {
      const { initial, events } = await loadRotation(db, rotation);
      return foldAll(initial, events);
    },
  };
}
