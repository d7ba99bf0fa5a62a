/**
 * The state of one rotation: everything that `decide` may look at, as plain data that can be folded from
 * events, sent through Temporal, kept as JSON and explored. It holds references and facts, never a value.
 */
import type { CredentialException } from "../estate/types.js";
import type { Finding } from "../finding.js";
import type { IssuerTraits } from "../kinds.js";
import type { SourceToRead, Watcher } from "../last-reading.js";
import type { Life } from "../version.js";

/** The numbers of a policy that a rotation runs by; all durations in milliseconds. */
export interface RotationPolicy {
  readonly approval: {
    /** How many different persons must agree; 0 means that the policy asks nobody. */
    readonly quorum: number;
    readonly deadlineMs: number;
    readonly reminderMs: number;
  };
  readonly adoptionTimeoutMs: number;
  readonly adoptionSoakMs: number;
  readonly quietPeriodMs: number;
  readonly drainTimeoutMs: number;
  readonly disableSoakMs: number;
  /** How old an observation may be when a step relies on it (H10). */
  readonly observationMaxAgeMs: number;
  /** How long a step that cannot be done is tried again before the walk turns round. */
  readonly stallTimeoutMs: number;
  readonly retryDelayMs: number;
  readonly containment: Containment;
  /** In an emergency: when `after-adoption` becomes `revoke-now`. */
  readonly containmentDeadlineMs: number;
  readonly signOffDeadlineMs: number;
  /** How long two versions may be valid together before an operator is called; absent: no limit. */
  readonly overlapMaxMs?: number;
  /** What a reader that nobody declared does; absent in a rotation that began before this was kept. */
  readonly unmappedReaders?: "refuse" | "warn";
  /** What it does that nobody watches, or not wholly; absent where the policy said nothing, which is `warn`. */
  readonly blindSpots?: "refuse" | "warn" | undefined;
  /** How old a source's last whole reading may be; absent: as it is where a policy says nothing. */
  readonly evidenceMaxAgeMs?: number | undefined;
  /** How long whoever was seen counts as a user; absent: as it is where a policy says nothing. */
  readonly useWindowMs?: number | undefined;
  /** How long an exception may last; absent: as it is where a policy says nothing. */
  readonly exceptionMaxMs?: number | undefined;
}

/** What an emergency does with the leaked version: wait for adoption up to a deadline, or revoke at once. */
export type Containment = "after-adoption" | "revoke-now";

/** A consumer as the plan sees it. */
export interface PlannedConsumer {
  readonly id: string;
  readonly owner: string;
  readonly isolation: "pinned" | "shared";
  readonly reversible: boolean;
  /** Which place of the store it reads; all `shared` ones read `main`. */
  readonly place: string;
  /** Longest of its pool life, cache life and cadence; the drain waits at least as long (H22). */
  readonly memoryMs: number;
  /** Digest of how it is told apart, moved and seen; what proves an adoption is part of what is agreed to (H17). */
  readonly evidence?: string;
  /** One of the roles that the kind declares; absent: it reads the store and uses what it finds. */
  readonly role?: string;
}

/** Consumers that move together because they read one place (H1). */
export interface Wave {
  /** Null for those who take a version from the issuer: there is nothing to promote for them. */
  readonly place: string | null;
  readonly consumers: readonly string[];
}

/** A version known to this rotation. `issuer` is what is known of it there; `unknown` after a lost answer. */
export interface VersionState {
  readonly id: string;
  readonly slot: string;
  readonly life: Life;
  readonly issuer: "absent" | "enabled" | "disabled" | "destroyed" | "unknown";
  readonly leaked: boolean;
  /** Proved by login at every node since it was last enabled, and since the walk last turned towards it. */
  readonly proved: boolean;
  /** Some place has carried it during its life, so somebody may hold it. */
  readonly delivered: boolean;
  /** When it was last made valid; absent for a version that was valid before this rotation began. */
  readonly enabledAt?: number;
  readonly disabledAt: number | null;
  /** Every node refused the value, and no session of it was left, after the last disable; or there was none to try (`untried`). */
  readonly refused: boolean;
  /** How often in a row every node refused it since it was disabled, and since when; absent where that was never counted. */
  readonly refusals?: number;
  readonly refusedSince?: number | null;
  /** No copy of it was left to try after the last disable, so that it is refused rests on the switch alone (I5). */
  readonly untried?: boolean;
  /**
   * Found outside and not known to live by the records: `slot` for one that an issuer lets in, `copy` for one of which
   * a store keeps a copy and the issuer has nothing. Absent for every version that a rotation moves between.
   */
  readonly orphan?: "slot" | "copy";
  /** Its issuer may have made something of it that nobody holds: there is no version, and not nothing either (H11). */
  readonly unkept?: true;
}

