/**
 * What the loop may ask to be done: the contract between `workflows/` and `activities/`, in the room that both
 * may read. Requests carry the state and the step; answers are events. No value travels either way.
 */
import type { ScanReport } from "../discovery/report.js";
import type { Finding } from "../finding.js";
import type { Forecast } from "../forecast.js";
import type { Orphan, StockTaking } from "../reconcile.js";
import type { RotationEvent } from "./events.js";
import type { Containment, Outcome, Plan, RotationState } from "./state.js";
import type { Step } from "./steps.js";

/** Asks for a rotation of a credential: a new one, or the adoption of the one that is open. */
export interface OpenRequest {
  readonly credential: string;
  readonly requestedBy: string;
  readonly reason: string;
  readonly emergency: EmergencyReport | null;
  /** Run ids under which this workflow is known; the second one after it continued as new. */
  readonly continuedFrom: string | null;
  /** The first run of the chain, which a reset run shares with the run that was reset (H7). */
  readonly firstRunId: string;
  /** Nothing new is made: what was found and is nobody's is taken away, if it is there still. */
  readonly remove?: readonly Orphan[];
}

/** A leak as it is reported. The value itself was matched and dropped at the door; `leaked` are version ids. */
export interface EmergencyReport {
  /** Compact JWS documents of the responders: two persons, or one with evidence. */
  readonly documents: readonly string[];
  readonly reason: string;
  readonly leaked: readonly string[] | "unknown";
  /** Keyed HMAC of the reported value, if there was one; it is evidence when it is a known version's. */
  readonly evidence: string | null;
  readonly containment?: "after-adoption" | "revoke-now";
}

/** A rotation as it was opened or adopted. */
export interface Opened {
  readonly state: RotationState;
  readonly adopted: boolean;
  /** The run before this one handed it on, by the records; absent in a history of before this was told (H7). */
  readonly continued?: boolean;
  /** The worker's clock, by which events are dated (H38). */
  readonly at: number;
}

/** One step to carry out, on the state that `decide` chose it for. */
export interface StepRequest {
  readonly state: RotationState;
  readonly step: Step;
}

/** What came of it, in order. Already in the records when it arrives. */
export interface StepResult {
  readonly events: readonly RotationEvent[];
}

/** A look at the world that lasts until something can be done, or until `until`. */
export interface LookRequest {
  readonly state: RotationState;
  readonly until: number;
}

/** A document that somebody signed, to be verified against this rotation. */
export interface DocumentRequest {
  readonly state: RotationState;
  readonly document: string;
}

/** The answer to a message, for the person who sent it, and what it changed. */
export interface Answered extends StepResult {
  readonly accepted: boolean;
  readonly sentence: string;
}

/** Asks for a dry run of an ordinary rotation, or of an emergency in which the live value has leaked. */
export interface PreviewRequest {
  readonly credential: string;
  /** `containment` is the policy's where it is left out. */
  readonly emergency?: { readonly containment?: Containment };
}

/** A dry run: what a rotation would do now, and why it may not begin. */
export interface Preview {
  readonly credential: string;
  readonly plan: Plan | null;
  readonly findings: readonly Finding[];
  readonly notBefore: number | null;
  /** Names of what the plan knows by id, for people. */
  readonly names: Readonly<Record<string, string>>;
  /** What would happen to whom, step by step. */
  readonly sentences: readonly string[];
  /** Who may fail, and what is not waited for. */
  readonly forecast: Forecast;
}

/** What one subject of the installation lacks. */
export interface Diagnosis {
  readonly subject: string;
  readonly findings: readonly Finding[];
}

/** The activities of a rotation, one a step. */
export interface RotationWork {
  open(request: OpenRequest): Promise<Opened>;
  look(request: LookRequest): Promise<StepResult>;
  seize(request: StepRequest): Promise<StepResult>;
  issue(request: StepRequest): Promise<StepResult>;
  enable(request: StepRequest): Promise<StepResult>;
  prove(request: StepRequest): Promise<StepResult>;
  probe(request: StepRequest): Promise<StepResult>;
  deliver(request: StepRequest): Promise<StepResult>;
  renew(request: StepRequest): Promise<StepResult>;
  disable(request: StepRequest): Promise<StepResult>;
  destroy(request: StepRequest): Promise<StepResult>;
  ask(request: StepRequest): Promise<StepResult>;
  turn(request: StepRequest): Promise<StepResult>;
  hold(request: StepRequest): Promise<StepResult>;
  close(request: StepRequest): Promise<StepResult>;
  verify(request: DocumentRequest): Promise<Answered>;
  report(request: { readonly state: RotationState; readonly report: EmergencyReport }): Promise<Answered>;
  /** Keeps an event that a message made; answers with it. */
  record(request: { readonly state: RotationState; readonly event: RotationEvent }): Promise<StepResult>;
}

/** An open rotation, and the workflow that held it last, which may be lost. */
export interface OpenRotation {
  readonly credential: string;
  readonly workflow: string;
  /** A leak was reported to it: it stands behind no ordinary work. */
  readonly emergency: boolean;
}

/** The activities of the other, short workflows. */
export interface HouseWork {
  preview(request: PreviewRequest): Promise<Preview>;
  diagnose(): Promise<readonly Diagnosis[]>;
  /** What exists of these credentials (ids; null: all of them) that the inventory does not know. Changes nothing. */
  takeStock(request: { readonly credential: string | null }): Promise<readonly StockTaking[]>;
  /** An owner's signature for what an emergency did, taken in without a rotation. */
  signOff(request: {
    readonly credential: string;
    readonly document: string;
  }): Promise<Pick<Answered, "accepted" | "sentence">>;
  /** Ids of the credentials whose rotation is due under this policy, most overdue first. */
  due(request: { readonly policy: string }): Promise<readonly string[]>;
  /** A person's signed word that restored records are gone on with, after everything outside was looked at (H32). */
  acceptRestored(request: { readonly document: string }): Promise<Pick<Answered, "accepted" | "sentence">>;
  /**
   * Reads a source (by its name) on from where it was read to; `endedAt` is null while there is more. `anew`: a word that no
   * reading bore before has it read from its beginning, and the same one again goes on with that.
   */
  scan(request: { readonly source: string; readonly anew?: string }): Promise<ScanReport>;
  /**
   * Looks at everything that is known, brings the records of findings up to date, and tells owners of what has opened; `untold`
   * says why somebody was not told. In histories of before that was done it is a number, which says nothing of it.
   */
  findings(): Promise<{ readonly untold: string | null } | number>;
  /** The open rotations of the estate's credentials, whatever their policies. */
  openRotations(): Promise<readonly OpenRotation[]>;
}

/** How a rotation ended. */
export interface RotationResult {
  readonly rotation: string;
  readonly outcome: Outcome | "taken-over";
  readonly reason: string;
}
