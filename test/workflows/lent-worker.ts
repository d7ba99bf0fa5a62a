/**
 * Workers for the houses of the workflow tests. To make one takes a fifth of a second of processor time, as much as a whole
 * rotation: a thread, the SDK in it, and the bundle. So the usual one is lent to one house after the other, and whoever
 * stops it, or wants another than the usual one, has their own.
 */
import { Context } from "@temporalio/activity";
import type { DataConverter } from "@temporalio/common";
import { type NativeConnection, Worker, type WorkerOptions } from "@temporalio/worker";
import type { createActivities } from "../../activities/index.js";
import { newId } from "../../worker/installation.js";

/** What a worker does, by name. */
type Activities = ReturnType<typeof createActivities>;

/** What a worker is made with, besides what it does. */
interface Make {
  readonly connection: NativeConnection;
  readonly namespace: string;
  readonly dataConverter: DataConverter;
  readonly codePath: string;
  readonly taskQueue: string;
  readonly deployment?: WorkerOptions["workerDeploymentOptions"];
}

/** A worker that runs. */
export interface Hired {
  /** Stops it, having let it end what it does. */
  shutdown(): Promise<void>;
  /** When the house is over: the same, or it goes to the next house. What of this one asks it for more is refused, and ended. */
  giveBack(): Promise<void>;
}

/** Workers of one house. */
export interface Crew {
  /** Queue of those that are not told another one. */
  readonly taskQueue: string;
  /** Starts one that does this. */
  hire(make: Make, activities: Activities): Promise<Hired>;
}

/** What Temporal's records name instead of the machine that runs the tests. */
export const identity = "house";

async function started(
  { codePath, deployment, ...make }: Make,
  activities: Record<string, (...args: never[]) => Promise<unknown>>,
): Promise<{ readonly isRunning: () => boolean; readonly shutdown: () => Promise<void> }> {
  const worker = await Worker.create({
    ...make,
    identity,
    workflowBundle: { codePath },
    activities,
    maxCachedWorkflows: 20,
    shutdownGraceTime: 1,
    shutdownForceTime: "5s",
    ...(deployment === undefined ? {} : { workerDeploymentOptions: deployment }),
  });
  const done = worker.run().catch(() => undefined);
  const isRunning = () => worker.getState() === "RUNNING";
  return {
    isRunning,
    shutdown: async () => {
      if (isRunning()) worker.shutdown();
      await done;
    },
  };
}

/** A house that has a worker, and what that does for it at the moment. */
interface Borrower {
  readonly credential: string;
  readonly activities: Activities;
  readonly running: Set<Promise<unknown>>;
}

/** The worker that is lent, and to whom. */
interface Lent {
  readonly taskQueue: string;
  worker: Awaited<ReturnType<typeof started>> | undefined;
  borrower: Borrower | "next" | undefined;
}

/** For how long what it does may go on after a house: as long as a worker that is told to stop lets it. */
const lastMsMax = 5_000;

let lent: Lent | undefined;
/** Credentials of houses that are over. */
const former = new Set<string>();

/**
 * The workers of the house of this credential. The first is the one that this process lends, where the house wants a usual one
 * (`isUsual`: made as every other usual one is) and nobody else has it.
 */
export function crewOf(credential: string, isUsual: boolean): Crew {
  let loan = isUsual ? borrowed() : undefined;
  return {
    taskQueue: loan?.taskQueue ?? newId("queue"),
    hire: async (make, activities) => {
      const mine: Borrower = { credential, activities, running: new Set() };
      const names = Object.keys(activities);
      if (loan === undefined) {
        // It may be on the queue of the one that was lent, where workflows of former houses may wait.
        const own = await started(
          make,
          dispatched(names, () => mine),
        );
        return { shutdown: own.shutdown, giveBack: own.shutdown };
      }
      const one = loan;
      loan = undefined;
      one.borrower = mine;
      const present = () => (one.borrower === "next" ? undefined : one.borrower);
      one.worker ??= await started(make, dispatched(names, present));
      return { shutdown: () => retire(one), giveBack: () => giveBack(one, mine) };
    },
  };
}

function borrowed(): Lent | undefined {
  if (lent?.borrower !== undefined) return undefined;
  if (lent?.worker?.isRunning() !== true) {
    lent = { taskQueue: newId("queue"), worker: undefined, borrower: undefined };
  }
  lent.borrower = "next";
  return lent;
}

async function retire(one: Lent): Promise<void> {
  if (lent === one) lent = undefined;
  await one.worker?.shutdown();
}

async function giveBack(one: Lent, { credential, running }: Borrower): Promise<void> {
  if (lent !== one) return retire(one);
  former.add(credential);
  const ended = Promise.allSettled(running).then(() => true);
  const late = new Promise<false>((resolve) => setTimeout(resolve, lastMsMax, false).unref());
  if (running.size > 0 && !(await Promise.race([ended, late]))) return retire(one);
  one.borrower = undefined;
}

/** Activities of these names, which are done by those of whoever has the worker when they are asked for. */
function dispatched(names: readonly string[], borrower: () => Borrower | undefined) {
  return Object.fromEntries(
    names.map((name) => [name, (...args: unknown[]) => dispatch(borrower(), name as keyof Activities, args)]),
  );
}

/** Ids of workflows name the credential, which is each house's own. */
async function dispatch(
  borrower: Borrower | undefined,
  name: keyof Activities,
  args: unknown[],
): Promise<unknown> {
  const { info, client } = Context.current();
  const workflowId = info.workflowExecution?.workflowId ?? "";
  if (borrower === undefined || workflowId.split("/").some((part) => former.has(part))) {
    await client.workflow.getHandle(workflowId).terminate("its house is no more");
    throw new Error("the house that asks for this is no more");
  }
  const activity = borrower.activities[name] as (...given: unknown[]) => Promise<unknown>;
  const work = activity(...args);
  borrower.running.add(work);
  try {
    return await work;
  } finally {
    borrower.running.delete(work);
  }
}
