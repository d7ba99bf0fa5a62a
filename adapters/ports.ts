/**
 * The ports: what the engine may ask of the outside world. Each adapter implements one of them for one
 * provider and passes that port's contract suite; nothing above this line knows a provider's name.
 *
 * Rules that hold for every method: it ends before `call.signal` fires or throws `RekeyError("unreachable")`;
 * "absent" is a result and "unreachable" is an error; calling it twice with the same arguments leaves the same
 * state as once; a lost answer to a change is `RekeyError("unknown-outcome")`, never a guess.
 */

import type { ZodObject } from "zod";
import type { AdoptionStep } from "../domain/adopt-plan.js";
import type { ScanPart } from "../domain/discovery/said.js";
import type { Contradiction, NamedSystems } from "../domain/estate/kinds.js";
import type { FenceTag } from "../domain/fence.js";
import type { Finding } from "../domain/finding.js";
import type { IssuerTraits } from "../domain/kinds.js";
import type { ProcessSeen } from "../domain/processes.js";
import type { Secret } from "../domain/secret.js";

/** The frame of one outside call: it stops when `signal` fires. */
export interface Call {
  readonly signal: AbortSignal;
}

/** A version's content: field names to values, for example `username` and `password`. All of them travel together (H34). */
export type SecretDocument = Readonly<Record<string, Secret>>;

/** Fields that the engine adds to a document, so that a consumer can say which version it holds (protocol.md, Consumers). */
export const ownFields = {
  version: "rekey_version",
  attestKey: "rekey_attest_key",
  tag: "rekey_tag",
} as const;

/** A fenced change: made only when the place still carries `expect` (as text; `""` for untagged), which becomes `tag`. */
export interface FencedChange {
  readonly slot: string;
  readonly expect: string;
  readonly tag: FenceTag;
  /** The issuer's identity that the plan was made for; checked in the session that mutates (H9). `null` before there is a plan. */
  readonly identity: string | null;
  /** In an emergency: sessions are ended as fast as the server bears, and not few at a time (H35). */
  readonly urgent?: boolean;
}

/** `already`: the place carries this very tag, so an earlier attempt did it. */
export type Applied = "applied" | "already";

// ---------------------------------------------------------------------------------------------- issuers

/** One place at the issuer where a version can live: an account of a pair, a key slot. */
export interface Slot {
  readonly slot: string;
  /** Text of the tag, `""` when there is none. */
  readonly tag: string;
  readonly enabled: boolean;
  /** The version of the tag was begun to be made, and no value was kept: whatever is there, nobody knows it (H11). */
  readonly unkept?: boolean;
  /** What the version is called where it is published, also after it was withdrawn; absent where nothing is. */
  readonly publicName?: string;
}

/** One server that accepts the credential. */
export interface IssuerNode {
  readonly node: string;
  readonly role: "primary" | "standby";
}

/**
 * Who is connected, the engine itself left out, grouped so that nothing personal is kept. `slot` is `null` for a
 * session that is not identified yet (H4), and for every session of a kind whose sessions do not tell which
 * version they hold (H23). `address`: an IP address, the name of a host, `local` for a socket of the issuer's machine, or "".
 */
export interface SessionGroup {
  readonly node: string;
  readonly slot: string | null;
  readonly application: string;
  readonly address: string;
  readonly count: number;
  /** When the youngest and the oldest of them began, not later than in truth, in milliseconds on the issuer's clock. */
  readonly youngestAt: number;
  readonly oldestAt: number;
}

/** Before which time a session has to have begun to be ended, on the issuer's clock; `null` leaves it alone. */
export type EndsBefore = (session: Pick<SessionGroup, "application" | "address">) => number | null;

/** What the issuer looks like now, read in one go. */
export interface IssuerView {
  readonly identity: string;
  readonly nodes: readonly IssuerNode[];
  readonly slots: readonly Slot[];
  readonly sessions: readonly SessionGroup[];
  /** The engine's own marked session was seen in the same listing, so "nothing" means nothing (H21). When false the sessions are no evidence. */
  readonly watermarkSeen: boolean;
  /** When the listing was taken, on the issuer's clock, in milliseconds since the epoch. */
  readonly at: number;
}

/** One node's answer to a login with the version's value. `as` is who the server said we are, never "a command worked" (H9). */
export interface NodeProof {
  readonly node: string;
  readonly ok: boolean;
  /** Our own words: `logged in as orders_b acting as orders`, `refused: not permitted to log in`. */
  readonly sentence: string;
}

