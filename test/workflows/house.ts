/**
 * A house for the workflow tests: the real Temporal server, the real inventory on PostgreSQL and real workers
 * with the real codec, around a world in memory whose faults can be switched. Only provider and consumers are fakes.
 */
import { createHash, createHmac, randomBytes } from "node:crypto";
import { join } from "node:path";
import { Client, Connection, type WorkflowHandleWithFirstExecutionRunId } from "@temporalio/client";
import { type DataConverter, defineSearchAttributeKey } from "@temporalio/common";
import { DefaultLogger, NativeConnection, Runtime } from "@temporalio/worker";
import { onTestFinished } from "vitest";
import type { ActivityDeps, ConsumerSystem, Systems } from "../../activities/deps.js";
import { createActivities } from "../../activities/index.js";
import { fileHighWater } from "../../audit/high-water.js";
import type { Edge, Estate, Policy } from "../../domain/estate/types.js";
import type { IssuerTraits } from "../../domain/kinds.js";
import { Secret } from "../../domain/secret.js";
import { type Database, openDatabase } from "../../inventory/database.js";
import { applyEstate, entryNamed } from "../../inventory/estate.js";
import { currentEstate } from "../../inventory/estate-load.js";
import { sha256Hex } from "../../inventory/hash.js";
import { restoreGuard } from "../../inventory/restore-guard.js";
import { recordVersions } from "../../inventory/versions.js";
import { sealingCodec } from "../../worker/codec.js";
import { fixedRing } from "../../worker/codec-ring.js";
import { failureConverterPath } from "../../worker/config.js";
import { deploymentOf } from "../../worker/deployment.js";
import { newId, randomSecret } from "../../worker/installation.js";
import { rulesOf } from "../../worker/systems.js";
import { type RotateInput, rotationWorkflowId } from "../../workflows/messages.js";
import { keptLog } from "../audit/keeper-world.js";
import { testFolder } from "../audit/world.js";
import { type Fresh, migratedDatabase } from "../inventory/database.js";
import { temporalServer } from "../setup/servers.js";
import { registeredShapes } from "../support/shapes.js";
import { testBundle } from "./bundle.js";
import { crewOf, identity } from "./lent-worker.js";
import { people } from "./people.js";
import { quick } from "./policies.js";
import { adaptersOf, logins, makeWorld, pathOf, type World } from "./world.js";

/** How a consumer uses the credential; it is shared, reversible and no canary unless said. */
export interface EdgeShape {
  readonly pinned?: boolean;
  readonly canary?: boolean;
  readonly reversible?: boolean;
  readonly wave?: number;
}

/** How a house may differ from the usual one. */
export interface HouseOptions {
  readonly policy?: Partial<Omit<Policy, "approval">>;
  readonly quorum?: number;
  readonly approval?: Partial<Policy["approval"]>;
  readonly consumers?: readonly string[];
  readonly edges?: Readonly<Record<string, EdgeShape>>;
  /** The systems as the activities get them, with real ones in place of some. */
  readonly refit?: (systems: Systems) => Systems;
  /** The slot in which the first version lives, where it is another issuer's. */
  readonly firstSlot?: string;
  /** How its issuer's kind differs from a pair of logins. */
  readonly traits?: Partial<IssuerTraits>;
  /** Without it payloads travel as they are, which only the replay tests want. */
  readonly sealed?: boolean;
  /** Build that the workers tell Temporal; without one, any worker takes up any rotation. */
  readonly build?: string;
  /** Path of the workflow code that a worker of the build brings; by default today's. */
  readonly codeOf?: (build: string | undefined) => Promise<string>;
  /** Database of the audit log; by default the inventory's. */
  readonly auditUrl?: Secret;
  /** File in which it is noted how far the records have come; by default a new one for each worker. */
  readonly highWater?: string;
  /** The way to a Temporal server of the test's own, asked for anew by each worker; by default the shared one. */
  readonly temporal?: () => Promise<Connections>;
}

/** Open ways to a Temporal server. */
export interface Connections {
  readonly client: Connection;
  readonly worker: NativeConnection;
  readonly namespace: string;
  /** Queue of the workers there; by default one of the house's own. */
  readonly queue?: string;
}

/** A worker of the house. */
export interface HouseWorker {
  /** Lets it end what it does. */
  stop(): Promise<void>;
  /** Takes its database away and stops it at once: what it was doing is never told to anybody. */
  kill(): Promise<void>;
}

/** The house, with one credential, `orders-db`. Everything ends with the test. */
export interface House {
  readonly fresh: Fresh;
  readonly world: World;
  readonly client: Client;
  readonly installation: string;
  /** Id of the credential. */
  readonly credential: string;
  readonly workflowId: string;
  readonly taskQueue: string;
  readonly worker: HouseWorker;
  /** Another worker, of the build that the house was opened with unless said. */
  startWorker(build?: string): Promise<HouseWorker>;
  /** Starts `rotate/<credential>`, or the id given. */
  start(input?: Partial<RotateInput>, workflowId?: string): Promise<WorkflowHandleWithFirstExecutionRunId>;
  /** Keyed hash of a value, as the door makes it. */
  fingerprint(value: string): Promise<string>;
  /** Applies the estate with this changed. */
  apply(change: (estate: Estate) => Estate, by?: string): Promise<void>;
}

