/**
 * Which code does what. With versions on, a rotation stays with the code that began it (Temporal's worker
 * deployments, PINNED), and new ones go to the build that is current; so an upgrade meets no rotation half-way.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Connection } from "@temporalio/client";
import type { WorkerDeploymentOptions } from "@temporalio/worker";
import { deploymentName } from "../workflows/messages.js";
import { bundlePath, type Installation } from "./config.js";
import { projectRoot } from "./dev/places.js";
import type { TemporalLogin } from "./installation.js";

const callMsMax = 10_000;
const notFound = 5;
const hashLength = 12;

/** The build that a worker tells Temporal; `undefined` with versions off: then any worker takes up any rotation. */
export function buildOf(settings: Installation): string | undefined {
  return settings.REKEY_WORKER_VERSIONS === "off" ? undefined : (settings.REKEY_WORKER_BUILD ?? ownBuild());
}

/** What a worker of this build is made with. */
export function deploymentOf(build: string): WorkerDeploymentOptions {
  return {
    version: { deploymentName, buildId: build },
    useWorkerVersioning: true,
    defaultVersioningBehavior: "PINNED",
  };
}

/** The package's version with the beginning of the workflow code's hash: two builds with one name have one code. */
function ownBuild(): string {
  const { version } = JSON.parse(readFileSync(join(projectRoot(), "package.json"), "utf8")) as {
    version: string;
  };
  const hash = createHash("sha256").update(readFileSync(bundlePath())).digest("hex");
  return `${version}-${hash.slice(0, hashLength)}`;
}

/** Where it is in the order of things. `first`: nobody was current, so new rotations go to it from now on. */
export type Place = "current" | "first" | "waiting";

/**
 * Looks whether this build gets new rotations, once its workers poll. The very first build of a namespace makes
 * itself current, as nothing would run otherwise; a later one waits for `rekey workers --current`.
 */
export async function takePlace(login: TemporalLogin, namespace: string, build: string): Promise<Place> {
  const connection = await Connection.connect(login);
  try {
    return await connection.withDeadline(Date.now() + callMsMax, async () => {
      const service = connection.workflowService;
      const described = await service
        .describeWorkerDeployment({ namespace, deploymentName })
        .catch((error: { code?: number }) => {
          // A deployment exists once its first worker was seen, which may be a moment from now.
          if (error.code === notFound) return null;
          throw error;
        });
      const current = described?.workerDeploymentInfo?.routingConfig?.currentDeploymentVersion?.buildId;
      if (current) return current === build ? "current" : "waiting";
      await service.setWorkerDeploymentCurrentVersion({
        namespace,
        deploymentName,
        buildId: build,
        identity: "rekey-worker",
        ignoreMissingTaskQueues: true,
        // Another first one may have been quicker; whose token is old is told so, and looks again at its next start.
        conflictToken: described?.conflictToken ?? null,
        allowNoPollers: true,
      });
      return "first";
    });
  } finally {
    await connection.close();
  }
}