/** One instance of a consumer as last seen. */
export interface InstanceState {
  readonly instance: string;
  readonly version: string | null;
  readonly working: boolean;
  /** Every version that it lets in, for one that checks what others use and holds none itself. */
  readonly accepts?: readonly string[];
}

/** What is known of a consumer. */
export interface ConsumerState {
  readonly at: number;
  readonly instances: readonly InstanceState[];
  /** How many listings in a row named the same instances (H10). */
  readonly stable: number;
  /** Since when every instance works on the target; null while one does not. */
  readonly since: number | null;
  /** When it was last seen to leave that state; null while it never did. */
  readonly lostAt: number | null;
}

/** When a version was read last after another one was live in its place, in milliseconds since the epoch, and by whom. */
export interface LastRead {
  readonly at: number;
  readonly by: string;
}

/** The use of a version as seen at the issuer; `quietSince` is null while it is in use or was never looked at. */
export interface UseState {
  readonly quietSince: number | null;
  /** Who read it last, after another one was live in its place; absent: nobody, as far as the logs of stores show. */
  readonly read?: LastRead;
  /** Up to when "nothing seen" is evidence: the engine's own mark was visible there (H21). */
  readonly watermarkAt: number | null;
  readonly sessions: number;
}

/** A place in the store. */
export interface PlaceState {
  readonly tag: string;
  readonly liveVersion: string | null;
  /** The version that its consumers were last told to take up, and when that was. */
  readonly told: string | null;
  readonly toldTo: readonly string[];
  readonly toldAt: number | null;
  /** A write there lost its answer; settled by asking before anything else is done. */
  readonly unknown: boolean;
}

/** What a rotation will do; decisions are bound to its digest. */
export interface Plan {
  readonly digest: string;
  readonly identity: string;
  readonly waves: readonly Wave[];
  readonly consumers: readonly PlannedConsumer[];
  /** Owners whose sign-off is asked, by id; the credential's own for the plan, the difference's for an amendment. */
  readonly approvers: readonly string[];
  readonly pointOfNoReturn: string;
  readonly madeAt: number;
  /** What else the digest is over, so that whoever signs can compute it anew; plans made before it was kept have none. */
  readonly terms?: PlanTerms;
}

/** Exceptions of the credential, and by consumer whom it claims as itself, a text such as `applicationName: app` each. */
export interface Allowances {
  readonly exceptions: readonly CredentialException[];
  readonly claims: Readonly<Record<string, readonly string[]>>;
}

/** The part of what is signed that a plan does not show elsewhere. */
export interface PlanTerms {
  readonly installation: string;
  readonly rotation: string;
  readonly nonce: string;
  readonly credential: string;
  readonly origin: { readonly version: string; readonly slot: string; readonly fingerprint: string | null };
  readonly target: { readonly slot: string };
  /** The account and the places that it writes to, as their kinds name them for the lock. */
  readonly systems?: readonly string[];
  readonly policy: RotationPolicy;
  readonly traits: IssuerTraits;
  readonly emergency: boolean;
  /** What lets a gate pass that would hold otherwise; a plan that was made before it was kept has none. */
  readonly allows?: Allowances;
  /** What ordered the waves, by consumer. */
  readonly order: Readonly<Record<string, { readonly canary: boolean; readonly wave: number | null }>>;
}

/** A verified decision. It counts only for its digest and while it has not expired. */
export interface DecisionRecord {
  readonly id: string;
  readonly person: string;
  readonly digest: string;
  readonly verdict: "approve" | "reject";
  /** Owners for whom the person may speak, resolved when it was verified. */
  readonly owners: readonly string[];
  readonly issuedAt: number;
  readonly expiresAt: number;
}

