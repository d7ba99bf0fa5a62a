/**
 * The plan of an adoption, in the one form that owners sign: how one login becomes a pair, step by step, with the
 * very statements that are run and their way back. Whoever runs it may run nothing else (H7).
 */
import { type Tally, tally } from "./decisions.js";
import { canonical } from "./plan.js";
import type { DecisionRecord } from "./rotation/state.js";

/** Towards the pair, or back to the single login. */
export type AdoptionDirection = "adopt" | "undo";

/** One step, with its way back. `engine`: an ordinary rotation, which is asked for and signed by itself; it has no statements. */
export interface AdoptionStep {
  readonly id: string;
  readonly by: "administrator" | "engine";
  readonly sentence: string;
  readonly run: string;
  readonly undoSentence: string;
  readonly undo: string;
}

/** Everything that a signature on an adoption stands for. */
export interface AdoptionPlan {
  readonly form: "rekey-adoption/1";
  readonly installation: string;
  /** The request that this plan belongs to, and its nonce: what was signed for another one is void. */
  readonly adoption: string;
  readonly nonce: string;
  /** Id of the credential. */
  readonly credential: string;
  /** The issuer as it names itself, its marker included (H9). */
  readonly identity: string;
  readonly account: Readonly<Record<string, unknown>>;
  readonly direction: AdoptionDirection;
  /** In the order of an adoption, whatever the direction is. */
  readonly steps: readonly AdoptionStep[];
  /** What is left alone, in sentences. */
  readonly doesNot: readonly string[];
  /** How many persons have to sign, for whom, and in which time. */
  readonly approval: {
    readonly quorum: number;
    readonly approvers: readonly string[];
    readonly deadlineMs: number;
  };
}

/** How an adoption ended. `turned`: the other direction was asked for while it was under way. */
export type AdoptionOutcome = "adopted" | "taken-back" | "refused" | "withdrawn" | "outdated" | "turned";

/** A plan and what was said about it. */
export interface SignedAdoption {
  readonly plan: AdoptionPlan;
  readonly digest: string;
  /** When the owners were asked last. */
  readonly askedAt: number;
  readonly decisions: readonly DecisionRecord[];
}

/** An adoption as it is recorded. */
export interface AdoptionRecord extends SignedAdoption {
  readonly id: string;
  readonly credential: string;
  readonly requestedBy: string;
  readonly reason: string;
  readonly openedAt: number;
  /** When its first step was begun; null while nothing was. */
  readonly begunAt: number | null;
  /** Since when it holds the credential's lock; null while it waits for people or for a rotation. */
  readonly workingSince: number | null;
  readonly closedAt: number | null;
  readonly outcome: AdoptionOutcome | null;
  readonly closingReason: string | null;
  /** Ids of the steps that are known to be done in this direction. */
  readonly done: readonly string[];
  /** For a way back: the adoption whose signatures cover it while they hold. */
  readonly cover: SignedAdoption | null;
}

/** Where an open adoption stands. `overdue`: the owners have to be asked anew. */
export type AdoptionStanding =
  | { readonly is: "closed"; readonly outcome: AdoptionOutcome }
  | { readonly is: "vetoed"; readonly by: string }
  | {
      readonly is: "waiting";
      readonly missing: number;
      readonly until: number;
      readonly overdue: boolean;
    }
  | { readonly is: "approved"; readonly covered: boolean; readonly agreed: readonly string[] };

/** Who asks for what. */
export interface AdoptionAsk {
  readonly direction: AdoptionDirection;
  readonly requestedBy: string;
  readonly reason: string;
}

/** A step as it stands, in the order of the direction; `left`: there is something to do. */
export interface StandingStep {
  readonly id: string;
  readonly by: AdoptionStep["by"];
  readonly sentence: string;
  readonly run: string;
  readonly left: boolean;
}

