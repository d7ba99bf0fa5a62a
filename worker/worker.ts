/** The process that does the work: polls Temporal, runs workflows and activities, and stops without leaving anything half done. */
import { readFile } from "node:fs/promises";
import { DefaultLogger, NativeConnection, Runtime, Worker, type WorkerOptions } from "@temporalio/worker";
import { resolveInHand } from "../activities/in-hand.js";
import { createActivities } from "../activities/index.js";
import type { AdapterDeps } from "../adapters/ports.js";
import { type Kinds, kinds } from "../adapters/registry.js";
import { keepLog } from "../audit/keeper.js";
import { shapesOf } from "../domain/estate/shapes.js";
import type { Database } from "../inventory/database.js";
import { keepFingerprintKey } from "../inventory/fingerprint-key.js";
import { sha256Hex } from "../inventory/hash.js";
import { ensureInstallation } from "../inventory/installation.js";
import { migrate } from "../inventory/migrate.js";
import { processesSeen } from "../inventory/processes.js";
import { restoreGuard } from "../inventory/restore-guard.js";
import { emergencyQueue, rotationQueue } from "../workflows/messages.js";
import { openAudit } from "./audit.js";
import { diagnoseAudit } from "./audit-diagnosis.js";
import { installationClock, timed } from "./clock.js";
import { bundlePath, type Installation } from "./config.js";
import { buildOf, deploymentOf, takePlace } from "./deployment.js";
import {
  adapterDepsOf,
  codecRingOf,
  converterWith,
  databaseOf,
  fingerprinterOf,
  fingerprintKeyDigest,
  newId,
  randomSecret,
  temporalLoginOf,
} from "./installation.js";
import { needingKey } from "./needing.js";
import { diagnosePlatform } from "./platform.js";
import { keepSchedules } from "./schedules.js";
import { channelOpener, sourceOpener, systemsKeeper } from "./systems.js";
import { keepTelling } from "./tell.js";

/** Emergencies have slots of their own, so that they never stand behind ordinary work. */
const emergencySlots = 10;
const cachedWorkflowsMax = 500;
const shutdownGraceTime = "20s";

/** What nobody waits for is in the log within seconds, and signed within a minute. */
const auditPace = { flushEveryMs: 2_000, signEveryMs: 60_000 };

/** A worker that runs. `stop` lets activities that are under way end, and resolves when nothing is left. */
export interface RunningWorker {
  readonly done: Promise<void>;
  stop(): Promise<void>;
}

/**
 * What stands between the engine and everything outside it: whoever gives one sees every call that goes out, and
 * may refuse, repeat or delay it. Only the fault harness has one; `test/faults` proves that no product code does.
 */
export interface Between {
  readonly kinds: (given: Kinds) => Kinds;
  readonly database: (given: Database) => Database;
  readonly adapterDeps: (given: AdapterDeps) => AdapterDeps;
  readonly activities: (given: Activities) => Activities;
}

/** The activities by their names. */
export type Activities = ReturnType<typeof createActivities>;

