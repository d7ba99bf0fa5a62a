/** The builds that a namespace's workers run, which of them gets new rotations, and which may be stopped. */
import type { Connection } from "@temporalio/client";
import { RekeyError } from "../domain/errors.js";
import { deploymentName } from "../workflows/messages.js";

/** One build. `draining`: rotations that it began still run, and need its workers; `drained`: none does. */
export interface WorkerBuild {
  readonly build: string;
  readonly standing: "current" | "waiting" | "draining" | "drained";
  /** When its first worker was seen, in milliseconds since the epoch. */
  readonly since: number;
}

/** Temporal's numbers for what is left to do for a version. */
const drainage: Readonly<Record<number, WorkerBuild["standing"]>> = { 1: "draining", 2: "drained" };
const notFound = 5;

async function described(connection: Connection, namespace: string) {
  return connection.workflowService
    .describeWorkerDeployment({ namespace, deploymentName })
    .catch((error: { code?: number }) => {
      if (error.code === notFound) return null;
      throw error;
    });
}

/** The builds, newest first; none where versions are off. */
export async function buildsOf(connection: Connection, namespace: string): Promise<WorkerBuild[]> {
  const info = (await described(connection, namespace))?.workerDeploymentInfo;
  const current = info?.routingConfig?.currentDeploymentVersion?.buildId;
  return (info?.versionSummaries ?? [])
    .map(({ deploymentVersion, drainageInfo, createTime }): WorkerBuild => {
      const build = deploymentVersion?.buildId ?? "";
      const standing = drainage[drainageInfo?.status ?? 0] ?? "waiting";
      return {
        build,
        standing: build === current ? "current" : standing,
        since: Number(createTime?.seconds ?? 0) * 1000,
      };
    })
    .sort((a, b) => b.since - a.since);
}

/** Sends new rotations to a build. Those that run stay where they are. Throws `not-found` for one of which no worker was seen. */
export async function makeCurrent(connection: Connection, namespace: string, build: string): Promise<void> {
  const known = await buildsOf(connection, namespace);
  if (!known.some((one) => one.build === build)) {
    const names = known.map((one) => one.build).join(", ");
    const hint = names === "" ? "Start a worker with REKEY_WORKER_VERSIONS=on." : `There are ${names}.`;
    throw new RekeyError("not-found", `No worker of the build ${build} was seen.`, hint);
  }
  await connection.workflowService.setWorkerDeploymentCurrentVersion({
    namespace,
    deploymentName,
    buildId: build,
    identity: "rekey",
    ignoreMissingTaskQueues: true,
  });
}