/** Where versions are made valid and invalid. One instance serves one credential's account. */
export interface Issuer {
  readonly traits: IssuerTraits;
  /** Rights, versions, settings that the protocol needs; each missing one is a finding with the mend in its sentence. */
  preflight(call: Call): Promise<Finding[]>;
  survey(call: Call): Promise<IssuerView>;
  /**
   * What stands in each slot as far as it can be told while not every node answers: by the node that decides, or by
   * those that answer. Enough to begin with where a leak waits for it (H24), and evidence of nothing else. Absent where
   * one place answers for all.
   */
  slots?(call: Call): Promise<readonly Slot[]>;
  /** The slot whose account a document logs in with, or `null` when it belongs to none of this account's slots. */
  slotOf(document: SecretDocument): string | null;
  /** A fresh value for the slot. Pure randomness where `traits.valueBy` is `engine`; nothing outside changes. */
  generate(slot: string): SecretDocument;
  /**
   * Where `traits.valueBy` is `issuer`, instead of `generate`: has a value made in a fenced change, hands it to `keep`,
   * and counts it as there only when that has ended. Where that does not come about the slot shows as `unkept`, and
   * the next one makes another value (H11).
   */
  mint?(
    change: FencedChange,
    keep: (document: SecretDocument) => Promise<void>,
    call: Call,
  ): Promise<Applied>;
  /** Makes the slot accept exactly this document's value, enabled, in one fenced change (H12: never a bare switch-on). */
  enable(change: FencedChange, document: SecretDocument, call: Call): Promise<Applied>;
  /** Logs in at every node with the value: right identity, right rights, survives the drivers' session reset (H13, H14, H16). */
  prove(slot: string, document: SecretDocument, call: Call): Promise<NodeProof[]>;
  /**
   * Reversible: switches the slot off in a fenced change, then ends its sessions on every node until none is left and
   * none is unidentified (H4). Where sessions do not tell versions these are all that began before the change (H23).
   */
  disable(change: FencedChange, call: Call): Promise<Applied>;
  /**
   * Where sessions do not tell versions: ends those of the account that began before what `endsBefore` says of
   * them, few at a time, while both versions are valid, until none is left (H23, H35). A late one ends nothing younger.
   */
  renew?(endsBefore: EndsBefore, call: Call): Promise<void>;
  /** Logs in at every node with the value and expects a refusal for the right reason; bounded tries (H35). `ok` means refused. */
  proveRefused(slot: string, document: SecretDocument, call: Call): Promise<NodeProof[]>;
  /** Irreversible: the value is forgotten at the issuer, in a fenced change. Nothing is dropped (H36). */
  destroy(change: FencedChange, call: Call): Promise<Applied>;
  /** Replaces the tag and nothing else: how a new epoch makes an old one's late writes harmless (H3, H8). */
  seize(change: FencedChange, call: Call): Promise<Applied>;
  /** Ends connections. The adapter cannot be used afterwards. */
  close(): Promise<void>;
}

/** One step on the way from a single login to a pair, and whether anything of it stands at the issuer. */
export interface AdopterStep extends AdoptionStep {
  /** It stands as it should; running it again changes nothing. */
  readonly done: boolean;
  /** Something of it stands, so that going back has something to do. */
  readonly touched: boolean;
}

/** What an adoption finds at the issuer. */
export interface AdopterView {
  /** `null` while the issuer has not been given what makes it tell who it is. */
  readonly identity: string | null;
  readonly steps: readonly AdopterStep[];
  readonly findings: readonly Finding[];
}

/** The issuer as an administrator uses it to turn a single login into a pair. One instance serves one account, in one session. */
export interface Adopter {
  readonly account: Readonly<Record<string, unknown>>;
  /** False: the session is the engine's own, which may look and not act. */
  readonly mayRun: boolean;
  read(call: Call): Promise<AdopterView>;
  /** Keeps every other run out for as long as this session lives; false while another one has it. */
  hold(call: Call): Promise<boolean>;
  /** Runs one step's statements in one transaction: all of them or none. */
  run(statements: string, call: Call): Promise<void>;
}

// ---------------------------------------------------------------------------------------------- stores
/** What stands at a place, without any value. */
export interface PlaceView {
  /** Text of the tag of the live document, `""` when there is none. */
  readonly tag: string;
  /** Version of the live document, `null` where it carries none (before the first rotation) or there is no document. */
  readonly liveVersion: string | null;
  /** What the store calls that in its log: a number that grows, or a name that no other write gets. Absent where nobody can read an older state. */
  readonly storeVersion?: string;
}

