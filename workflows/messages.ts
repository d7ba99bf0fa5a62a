/**
 * How a rotation is talked to: the names and shapes of its messages, shared by workflows and clients so that
 * neither can drift. References and signed documents travel, never values.
 */
import { defineQuery, defineSignal, defineUpdate } from "@temporalio/workflow";
import type { Finding } from "../domain/finding.js";
import type { Orphan } from "../domain/reconcile.js";
import type { Outcome, Plan, RotationState } from "../domain/rotation/state.js";
import type { Exit } from "../domain/rotation/steps.js";
import type { EmergencyReport } from "../domain/rotation/work.js";

/** Name of the task queue that ordinary rotations run on. */
export const rotationQueue = "rekey-rotations";
/** Task queue of emergencies, so that they never stand behind ordinary work. */
export const emergencyQueue = "rekey-emergencies";
/** Name of the worker deployment in the namespace, where workers tell their builds. */
export const deploymentName = "rekey";

/** How a rotation is found. It is not the lock (H8). */
export function rotationWorkflowId(credentialId: string): string {
  return `rotate/${credentialId}`;
}

/** How the reading of a source is found, by the id of its entry in the estate. */
export function readingWorkflowId(sourceId: string): string {
  return `discover/${sourceId}`;
}

/** The workflow id under which an epoch takes over a rotation whose workflow does not answer (H24). */
export function takeoverWorkflowId(credentialId: string, epoch: number): string {
  return `rotate/${credentialId}/e${epoch}`;
}

/** What starts a rotation. */
export interface RotateInput {
  readonly credential: string;
  readonly requestedBy: string;
  readonly reason: string;
  /** A signed report; its presence makes the rotation an emergency one. */
  readonly emergency?: EmergencyReport;
  /** Its presence makes it the removal of what is nobody's: it leads to the version that is live, and makes none. */
  readonly remove?: readonly Orphan[];
  /** The rotation as the run before left it; only a continued run carries it. */
  readonly continued?: { readonly state: RotationState; readonly timeline: readonly TimelineEntry[] };
}

/** What a person asks `tend` for: the lost rotation of this credential (an id). */
export interface TendOrder {
  readonly credential: string;
  readonly requestedBy: string;
}

/** The answer to a message. */
export interface Receipt {
  readonly accepted: boolean;
  readonly sentence: string;
}

/** One line of what happened. */
export interface TimelineEntry {
  readonly at: number;
  /** Milliseconds that the step took; null for what is not a step. */
  readonly tookMs: number | null;
  readonly what: string;
  readonly sentence: string;
}

/** Where a rotation is and what it waits for. */
export interface Progress {
  readonly rotation: string;
  readonly credential: string;
  readonly nonce: string;
  readonly epoch: number;
  readonly gate: string;
  readonly direction: "forward" | "back" | "emergency";
  /** `doing`, `waiting`, `needs-operator` or `done`. */
  readonly standing: "doing" | "waiting" | "needs-operator" | "done";
  readonly sentence: string;
  readonly who: string | null;
  readonly until: number | null;
  readonly exits: readonly Exit[];
  readonly outcome: Outcome | null;
  readonly timeline: readonly TimelineEntry[];
}

/** The facts that the next step rests on, with their ages on the engine's clock. */
export interface Facts {
  readonly now: number;
  readonly state: RotationState;
}

/** Why it may not go on, sentence by sentence. */
export interface Reasons {
  readonly findings: readonly Finding[];
  readonly waitingFor: string | null;
  readonly trouble: string | null;
}

/** Where the rotation stands, and what it waits for. */
export const progressQuery = defineQuery<Progress>("progress");
/** The plan in force, null before the first look, and what was added to it since. */
export const planQuery = defineQuery<{ plan: Plan | null; amendments: readonly Plan[] }>("plan");
/** All that is known now, for whoever wants to check the next step by hand. */
export const factsQuery = defineQuery<Facts>("facts");
/** What was found, what is waited for, and what failed last: why it does not go on. */
export const reasonsQuery = defineQuery<Reasons>("reasons");

/** A signed document (compact JWS), answered. The same document twice is answered alike. */
export const decideUpdate = defineUpdate<Receipt, [string]>("decide");
/** The same, for senders that cannot wait for an answer. */
export const decideSignal = defineSignal<[string]>("decide-later");
/** An order to end a rotation. It names the rotation (its id), so that, sealed once, it is none to the next one (H7). */
export interface CancelOrder {
  readonly rotation: string;
  readonly by: string;
  readonly reason: string;
}

/** An operator's order. It names the rotation and the hold (`holdOf`) that it ends, so that it ends no later one (H7). */
export interface ResumeOrder {
  readonly rotation: string;
  readonly hold: number;
  readonly by: string;
  readonly exit: Exit;
  readonly version?: string;
}

/** Ends it or turns it back; answered once it is recorded, not once it is back. */
export const cancelUpdate = defineUpdate<Receipt, [CancelOrder]>("cancel");
/** An operator's order by one of the exits that are legal now; any other is refused. */
export const resumeUpdate = defineUpdate<Receipt, [ResumeOrder]>("resume");
/** A leak is reported while the rotation runs: what it changes is the table of protocol.md, Emergency. */
export const expediteUpdate = defineUpdate<Receipt, [EmergencyReport]>("expedite");