/** Starts a worker for both queues. Resolves once it polls; throws `missing-setup` or `unreachable` when it cannot. */
export async function startWorker(settings: Installation, between?: Between): Promise<RunningWorker> {
  quietRuntime();
  const direct = await databaseOf(settings);
  const db = between?.database(direct) ?? direct;
  await migrate(db);
  const clock = await installationClock(db);
  const { now } = clock;
  const { id: installation } = await ensureInstallation(db, {
    id: settings.REKEY_INSTALLATION ?? newId("inst"),
    createdAt: now(),
    restoreGeneration: newId("gen"),
  });
  const warn = (sentence: string) => Runtime.instance().logger.warn(sentence);
  const keyOf = { digest: await fingerprintKeyDigest(settings), now: now() };
  if (await keepFingerprintKey(db, { ...keyOf, replaces: settings.REKEY_FINGERPRINT_KEY_REPLACES }))
    warn("Values are recognised by another key from now on; those that were met or made before are not.");
  const audit = await openAudit(settings, {
    ...{ db, installation, now, warn },
    between: between?.database,
  });
  const login = await temporalLoginOf(settings);
  const namespace = settings.REKEY_TEMPORAL_NAMESPACE;
  const opened = await adapterDepsOf(settings, installation, now, {
    processes: () => processesSeen(direct),
    needing: (keyId, memoryMs) => needingKey({ db: direct, login, namespace }, keyId, memoryMs),
  });
  const adapterDeps = { ...opened, resolve: resolveInHand(opened.resolve) };
  const systems = systemsKeeper(db, between?.adapterDeps(adapterDeps) ?? adapterDeps, between?.kinds(kinds));
  const untimed = createActivities({
    db,
    installation,
    systems: systems.open,
    source: sourceOpener(db, between?.adapterDeps(adapterDeps) ?? adapterDeps, between?.kinds(kinds)),
    channels: channelOpener(db, between?.adapterDeps(adapterDeps) ?? adapterDeps, between?.kinds(kinds)),
    shapes: shapesOf(kinds),
    now,
    newId,
    randomSecret,
    sha256Hex,
    fingerprint: await fingerprinterOf(settings),
    audit: audit.keeper,
    restores: restoreGuard({ db, installation, outside: audit.highWater, now, newId }),
    platform: async () => [
      ...(await diagnosePlatform({
        db,
        login,
        namespace,
        nodeVersion: process.versions.node,
        now: Date.now,
        // Linux alone has it.
        limits: await readFile("/proc/self/limits", "utf8").catch(() => ""),
      })),
      await diagnoseAudit({ ...audit, now }),
    ],
  });
  const activities = timed(untimed, clock);
  const connection = await NativeConnection.connect(login);
  const ring = await codecRingOf(settings, warn);
  const dataConverter = converterWith(ring, "mark");
  const build = buildOf(settings);
  const common: Omit<WorkerOptions, "taskQueue"> = {
    connection,
    namespace,
    dataConverter,
    workflowBundle: { codePath: bundlePath() },
    activities: between?.activities(activities) ?? activities,
    maxCachedWorkflows: cachedWorkflowsMax,
    shutdownGraceTime,
    ...(build === undefined ? {} : { workerDeploymentOptions: deploymentOf(build) }),
  };
  const workers = await Promise.all([
    Worker.create({
      ...common,
      taskQueue: rotationQueue,
      maxConcurrentActivityTaskExecutions: settings.REKEY_ACTIVITY_SLOTS,
    }),
    Worker.create({
      ...common,
      taskQueue: emergencyQueue,
      maxConcurrentActivityTaskExecutions: emergencySlots,
    }),
  ]);
  if (build !== undefined && (await takePlace(login, namespace, build)) === "waiting")
    warn(`The build ${build} gets no new rotations until \`rekey workers --current ${build}\`.`);
  const stopTelling = await keepTelling({ db: direct, ring, role: "worker", id: newId("proc"), warn });
  const stopSchedules = keepSchedules({
    db,
    ring,
    login,
    namespace,
    dataConverter,
    warn,
  });
  const stopLog = keepLog(audit.keeper, { ...auditPace, now, warn });
  const done = Promise.all(workers.map((worker) => worker.run()))
    .then(() => undefined)
    .finally(async () => {
      await stopSchedules();
      await stopTelling();
      await systems.close();
      await stopLog();
      await audit.close();
      await connection.close();
      await db.close();
    });
  return {
    done,
    stop: async () => {
      for (const worker of workers) if (worker.getState() === "RUNNING") worker.shutdown();
      await done;
    },
  };
}

let installed = false;

/** The SDK's runtime is one a process, and has to be set before its first use. */
function quietRuntime(): void {
  if (installed) return;
  installed = true;
  // Signals are ours: the caller stops the worker, and decides what happens around it.
  Runtime.install({ shutdownSignals: [], logger: new DefaultLogger("WARN") });
}
