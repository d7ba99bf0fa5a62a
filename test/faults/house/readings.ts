/** The readings of a lane's sources: the first ones, without which nothing is rotated, and those that a rotation has begun. */
import { setTimeout as pause } from "node:timers/promises";
import { type Client, WorkflowNotFoundError } from "@temporalio/client";
import type { RotationClient } from "../../../client/temporal.js";
import { readingWorkflowId } from "../../../workflows/messages.js";

/** A source of the estate. */
export interface OwnSource {
  readonly id: string;
  readonly name: string;
}

const endMsMax = 240_000;
const pollMs = 150;

/** Where they are read. */
interface Watched {
  readonly temporal: Client;
  readonly sources: readonly OwnSource[];
}

/** Reads each source to its end. Throws, and says why, where one cannot be read. */
export async function readAll(
  rotations: Pick<RotationClient, "discover">,
  sources: readonly OwnSource[],
): Promise<void> {
  await Promise.all(
    sources.map(async (source) => {
      const report = await rotations.discover(source);
      const why = report === null ? "it takes too long" : report.failure;
      if (why !== null) throw new Error(`the source ${source.name} was not read: ${why}`);
    }),
  );
}

/**
 * Resolves once no reading is under way: the findings follow behind it while its rotation goes on, and the next case counts
 * its own calls. Throws where one does not end.
 */
export async function readingsOver({ temporal, sources }: Watched): Promise<void> {
  const until = Date.now() + endMsMax;
  for (const { id, name } of sources) {
    const handle = temporal.workflow.getHandle(readingWorkflowId(id));
    const isRunning = () =>
      handle.describe().then(
        ({ status }) => status.name === "RUNNING",
        (error: unknown) => {
          // Of a namespace that was made anew.
          if (error instanceof WorkflowNotFoundError) return false;
          throw error;
        },
      );
    while (await isRunning()) {
      if (Date.now() > until) throw new Error(`the reading of ${name} does not end`);
      await pause(pollMs);
    }
  }
}
