/**
 * What the harness does to a lane from outside, at the moment in which its worker reaches a point: servers that
 * are away or silent, a worker that is frozen for longer than anybody waits for it, a workflow that is ended.
 */
import { createHash } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import type { RotateInput } from "../../../workflows/messages.js";
import type { Outage } from "../seam/points.js";
import { restoreLog } from "./audit-log.js";
import type { DoorState } from "./gateway.js";
import type { Lane } from "./lane.js";
import { recreateNamespace, takeUp } from "./recreated.js";
import { restoreInventory } from "./restored.js";

const outageMs = 3_000;
/** Longer than whoever does not wait for the standby needs from a switch to the end. */
const laggingMs = 6_000;
/** Longer than whoever believes what it is shown needs from a delivery to a revocation. */
const blindMs = 6_000;
/** Longer than a look or a login is waited for; and, in one case of so many, longer than any call lasts. */
const goneMs = { usual: 12_000, long: 33_000, longOneIn: 8 };
/** Longer than an activity's heartbeat may be late. */
const frozenMs = 22_000;
const openedMsMax = 60_000;

/** What others do meanwhile. */
export interface Others {
  note: string | undefined;
  restoredAt: number | null;
  /** What the audit log did not show of having been put back, each in a sentence; null where it was not. */
  unshown: string[] | null;
}

/** What an outage is about. */
export interface Disturbed {
  readonly lane: Lane;
  readonly outage: Outage;
  /** Name of the point at which it begins. */
  readonly point: string;
  readonly workflow: string;
  readonly input: RotateInput;
  /** The field of the document that is somebody else's, as they wrote it last; when issuer or store were put back. */
  readonly others: Others;
  /** Lets the worker's call go on; it waits for that at its point. */
  readonly goOn: () => void;
  /** Asked right before it ends. */
  readonly atEnd: () => Promise<void>;
}

/** Brings it about and ends it again; resolves once it is over. */
export async function disturb({
  lane,
  outage,
  point,
  workflow,
  input,
  others,
  goOn,
  atEnd,
}: Disturbed): Promise<void> {
  const [system, how] = outage.split("-") as [string, string];
  const handle = lane.temporal.workflow.getHandle(workflow);
  switch (outage) {
    case "worker-frozen": {
      // Somebody else goes on meanwhile; then the frozen one wakes up in the middle of what it was doing.
      await lane.spare.start();
      const { pid } = lane.worker;
      if (pid === undefined) return;
      process.kill(pid, "SIGSTOP");
      await pause(frozenMs);
      process.kill(pid, "SIGCONT");
      return goOn();
    }
    case "workflow-terminated":
      await handle.terminate("by the harness");
      await lane.rotations.start(input);
      await opened(lane, workflow);
      return goOn();
    case "workflow-reset":
      await reset(lane, workflow);
      return goOn();
    case "store-written":
      others.note = `written by somebody else at ${Date.now()}`;
      await lane.world.annotate?.(others.note);
      return goOn();
    case "temporal-recreated":
      return recreated(lane, workflow, input, goOn);
    case "inventory-restored":
      return restoreInventory(lane, workflow, goOn, atEnd);
    case "audit-restored":
      others.unshown = await restoreLog(lane, goOn, atEnd);
      return;
    case "issuer-restored":
    case "store-restored": {
      const backup = lane.world.backups?.[system === "store" ? "store" : "issuer"];
      if (backup === undefined) throw new Error(`the ${system} of ${lane.worldName} cannot be restored`);
      others.restoredAt = Date.now();
      await backup.putBack();
      return goOn();
    }
    case "standby-lagging":
      await lane.world.lag?.(true);
      goOn();
      await pause(laggingMs);
      await atEnd();
      return lane.world.lag?.(false);
    case "inventory-readonly":
    case "audit-readonly":
      return forAWhile((on) => lane.readOnly(system === "audit" ? "audit" : "inventory", on), goOn, atEnd);
    case "inventory-full":
    case "audit-full":
      return forAWhile((on) => lane.fill(system === "audit" ? "audit" : "inventory", on), goOn, atEnd);
    case "issuer-blind": {
      const { blind } = lane.world;
      if (blind === undefined) throw new Error(`the engine of ${lane.worldName} cannot be blinded`);
      return forAWhile(blind, goOn, atEnd, blindMs);
    }
    case "source-unmounted": {
      const { unmount } = lane.world;
      if (unmount === undefined) throw new Error(`the sources of ${lane.worldName} read no files`);
      return forAWhile(unmount, goOn, atEnd);
    }
    case "store-sealed": {
      const { seal } = lane.world;
      if (seal === undefined) throw new Error(`the store of ${lane.worldName} cannot be sealed`);
      return forAWhile(seal, goOn, atEnd);
    }
    case "issuer-full": {
      const { issuer } = lane.world.fill ?? {};
      if (issuer === undefined) throw new Error(`the issuer of ${lane.worldName} cannot be full`);
      return forAWhile(issuer, goOn, atEnd);
    }
    case "issuer-readonly":
    case "store-readonly": {
      const readOnly = lane.world.readOnly?.[system === "store" ? "store" : "issuer"];
      if (readOnly === undefined) throw new Error(`the ${system} of ${lane.worldName} cannot be read-only`);
      return forAWhile(readOnly, goOn, atEnd);
    }
    default: {
      const door = lane.doors[system];
      if (door === undefined) throw new Error(`lane ${lane.index} has no door to its ${system}`);
      const isGone = how === "gone";
      const state = isGone ? "hung" : (how as DoorState);
      const forMs = isGone ? goneFor(`${outage} at ${point}`) : outageMs;
      return forAWhile(async (on) => door.become(on ? state : "open"), goOn, atEnd, forMs);
    }
  }
}