/** What a run does, in the order in which it does it. `rests`: the next step is a rotation. `handed`: statements for somebody to run. */
export type AdoptionProgress =
  | { readonly what: "done" | "found" | "rests"; readonly sentence: string }
  | { readonly what: "handed"; readonly steps: readonly StandingStep[] }
  | { readonly what: "closed"; readonly outcome: AdoptionOutcome };

const doesNot: Readonly<Record<AdoptionDirection, readonly string[]>> = {
  adopt: [
    "No step sets a password that is in use, ends a session, or touches the store or a consumer.",
    "The move to another login is a rotation (`rekey rotate`), which asks the owners for their sign-off like any other.",
  ],
  undo: [
    "No step ends a session, or touches the store or a consumer; each refuses while somebody would be cut off.",
    "The move back to the former login is a rotation, which has its own way back.",
  ],
};

/** Makes the plan. */
export function adoptionPlanOf(input: Omit<AdoptionPlan, "form" | "doesNot">): AdoptionPlan {
  const approvers = [...new Set(input.approval.approvers)].sort();
  return {
    form: "rekey-adoption/1",
    ...input,
    approval: { ...input.approval, approvers },
    doesNot: doesNot[input.direction],
  };
}

/** What is signed. `sha256Hex` hashes a text; it is an argument because this room has no cryptography of its own. */
export function adoptionDigest(plan: AdoptionPlan, sha256Hex: (text: string) => string): string {
  return sha256Hex(canonical(plan));
}

/** True when both plans do the same to the same account of the same issuer, in whichever direction and for whichever request. */
export function isSameWork(one: AdoptionPlan, other: AdoptionPlan): boolean {
  const work = ({ credential, identity, account, steps }: AdoptionPlan) =>
    canonical({ credential, identity, account, steps });
  return work(one) === work(other);
}

/** True when the same persons are asked in the same number and time. */
export function asksAlike(one: AdoptionPlan, other: AdoptionPlan): boolean {
  return canonical(one.approval) === canonical(other.approval);
}

/** The steps in the order in which this plan's direction takes them, each with its own sentence and statements. */
export function stepsInOrder({
  direction,
  steps,
}: AdoptionPlan): readonly Pick<AdoptionStep, "id" | "by" | "sentence" | "run">[] {
  if (direction === "adopt") return steps;
  return [...steps]
    .reverse()
    .map(({ id, by, undoSentence, undo }) => ({ id, by, sentence: undoSentence, run: undo }));
}

/** Counts the signatures on a plan as of `now`. */
export function countSignatures(signed: SignedAdoption, now: number): Tally {
  const { plan, digest, askedAt, decisions } = signed;
  const { quorum, approvers, deadlineMs } = plan.approval;
  const policy = { approval: { quorum, deadlineMs, reminderMs: deadlineMs } };
  return tally({ digest, approvers }, decisions, policy, askedAt + deadlineMs, now);
}

/**
 * True while the signatures on an adoption allow its way back. A rejection that came later does not take that
 * away: whoever no longer wants the adoption must not be what keeps it (protocol.md, "Going back").
 */
export function covers(signed: SignedAdoption, now: number): boolean {
  const decisions = signed.decisions.filter(({ verdict }) => verdict === "approve");
  return countSignatures({ ...signed, decisions }, now).satisfied;
}

/** Where it stands at `now`. */
export function adoptionStanding(record: AdoptionRecord, now: number): AdoptionStanding {
  if (record.outcome !== null) return { is: "closed", outcome: record.outcome };
  if (record.cover !== null && covers(record.cover, now)) {
    return { is: "approved", covered: true, agreed: countSignatures(record.cover, now).agreed };
  }
  const count = countSignatures(record, now);
  if (count.vetoedBy !== null) return { is: "vetoed", by: count.vetoedBy };
  if (count.satisfied) return { is: "approved", covered: false, agreed: count.agreed };
  const until = record.askedAt + record.plan.approval.deadlineMs;
  return { is: "waiting", missing: count.missing, until, overdue: now >= until };
}
