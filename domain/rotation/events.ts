/**
 * What can happen in a rotation. The state is the fold of its events and nothing else, so that it can be
 * rebuilt from the records after Temporal lost it, and explored without Temporal.
 */
import type { Finding } from "../finding.js";
import type { SourceToRead, Watcher } from "../last-reading.js";
import type {
  Containment,
  DecisionRecord,
  Emergency,
  InstanceState,
  LastRead,
  Outcome,
  Plan,
  RotationPolicy,
} from "./state.js";
import type { Exit, Step } from "./steps.js";

/** A slot as the issuer shows it. */
export interface SlotFact {
  readonly slot: string;
  readonly tag: string;
  readonly enabled: boolean;
  /** The version that the tag names was begun to be made there, and nobody kept its value (H11). */
  readonly unkept?: boolean;
}

/** A place as the store shows it. */
export interface PlaceFact {
  readonly place: string;
  readonly tag: string;
  readonly liveVersion: string | null;
}

/** The beginnings of what holds, by version that is unused and by consumer that works; what is not named does not hold. */
export interface Since {
  readonly unused: Readonly<Record<string, number>>;
  readonly working: Readonly<Record<string, number>>;
}

/** All that one look at the world found. */
export interface SurveyFacts {
  readonly slots: readonly SlotFact[];
  readonly places: readonly PlaceFact[];
  readonly findings: readonly Finding[];
  /** Closed window or freeze: not before this time; null when it may begin now. */
  readonly notBefore: number | null;
  readonly observations: Readonly<Record<string, readonly InstanceState[]>>;
  /** Sessions per version; absent for a version whose sessions could not be listed. */
  readonly sessions: Readonly<Record<string, number>>;
  /** Reads of what is not live any more, by version, as far as the logs of stores show them; absent: none, or a look of before. */
  readonly reads?: Readonly<Record<string, LastRead>>;
  /** False when the engine's own mark was not seen, so "no session" is not evidence (H21). */
  readonly watermarkSeen: boolean;
  /** The plan as the world is now; equal digests mean that nothing material changed. */
  readonly plan: Plan;
  /** The rules that the estate states now; absent in a look of before this was kept. */
  readonly policy?: RotationPolicy;
  /** Since when things hold by the records, which bound what is counted from here; absent in a look of before this was kept. */
  readonly since?: Since;
  /** Sources that have to be read before a version is taken away; absent in a look of before this was kept. */
  readonly unread?: readonly SourceToRead[];
  /** Sources that would show a use of the credential; absent in a look of before this was kept. */
  readonly watching?: readonly Watcher[];
}

/** One event; `at` is milliseconds since the epoch on the worker's clock. */
export type RotationEvent = { readonly at: number } & (
  | { readonly type: "surveyed"; readonly facts: SurveyFacts }
  | { readonly type: "asked"; readonly digests: readonly string[]; readonly reminder: boolean }
  | { readonly type: "decided"; readonly decision: DecisionRecord }
  | {
      readonly type: "seized";
      readonly epoch: number;
      readonly change: number;
      readonly slots: readonly SlotFact[];
      readonly places: readonly PlaceFact[];
    }
  | {
      readonly type: "issued" | "enabled" | "disabled" | "destroyed";
      readonly version: string;
      readonly change: number;
      readonly tag: string;
      /** Of an issue: where it was made. Which slot is emptied for a third version is chosen by who holds what, which is not recorded. */
      readonly slot?: string;
      /** Of a disable: no copy of the value was left to try, so that it is refused rests on the switch alone (I5). */
      readonly untried?: boolean;
    }
  | { readonly type: "proved"; readonly version: string }
  /** Every node refused the value once more, where there was one to try. */
  | {
      readonly type: "refused";
      readonly version: string;
      /** No copy of the value was left to try: nobody refused anything, and it counts for nothing (I5). */
      readonly untried?: boolean;
    }
  | { readonly type: "renewed"; readonly version: string; readonly change: number }
  | {
      readonly type: "delivered";
      readonly version: string;
      readonly place: string;
      readonly consumers: readonly string[];
      readonly change: number;
      readonly tag: string;
    }
  | {
      readonly type: "failed";
      readonly step: Step;
      /** Number of the change if one was begun; null when nothing was sent. */
      readonly change: number | null;
      readonly code: string;
      readonly sentence: string;
      readonly outcome: "not-done" | "unknown";
      /** Trying again may help. */
      readonly again: boolean;
    }
  | {
      readonly type: "turned";
      readonly target: string;
      readonly slot: string | null;
      readonly reason: string;
    }
  | { readonly type: "held"; readonly reason: string }
  | {
      readonly type: "resumed";
      readonly exit: Exit;
      readonly by: string;
      /** For `declare`: which version is live. */
      readonly version?: string;
    }
  | { readonly type: "cancelled"; readonly by: string; readonly reason: string }
  | {
      readonly type: "incident";
      readonly leaked: readonly string[];
      readonly containment: Containment;
      readonly emergency: Emergency;
    }
  | {
      readonly type: "adopted";
      readonly epoch: number;
      readonly nonce: string;
      readonly openChange: Step | null;
      /** Number of the last change in the records; the state may not know of it, where nobody could say how it ended. */
      readonly lastChange?: number;
    }
  | { readonly type: "closed"; readonly outcome: Outcome; readonly reason: string }
);