/** Options by which a worker is another than the usual one. */
const ofTheWorker: ReadonlySet<string> = new Set<keyof HouseOptions>([
  "sealed",
  "build",
  "codeOf",
  "temporal",
]);
const fingerprintKey = randomBytes(32);
const codecKey = new Secret(randomBytes(32).toString("base64"));
let shared: Promise<Connections> | undefined;
let isQuiet = false;

/** The way to the server; one per file. */
export async function connections(): Promise<Connections> {
  shared ??= temporalServer().then(connectTo);
  return shared;
}

/** Ways to this server. */
export async function connectTo(server: {
  readonly address: string;
  readonly namespace: string;
}): Promise<Connections> {
  if (!isQuiet) Runtime.install({ shutdownSignals: [], logger: new DefaultLogger("ERROR") });
  isQuiet = true;
  const { address, namespace } = server;
  const client = await Connection.connect({ address, connectTimeout: "20s" });
  return { client, worker: await NativeConnection.connect({ address }), namespace };
}

/** The data converter of the house, as workers and clients have it. */
export function converter(sealed = true): DataConverter {
  return {
    failureConverterPath: failureConverterPath(),
    ...(sealed ? { payloadCodecs: [sealingCodec(fixedRing([codecKey]), "mark")] } : {}),
  };
}

/** Opens a house; call it in a test. */
export async function openHouse(options: HouseOptions = {}): Promise<House> {
  const fresh = await migratedDatabase();
  const temporal = options.temporal ?? connections;
  const { client: connection, namespace } = await temporal();
  const names = options.consumers ?? ["checkout", "reports"];
  const edges = options.edges ?? {};
  const world = makeWorld(names, pinnedOf(edges), options.traits);
  const installation = newId("inst");
  const policy: Policy = {
    ...quick,
    ...options.policy,
    approval: { ...quick.approval, quorum: options.quorum ?? 0, ...options.approval },
  };
  let estate = estateOf((await people()).owners, policy, names, edges);
  // Long ago, so that nobody counts as a recent editor; whoever applies in an installation goes by its clock.
  let appliedAt = Date.now() - 86_400_000;
  const apply: House["apply"] = async (change, by = "platform") => {
    estate = change(estate);
    await applyEstate(fresh.db, {
      estate,
      digest: newId("digest"),
      by,
      now: appliedAt,
      newId,
      shapes: registeredShapes,
    });
    appliedAt = Date.now();
  };
  await apply((same) => same);
  const credential = (await entryNamed(fresh.db, "credentials", "orders-db")).id;
  const slot = options.firstSlot ?? logins[0];
  const standings = [{ id: world.first.version, slot, life: "active" as const }];
  await recordVersions(fresh.db, { credential, by: null, standings, at: Date.now() - 86_400_000 });
  const dataConverter = converter(options.sealed);
  const client = new Client({ connection, namespace, dataConverter, identity });
  const codeOf = options.codeOf ?? testBundle;
  const crew = crewOf(credential, !Object.keys(options).some((name) => ofTheWorker.has(name)));
  const { taskQueue } = crew;
  const fingerprint = async (value: string) =>
    createHmac("sha256", fingerprintKey).update(value).digest("hex");

  const startWorker = async (build = options.build): Promise<HouseWorker> => {
    const { worker: native, namespace: itsNamespace, queue = taskQueue } = await temporal();
    const codePath = await codeOf(build);
    const db = openDatabase({ url: fresh.url });
    const audit = keptLog(db, options.auditUrl ?? fresh.url);
    const deps: ActivityDeps = {
      db,
      installation,
      systems: async (id) => {
        const systems = await systemsOf(fresh, world, installation, id);
        return options.refit?.(systems) ?? systems;
      },
      source: async () => {
        throw new Error("nothing here has a source");
      },
      channels: async () => null,
      shapes: registeredShapes,
      now: Date.now,
      newId,
      randomSecret,
      sha256Hex,
      fingerprint: (value) => fingerprint(value.reveal()),
      audit: audit.keeper,
      restores: guardOf(db, installation, options.highWater),
      platform: async () => [],
    };
    const way = { connection: native, namespace: itsNamespace, dataConverter, codePath, taskQueue: queue };
    const deployment = build === undefined ? {} : { deployment: deploymentOf(build) };
    const { shutdown, giveBack } = await crew.hire({ ...way, ...deployment }, createActivities(deps));
    let closing: Promise<void> | undefined;
    const close = () => {
      closing ??= Promise.all([db.close(), audit.close()]).then(() => undefined);
      return closing;
    };
    const stop = async () => {
      await shutdown();
      await close();
    };
    onTestFinished(async () => {
      await giveBack();
      await close();
    });
    return {
      stop,
      kill: async () => {
        await Promise.all([close(), shutdown()]);
      },
    };
  };

  const worker = await startWorker();
  const workflowId = rotationWorkflowId(credential);
  onTestFinished(async () => {
    const handle = client.workflow.getHandle(workflowId);
    await handle.terminate("the test is over").catch(() => undefined);
  });
  return {
    fresh,
    world,
    client,
    installation,
    credential,
    workflowId,
    taskQueue,
    worker,
    startWorker,
    fingerprint,
    apply,
    start: (input = {}, id = workflowId) =>
      client.workflow.start("rotate", {
        workflowId: id,
        taskQueue,
        args: [{ credential, requestedBy: "eve", reason: "it is time", ...input }],
        workflowIdConflictPolicy: "FAIL",
        typedSearchAttributes: [
          { key: defineSearchAttributeKey("RekeyPhase", "KEYWORD"), value: "planning" },
          { key: defineSearchAttributeKey("RekeyEmergency", "BOOL"), value: input.emergency !== undefined },
        ],
      }),
  };
}

