/**
 * One look at a rotation. The records say where it is, because they are written before anything else is told;
 * its workflow, where it answers, adds what was done this second and how long it took.
 */
import { RekeyError } from "../../domain/errors.js";
import { foldAll } from "../../domain/rotation/fold.js";
import type { RotationState } from "../../domain/rotation/state.js";
import type { Step } from "../../domain/rotation/steps.js";
import type { RotationSummary } from "../../inventory/rotations.js";
import type { Progress, TimelineEntry } from "../../workflows/messages.js";
import type { Services } from "./deps.js";
import { timelineOf } from "./format/events.js";
import { latestRotation } from "./subject.js";

/** What a look asks. */
type LookServices = Pick<Services, "inventory" | "rotations">;

/** What a look found. */
export interface Look {
  readonly row: RotationSummary;
  readonly state: RotationState;
  readonly timeline: readonly TimelineEntry[];
  /** The change that is under way; null between two of them. */
  readonly doing: Step | null;
  /** What its workflow says of where it stands; null where that does not answer, or is another epoch's. */
  readonly told: Pick<Progress, "gate" | "sentence" | "who" | "until"> | null;
  readonly now: number;
  /** `gone`: its workflow has ended and it has not; `silent`: the workflow did not answer, or is another epoch's. */
  readonly workflow: "live" | "silent" | "gone";
}

/**
 * Looks once at the latest rotation of the credential (an id). Null while there is none, or none but `ignore`:
 * an earlier rotation that must not be taken for the one that was just started.
 */
export async function lookAt(
  services: LookServices,
  credential: string,
  now: number,
  ignore?: string,
): Promise<Look | null> {
  const latest = await latestRotation(services, credential);
  return latest === null || latest.id === ignore ? null : lookInto(services, latest, now);
}

/** Looks once at this rotation, whatever has become of it. */
export async function lookInto(
  services: LookServices,
  { id, workflowId }: Pick<RotationSummary, "id" | "workflowId">,
  now: number,
): Promise<Look> {
  const [record, told, gone] = await Promise.all([
    services.inventory.rotation(id),
    asked(() => services.rotations.progress(workflowId)),
    hasEnded(services, workflowId),
  ]);
  const { initial, events, openIntent, ...row } = record;
  const state = foldAll(initial, events);
  const mine = told !== null && told.rotation === row.id && told.epoch === row.epoch;
  return {
    row,
    state,
    timeline: mine ? told.timeline : timelineOf(record),
    doing: openIntent?.step ?? null,
    told: mine ? told : null,
    now,
    workflow: gone && state.closed === null ? "gone" : mine ? "live" : "silent",
  };
}

/** True when the workflow is known to have ended, by itself or by somebody's hand, or to be lost with Temporal's data (H8). */
async function hasEnded({ rotations }: LookServices, workflow: string): Promise<boolean> {
  try {
    const standing = await asked(() => rotations.standing(workflow));
    return standing === "ended" || standing === "lost";
  } catch {
    // It has failed; with what is told by the records, or by whoever started it.
    return true;
  }
}

/** What was answered; null from a workflow that is silent or lost, which is no failure here: the records are enough. */
export async function asked<T>(question: () => Promise<T>): Promise<T | null> {
  try {
    return await question();
  } catch (failure) {
    if (failure instanceof RekeyError && ["unreachable", "already-closed"].includes(failure.code))
      return null;
    throw failure;
  }
}