/** Where documents are kept. One instance serves one place of one store. */
export interface Store {
  /** Retention, locks, other writers, rights: each a finding (H18 to H20). */
  preflight(call: Call): Promise<Finding[]>;
  view(call: Call): Promise<PlaceView>;
  /** The live document as consumers read it, or `null` when there is none. Fields that are not ours are left out. */
  live(call: Call): Promise<SecretDocument | null>;
  /**
   * Keeps a copy of the version where only the engine reads; writing the same version twice keeps the first. Returns
   * the kept one. Of a version that was purged nothing is kept any more: `fenced` (H3).
   */
  stage(version: string, document: SecretDocument, call: Call): Promise<SecretDocument>;
  /** The same in place of the very copy `useless`, and of no other: a value that an issuer made, and that it does not take. */
  restage(
    version: string,
    document: SecretDocument,
    useless: SecretDocument,
    call: Call,
  ): Promise<SecretDocument>;
  /** The engine-only copy of a version, or `null` when there is none. */
  staged(version: string, call: Call): Promise<SecretDocument | null>;
  /** Ids of the versions of which an engine-only copy exists, sorted. It may read every one of them: not for each look. */
  stagedVersions(call: Call): Promise<string[]>;
  /**
   * Copies the staged version over our own fields of the live document, by compare-and-set on the tag and on
   * the store's own revision (H18). Fields of others stay as they are. Throws `fenced`, `conflict`, `value-missing`.
   */
  promote(change: FencedChange, call: Call): Promise<Applied>;
  /** Replaces the live document's tag and nothing else. */
  seize(change: FencedChange, call: Call): Promise<Applied>;
  /**
   * Removes every copy of a version that is not live: staging, hold, older revisions (H20). Refuses the live one. Final:
   * for a day (`tombstoneLifeMs`) a copy that is written later, by a request that was under way, is not kept (H3).
   */
  purge(version: string, call: Call): Promise<void>;
  close(): Promise<void>;
}

// ---------------------------------------------------------------------------------------------- consumers

/** A version that an instance may turn out to hold. */
export interface Candidate {
  readonly version: string;
  readonly slot: string;
  /** Keys the consumer's answer; absent for a version that the engine did not generate (H6). */
  readonly attestKey?: Secret;
  /** What the version is called where it is published, for those who check it. */
  readonly publicName?: string;
}

/** A person's word that a consumer holds a version; signed and verified before it gets here. */
export interface Confirmation {
  readonly consumer: string;
  readonly version: string;
  readonly person: string;
  readonly at: number;
}

/** What an observation is about. */
export interface ObserveRequest {
  readonly installation: string;
  readonly credential: string;
  readonly consumer: string;
  readonly rotation: string;
  readonly candidates: readonly Candidate[];
  readonly confirmations: readonly Confirmation[];
}

/** One instance seen once (H10). `version` is `null` when it holds none of the candidates or cannot say. */
export interface InstanceSeen {
  readonly instance: string;
  readonly version: string | null;
  /** A positive sign that it did work with what it holds (H39), not the absence of complaints. */
  readonly working: boolean;
  /** Every candidate that it lets in, for an instance that checks what others use and holds none itself. */
  readonly accepts?: readonly string[];
  /** Our own words, for people. */
  readonly sentence: string;
}

/** One way of telling a consumer, or of seeing what it holds. One instance serves one consumer. */
export interface Consumer {
  preflight(call: Call): Promise<Finding[]>;
  /** Asks the consumer to take up the version in its store now; absent where it notices by itself. Twice is as good as once. */
  deliver?(request: { credential: string; consumer: string; version: string }, call: Call): Promise<void>;
  /** Every instance, each asked on its own. An instance that cannot be reached is reported with `version: null`; no listing at all is an error. */
  observe(request: ObserveRequest, call: Call): Promise<InstanceSeen[]>;
  close(): Promise<void>;
}

// ---------------------------------------------------------------------------------------------- notifiers

/** What is told to whom. `recipients` are addresses of owners; the text names systems and never values; `rotation` is an id, or null. */
export interface Notice {
  readonly id: string;
  readonly kind:
    | "approval-asked"
    | "reminder"
    | "turned"
    | "needs-operator"
    | "emergency"
    | "closed"
    | "sign-off-due"
    | "findings";
  readonly recipients: readonly string[];
  readonly subject: string;
  readonly text: string;
  readonly rotation: string | null;
}