/** Brings something about, lets the call go on, and ends it some seconds later. */
async function forAWhile(
  bring: (on: boolean) => Promise<void>,
  goOn: () => void,
  atEnd: () => Promise<void>,
  forMs: number = outageMs,
): Promise<void> {
  await bring(true);
  goOn();
  await pause(forMs);
  await atEnd();
  await bring(false);
}

/** How long a server is silent that is gone: by the case's name, so that it is the same whenever the case is played. */
function goneFor(name: string): number {
  const drawn = createHash("sha256").update(name).digest()[0] ?? 0;
  return drawn % goneMs.longOneIn === 0 ? goneMs.long : goneMs.usual;
}

/** The old worker wakes up behind all of that, with a change that nobody waits for any more, and is replaced. */
async function recreated(lane: Lane, workflow: string, input: RotateInput, goOn: () => void): Promise<void> {
  const { pid } = lane.worker;
  if (pid === undefined) return;
  lane.worker.abandon();
  process.kill(pid, "SIGSTOP");
  await recreateNamespace(lane, workflow);
  await lane.spare.start();
  await takeUp(lane, input);
  await opened(lane, workflow);
  process.kill(pid, "SIGCONT");
  goOn();
  await pause(outageMs);
  await lane.worker.stop();
  await lane.worker.start();
}

/**
 * The new run has taken the rotation up: only then does the old one's activity go on, with an epoch that is over. Had
 * it closed the rotation first, the new run would begin another one, which nobody asked for.
 */
async function opened(lane: Lane, workflow: string): Promise<void> {
  const until = Date.now() + openedMsMax;
  while (Date.now() < until) {
    const progress = await lane.rotations.progress(workflow).catch(() => null);
    if (progress !== null && progress.rotation !== "") return;
    await pause(100);
  }
}

/** What `temporal workflow reset --type LastWorkflowTask` does. */
async function reset({ temporal }: Lane, workflowId: string): Promise<void> {
  const handle = temporal.workflow.getHandle(workflowId);
  const [{ runId }, { events }] = [await handle.describe(), await handle.fetchHistory()];
  const completed = (events ?? []).filter((event) => event.workflowTaskCompletedEventAttributes != null);
  const last = completed.at(-1)?.eventId;
  if (last === undefined || last === null) return;
  await temporal.workflowService.resetWorkflowExecution({
    namespace: temporal.options.namespace,
    workflowExecution: { workflowId, runId },
    workflowTaskFinishEventId: last,
    requestId: `faults-${runId}`,
    reason: "by the harness",
  });
}