function pinnedOf(edges: Readonly<Record<string, EdgeShape>>): string[] {
  return Object.keys(edges).filter((name) => edges[name]?.pinned);
}

function estateOf(
  owners: Estate["owners"],
  policy: Policy,
  consumers: readonly string[],
  edges: Readonly<Record<string, EdgeShape>>,
): Estate {
  const consumer = {
    owner: "payments",
    observe: [{ kind: "memory" }],
    reversible: true,
    canary: false,
  };
  return {
    version: 1,
    installation: "test",
    owners,
    stores: { secrets: { kind: "memory" } },
    issuers: { main: { kind: "memory" } },
    notifiers: {},
    sources: {},
    policies: { quick: policy },
    consumers: Object.fromEntries(
      consumers.map((name, index) => {
        const { canary = false, reversible = true } = edges[name] ?? {};
        // The world's own sessions are the first one's; what two claim would be nobody's.
        const match = { applicationName: [index === 0 ? "app" : name], address: [] };
        return [name, { ...consumer, match, canary, reversible }];
      }),
    ),
    credentials: {
      "orders-db": {
        issuer: "main",
        account: { logins: [...logins] },
        store: "secrets",
        place: { path: "orders" },
        owner: "payments",
        policy: "quick",
        class: "service-account",
        purpose: "Orders are read and written with it.",
        consumers: consumers.map((name): Edge => {
          const { pinned = false, wave } = edges[name] ?? {};
          const alone = pinned ? ({ isolation: "pinned", place: { path: pathOf(name) } } as const) : null;
          return { consumer: name, isolation: "shared", ...alone, ...(wave === undefined ? {} : { wave }) };
        }),
      },
    },
  };
}

async function systemsOf(fresh: Fresh, world: World, installation: string, id: string): Promise<Systems> {
  const estate = (await currentEstate(fresh.db))?.estate;
  const policy = estate?.policies.quick;
  const credential = estate?.credentials["orders-db"];
  if (estate === undefined || policy === undefined || credential === undefined) throw new Error("no estate");
  const edges = new Map(credential.consumers.map((edge) => [edge.consumer, edge]));
  const pinned = [...edges.values()].flatMap(({ consumer, place }) => (place ? [consumer] : []));
  const { issuer, store, own } = adaptersOf(world, installation, pinned);
  const consumers = await Promise.all(
    [...world.consumers].map(async ([name, adapter]): Promise<ConsumerSystem> => {
      const { owner = "", match, reversible = true, canary = false } = estate.consumers[name] ?? {};
      const { id: consumerId } = await entryNamed(fresh.db, "consumers", name);
      const { isolation = "shared", wave = null } = edges.get(name) ?? {};
      return {
        id: consumerId,
        name,
        owner,
        isolation,
        reversible,
        place: own.has(name) ? consumerId : "main",
        memoryMs: 0,
        memoryKnown: true,
        canary,
        wave,
        match: match ?? { applicationName: [], address: [] },
        observe: [adapter],
        deliver: null,
      };
    }),
  );
  return {
    id,
    name: "orders-db",
    estate,
    owner: credential.owner,
    policy,
    rules: rulesOf(policy),
    issuer,
    stores: {
      ...Object.fromEntries(
        consumers.flatMap(({ name, place }) => {
          const alone = own.get(name);
          return alone === undefined ? [] : [[place, alone]];
        }),
      ),
      main: store,
    },
    consumers,
    notifiers: [],
    lockKeys: [
      `credential:${id}`,
      ...logins.map((login) => `account:${login}`),
      "place:orders",
      ...pinned.map((name) => `place:${pathOf(name)}`),
    ],
  };
}

/** The guard of a worker, with a note of its own unless it shares one. */
export function guardOf(db: Database, installation: string, file = join(testFolder(), "generation")) {
  return restoreGuard({ db, installation, outside: fileHighWater(file), now: Date.now, newId });
}

/** SHA-256 of a report's reason, which responders sign. */
export function digestOf(reason: string): string {
  return createHash("sha256").update(reason).digest("hex");
}