/** Tells people. Delivering the same `id` twice must be harmless to the reader. */
export interface Notifier {
  preflight(call: Call): Promise<Finding[]>;
  notify(notice: Notice, call: Call): Promise<void>;
}

// ---------------------------------------------------------------------------------------------- sources

/**
 * A place where the use of credentials is visible. `scan` yields parts, each small enough to be kept at once (some
 * thousand claims), in bounded memory whatever the size of the input; from the cursor of any part it goes on right after
 * it, also in another process. What cannot be read is counted and named in `malformed`, and reading goes on behind it.
 */
export interface Source {
  preflight(call: Call): Promise<Finding[]>;
  /** From the beginning where `cursor` is null. Ends when there is nothing more to read now. `call.signal` ends each outside call. */
  scan(cursor: string | null, call: Call): AsyncIterable<ScanPart>;
  close(): Promise<void>;
}

// ---------------------------------------------------------------------------------------------- factories

/** What is known of the keys that seal Rekey's own histories, by their ids. */
export interface OwnCodec {
  /** What each worker and server told last; those that are gone are left out. */
  processes(call: Call): Promise<readonly ProcessSeen[]>;
  /** How much Temporal keeps that needs the key, when somebody may have gone on with it for `memoryMs` unseen. */
  needing(keyId: string, memoryMs: number, call: Call): Promise<number>;
}

/** What every adapter may use besides its own SDK. */
export interface AdapterDeps {
  /** Resolves `env:NAME`, `file:/path`, `vault:path#key` anew at each call, so that the engine's own credentials can rotate. */
  readonly resolve: (reference: string, call: Call) => Promise<Secret>;
  /** Id of this installation; part of every tag. */
  readonly installation: string;
  /** Signs an attestation challenge: a compact JWS over the payload with the engine's key. */
  readonly signChallenge: (payload: object) => Promise<string>;
  readonly codec: OwnCodec;
  /** The keyed hash of a value that a source met; the same value has the same hash wherever it lies (C12). */
  readonly mark: (value: string) => string;
  readonly now: () => number;
  /** Bytes of randomness for nonces, salts and values. */
  readonly random: (bytes: number) => Uint8Array;
}

/** How a kind of issuer enters the registry: its traits, what the estate says of it, and how it is made. */
export interface IssuerKind<Config extends ZodObject = ZodObject, Account extends ZodObject = ZodObject> {
  readonly traits: IssuerTraits;
  readonly config: Config;
  readonly account: Account;
  create(config: Config["_output"], account: Account["_output"], deps: AdapterDeps): Issuer;
  /** Stable texts that name the account, so that two credentials cannot share one (the lock, H18). */
  lockKeys(config: Config["_output"], account: Account["_output"]): string[];
  /** The names under which sessions and records of the issuer show the account; absent where it has none. */
  shownAs?(account: Account["_output"]): string[];
  /** What an administrator of the provider runs once (`rekey grants <kind>`). */
  grants?(options: Readonly<Record<string, string>>): string;
}

/** How a kind of store enters the registry. */
export interface StoreKind<Config extends ZodObject = ZodObject, Place extends ZodObject = ZodObject> {
  readonly config: Config;
  readonly place: Place;
  create(config: Config["_output"], place: Place["_output"], deps: AdapterDeps): Store;
  lockKeys(config: Config["_output"], place: Place["_output"]): string[];
  grants?(options: Readonly<Record<string, string>>): string;
}

/** How a kind of consumer enters the registry. */
export interface ConsumerKind<Config extends ZodObject = ZodObject> {
  readonly config: Config;
  create(config: Config["_output"], deps: AdapterDeps): Consumer;
}

/** How a kind of notifier enters the registry. */
export interface NotifierKind<Config extends ZodObject = ZodObject> {
  readonly config: Config;
  create(config: Config["_output"], deps: AdapterDeps): Notifier;
}

/**
 * How a kind of source enters the registry. `shows`: what is there `now`, so that what a whole scan has no more is gone, or a `log`
 * of what happened. `deliveredWithinMs`: how late a record may be. `contradicts`: settings that a named system has otherwise.
 */
export interface SourceKind<Config extends ZodObject = ZodObject> {
  readonly shows: "now" | "log";
  readonly sees: "use" | "configuration";
  readonly deliveredWithinMs?: number;
  readonly config: Config;
  create(config: Config["_output"], deps: AdapterDeps): Source;
  contradicts?(config: Config["_output"], systems: NamedSystems): readonly Contradiction[];
  grants?(options: Readonly<Record<string, string>>): string;
}
