/**
 * A house whose adapters are those of the registry, made from an estate as a user writes it: for the kinds that are
 * walked end to end on the real thing. Temporal, the inventory and the worker are real here too.
 */
import { createHmac, randomBytes } from "node:crypto";
import { Client, type WorkflowHandle } from "@temporalio/client";
import { onTestFinished } from "vitest";
import { createActivities } from "../../activities/index.js";
import type { AdapterDeps } from "../../adapters/ports.js";
import { kinds } from "../../adapters/registry.js";
import { parseEstate } from "../../domain/estate/parse.js";
import type { Shapes } from "../../domain/estate/shapes.js";
import { openDatabase } from "../../inventory/database.js";
import { applyEstate, entryNamed } from "../../inventory/estate.js";
import { sha256Hex } from "../../inventory/hash.js";
import { newId, randomSecret } from "../../worker/installation.js";
import { channelOpener, sourceOpener, systemsKeeper } from "../../worker/systems.js";
import { type RotateInput, rotationWorkflowId } from "../../workflows/messages.js";
import { keptLog } from "../audit/keeper-world.js";
import { type Fresh, migratedDatabase } from "../inventory/database.js";
import { registeredShapes } from "../support/shapes.js";
import { testBundle } from "./bundle.js";
import { connections, converter, guardOf } from "./house.js";
import { crewOf, identity } from "./lent-worker.js";
import { people } from "./people.js";

/** What the estate is made with besides its owners. */
export type RealEstate = Readonly<Record<string, unknown>>;

/** The house. Everything ends with the test. */
export interface RealHouse {
  readonly fresh: Fresh;
  readonly installation: string;
  readonly credential: string;
  /** Starts a rotation of the credential. */
  start(input?: Partial<RotateInput>): Promise<WorkflowHandle>;
  /** What a short workflow answers: `preview`, `doctor`. */
  ask<T>(type: string, args: unknown[]): Promise<T>;
  /** The estate anew, with the owners that the house has. */
  apply(raw: RealEstate): Promise<void>;
  /** Another worker on the same queue. */
  startWorker(): Promise<{ readonly stop: () => Promise<void> }>;
}

/** A login of the issuer `orders` by the policy `quick`, kept by the store `files`. */
export const ordersInFile = {
  issuer: "orders",
  account: { group: "orders", logins: ["orders_a", "orders_b"] },
  store: "files",
  place: { path: "orders.json" },
  owner: "payments",
  policy: "quick",
  class: "service-account",
  purpose: "The orders service logs in with it.",
};

/** Patience of seconds, nobody asked: what the walk waits for here comes from the kinds. */
export const quickPolicy = {
  approval: { quorum: 0 },
  adoptionTimeout: "60s",
  adoptionSoak: "0s",
  quietPeriod: "0s",
  drainTimeout: "60s",
  disableSoak: "0s",
  observationMaxAge: "20s",
  stallTimeout: "60s",
  retryDelay: "100ms",
  responders: ["rashid", "runa"],
};

/** Opens a house around the estate's only credential; call it in a test. `deps` is what adapters are made with. */
export async function openRealHouse(raw: RealEstate, given: AdapterDeps): Promise<RealHouse> {
  const key = randomBytes(32);
  // One key for both, so that a copy of a version is known for one.
  const mark = (value: string) => createHmac("sha256", key).update(value).digest("hex");
  const deps = { ...given, mark };
  const fresh = await migratedDatabase();
  const { client: connection, worker, namespace } = await connections();
  const { installation } = deps;
  const { owners } = await people();
  const apply = async (said: RealEstate, how: { readonly now: number; readonly shapes?: Shapes }) => {
    const parsed = parseEstate({ version: 1, installation, owners: ownersText(owners), ...said }, kinds);
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues, null, 2));
    const { estate } = parsed;
    await applyEstate(fresh.db, { estate, digest: newId("digest"), by: "platform", newId, ...how });
    return estate;
  };
  const { credentials } = await apply(raw, { now: Date.now() - 86_400_000 });
  const [name = ""] = Object.keys(credentials);
  const credential = (await entryNamed(fresh.db, "credentials", name)).id;
  const dataConverter = converter();
  const client = new Client({ connection, namespace, dataConverter, identity });
  const { taskQueue, hire } = crewOf(credential, true);
  const codePath = await testBundle();
  const make = { connection: worker, namespace, dataConverter, codePath, taskQueue };

  const startWorker = async () => {
    const db = openDatabase({ url: fresh.url });
    const systems = systemsKeeper(db, deps);
    const audit = keptLog(db, fresh.url);
    const activities = createActivities({
      db,
      installation,
      systems: systems.open,
      source: sourceOpener(db, deps),
      channels: channelOpener(db, deps),
      shapes: registeredShapes,
      now: Date.now,
      newId,
      randomSecret,
      sha256Hex,
      fingerprint: async (value) => mark(value.reveal()),
      audit: audit.keeper,
      restores: guardOf(db, installation),
      platform: async () => [],
    });
    const hired = await hire(make, activities);
    let stopping: Promise<void> | undefined;
    const stop = (end: () => Promise<void>) => {
      stopping ??= (async () => {
        await end();
        await systems.close();
        await audit.close();
        await db.close();
      })();
      return stopping;
    };
    onTestFinished(() => stop(hired.giveBack));
    return { stop: () => stop(hired.shutdown) };
  };

  await startWorker();
  const workflowId = rotationWorkflowId(credential);
  onTestFinished(async () => {
    await client.workflow
      .getHandle(workflowId)
      .terminate("the test is over")
      .catch(() => undefined);
  });
  return {
    fresh,
    installation,
    credential,
    startWorker,
    apply: async (said) => void (await apply(said, { now: Date.now(), shapes: registeredShapes })),
    ask: (type, args) =>
      client.workflow.execute(type, { workflowId: `${type}/${newId("ask")}`, taskQueue, args }),
    start: (input = {}) =>
      client.workflow.start("rotate", {
        workflowId,
        taskQueue,
        args: [{ credential, requestedBy: "eve", reason: "it is time", ...input }],
      }),
  };
}

/** Owners as they are written in a file: keys as one line. */
function ownersText(owners: Awaited<ReturnType<typeof people>>["owners"]): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(owners).map(([name, owner]) => [
      name,
      owner.kind === "team"
        ? owner
        : { kind: "person", email: owner.email, keys: owner.keys.map(({ x }) => `ed25519:${x}`) },
    ]),
  );
}