/** Why the walk stands still although a step is due. */
export interface Trouble {
  readonly step: string;
  readonly code: string;
  readonly sentence: string;
  readonly since: number;
  readonly attempts: number;
  readonly retryAt: number;
  /** Trying again may help; false turns the walk at once. */
  readonly again: boolean;
}

/** An emergency as it was authorised. */
export interface Emergency {
  readonly reason: string;
  readonly containment: Containment;
  readonly startedAt: number;
  readonly containBy: number;
  readonly signOffBy: number;
  readonly responders: readonly string[];
}

/** The rotation. */
export interface RotationState {
  readonly id: string;
  readonly credential: string;
  readonly installation: string;
  /** Made after the start; decisions carry it, so a reset run's old decisions are void (H7). */
  readonly nonce: string;
  readonly epoch: number;
  readonly startedAt: number;
  /** The rules in force: what was agreed to, or what the estate has asked since where that is stricter (H17). */
  readonly policy: RotationPolicy;
  /** The rules that the plan was signed with, where they have become stricter since something was issued. */
  readonly agreedPolicy?: RotationPolicy;
  readonly traits: IssuerTraits;
  readonly emergency: Emergency | null;
  /** The version that was live at the start, and where going back goes. */
  readonly origin: string;
  readonly target: string;
  readonly acceptable: readonly string[];
  readonly versions: Readonly<Record<string, VersionState>>;
  /** Slots that hold none of the versions: where a third one could go. */
  readonly freeSlots: readonly string[];
  /** Ids for versions that may still be needed; made outside, because `decide` has no randomness. */
  readonly spareIds: readonly string[];
  /** Text of the tag that each slot was last known to carry; what the next change there expects to find. */
  readonly tags: Readonly<Record<string, string>>;
  readonly places: Readonly<Record<string, PlaceState>>;
  /** Number of the last change that was begun here; intents and tags carry it. */
  readonly change: number;
  /** When the last change ended. */
  readonly changedAt: number;
  /** Since when more than one version is enabled; null or absent while only one is. */
  readonly overlapSince?: number | null;
  /**
   * True while the last look came before the last change: what it saw does not allow the next one. By the order
   * of events and not by their times, because two workers' clocks may disagree.
   */
  readonly stale?: boolean;
  readonly plan: Plan | null;
  readonly amendments: readonly Plan[];
  readonly surveyedAt: number | null;
  readonly findings: readonly Finding[];
  /** Since when something stands in the way without a break; null or absent while nothing does. */
  readonly blockedSince?: number | null;
  /** Sources that have to be read before a version is taken away. */
  readonly unread?: readonly SourceToRead[];
  /** Sources that watch over it: from when the owners were asked, all that did since. Absent: no look has said. */
  readonly watching?: readonly Watcher[];
  readonly notBefore: number | null;
  readonly consumers: Readonly<Record<string, ConsumerState>>;
  readonly uses: Readonly<Record<string, UseState>>;
  readonly decisions: readonly DecisionRecord[];
  /** Digests that owners were asked to decide on, and when. */
  readonly asked: readonly string[];
  readonly askedAt: number | null;
  readonly remindedAt: number | null;
  readonly seized: boolean;
  /** Why the walk was turned round, once, and by whose order if by one; null while it goes to where it began to go. */
  readonly turned: { readonly at: number; readonly reason: string; readonly by?: string } | null;
  /** The point of no return is behind it: nothing leads to the origin any more, whatever happens (H29). */
  readonly irreversible: boolean;
  readonly trouble: Trouble | null;
  /** Who is waited for: `since` an operator was last called, `first` since one was. */
  readonly operator: { readonly since: number; readonly reason: string; readonly first?: number } | null;
  /** The version that two persons have declared live, where no other exit was left (H30). */
  readonly declared?: { readonly version: string; readonly by: readonly string[]; readonly at: number };
  /** When an operator last ordered it to go on; deadlines count anew from there. */
  readonly resumedAt: number | null;
  /** Why nothing will be issued: rejected, cancelled, out of time. Only ever set while nothing was. */
  readonly refused: string | null;
  /** Vetoes and cancellations that came after the point of no return; recorded, and too late. */
  readonly objections: readonly string[];
  readonly closed: Outcome | null;
}

/** How a rotation ended. */
export type Outcome = "rotated" | "went-back" | "refused";
