/**
 * The estate as the rest of the program sees it: plain data without zod, because workflows import these types
 * and must not carry a validator in their bundle. The schemas are held to them by the type-checker.
 */
import type { ExceptableCode } from "../findings/codes.js";
import type { CredentialClass } from "./classes.js";

/** `pinned`: can be moved alone; `shared`: moves with everybody on its path (H1). */
type Isolation = "pinned" | "shared";

/** Days of the week as they are written in a window. */
export type Weekday = "mon" | "tue" | "wed" | "thu" | "fri" | "sat" | "sun";

/** The public half of an Ed25519 key as a JSON Web Key; `x` is base64url. */
interface PublicKey {
  readonly kty: "OKP";
  readonly crv: "Ed25519";
  readonly x: string;
  readonly kid?: string | undefined;
}

/** A span of time; both ends are ISO 8601 in UTC with milliseconds, `until` is no longer part of it. */
interface Period {
  readonly from: string;
  readonly until: string;
}

/** Whoever may sign in a person's place, for a time, one level deep (H37). */
export interface Delegate extends Period {
  readonly to: string;
}

/** A human being; decisions count persons, not accounts. `subject` is the identity provider's immutable id. */
export interface Person {
  readonly kind: "person";
  readonly name?: string | undefined;
  readonly email: string;
  readonly subject?: string | undefined;
  readonly manager?: string | undefined;
  readonly keys: readonly PublicKey[];
  readonly delegates: readonly Delegate[];
}

/** Several persons who answer for something together; each member signs as themself. */
interface Team {
  readonly kind: "team";
  readonly name?: string | undefined;
  readonly email?: string | undefined;
  readonly members: readonly string[];
}

/** Who answers for a credential or a consumer. */
export type Owner = Person | Team;

/** The validated settings of one adapter; which fields there are depends on its kind. */
export interface KindConfig {
  readonly kind: string;
  readonly [field: string]: unknown;
}

/** An issuer or a store. `engineCredential`: the credential of this estate that the engine itself logs in with (H26). */
export interface SystemConfig extends KindConfig {
  readonly engineCredential?: string | undefined;
}

/** Weekly hours in which a rotation may start; `to` before `from` runs over midnight. */
export interface Window {
  readonly days: readonly Weekday[];
  /** `HH:MM` in `timezone`. */
  readonly from: string;
  readonly to: string;
  /** IANA name. */
  readonly timezone: string;
}

/** A span in which nothing starts, and why. */
interface Freeze extends Period {
  readonly reason: string;
}

/** Who has to sign, and by when. */
interface ApprovalPolicy {
  /** Number of different persons; 0 means that the reviewed policy itself is the consent. */
  readonly quorum: number;
  /** `owner`: the credential's; otherwise names of owners, whose persons are counted together. */
  readonly from: "owner" | readonly string[];
  readonly deadlineMs: number;
  readonly reminderMs: number;
  readonly validForMs: number;
}

/** The rules of a rotation; every field but `classes`, `intervalMs` and `window` has a value after parsing. */
export interface Policy {
  /** Classes of credentials that take it where they name none. Of no account for a rotation that has its rules. */
  readonly classes?: readonly CredentialClass[] | undefined;
  /** Rotate this often; absent: only when asked. */
  readonly intervalMs?: number | undefined;
  readonly window?: Window | undefined;
  readonly freezes: readonly Freeze[];
  readonly approval: ApprovalPolicy;
  readonly quietPeriodMs: number;
  readonly adoptionSoakMs: number;
  readonly disableSoakMs: number;
  readonly adoptionTimeoutMs: number;
  readonly drainTimeoutMs: number;
  readonly observationMaxAgeMs: number;
  readonly stallTimeoutMs: number;
  readonly retryDelayMs: number;
  readonly unmappedReaders: "refuse" | "warn";
  /** How old the last whole reading of a source may be; absent: as `domain/mapped.ts` says. */
  readonly evidenceMaxAgeMs?: number | undefined;
  /** How long somebody who was seen counts as a user; absent: as `domain/graph/current.ts` says. */
  readonly useWindowMs?: number | undefined;
  /** How long an exception may last; absent: `exceptionMaxMs` of domain/exceptions.ts. */
  readonly exceptionMaxMs?: number | undefined;
  /** What a credential whose use nobody would see does to a rotation; absent: it is shown. */
  readonly blindSpots?: "refuse" | "warn" | undefined;
  readonly containment: "after-adoption" | "revoke-now";
  readonly containmentDeadlineMs: number;
  /** Owners who may report a leak; empty: every person. */
  readonly responders: readonly string[];
  readonly signOffDeadlineMs: number;
  readonly overlapMaxMs: number;
  readonly cooldownMs: number;
}

/** How whoever is seen using something is told to be this consumer. Empty lists match nothing; absent ones are empty. */
export interface Match {
  readonly applicationName: readonly string[];
  /** IP addresses and CIDR ranges. */
  readonly address: readonly string[];
  /** Names of hosts in lower case; `*.` in front: whatever ends so. `local`: a socket of a server's own machine. */
  readonly host?: readonly string[] | undefined;
  readonly entity?: readonly string[] | undefined;
  readonly role?: readonly string[] | undefined;
  readonly serviceAccount?: readonly string[] | undefined;
  readonly workload?: readonly string[] | undefined;
}

/** What somebody knows a consumer to need, besides the credentials that it uses. */
export type Needed = { readonly consumer: string } | { readonly store: string } | { readonly issuer: string };

/** What somebody knows a credential to open: a store, one place of it, or the value of another credential. */
export type Readable =
  | { readonly store: string; readonly place?: Readonly<Record<string, unknown>> | undefined }
  | { readonly credential: string };

/** What somebody knows a credential to make: whatever an issuer accepts, or another credential. */
export type Mintable = { readonly issuer: string } | { readonly credential: string };

/** Whatever uses credentials. An absent life or cadence is unknown, which is not the same as zero. */
export interface Consumer {
  readonly owner: string;
  readonly purpose?: string | undefined;
  readonly observe: readonly KindConfig[];
  readonly deliver?: KindConfig | undefined;
  readonly match: Match;
  readonly maxCacheLifeMs?: number | undefined;
  readonly maxPoolLifeMs?: number | undefined;
  /** The longest normal gap between two uses. */
  readonly cadenceMs?: number | undefined;
  readonly reversible: boolean;
  readonly canary: boolean;
  readonly dependsOn?: readonly Needed[] | undefined;
}

/** One consumer's use of one credential. Absent fields are the consumer's own. */
export interface Edge {
  readonly consumer: string;
  readonly isolation: Isolation;
  readonly reversible?: boolean | undefined;
  readonly cadenceMs?: number | undefined;
  /** A pinned consumer's own place in the credential's store, in the shape of the store's kind. */
  readonly place?: Readonly<Record<string, unknown>> | undefined;
  /** Which part it plays, where the issuer's kind has several; absent: it reads the store and uses what it finds. */
  readonly role?: string | undefined;
  /** Waves go from 1 upwards; absent leaves it to the plan. */
  readonly wave?: number | undefined;
}

/** A finding that an owner takes upon themself until a day (C30). `about` names one subject; absent: whatever it is about. */
export interface CredentialException {
  readonly finding: ExceptableCode;
  readonly about?: string | undefined;
  readonly owner: string;
  readonly reason: string;
  /** ISO 8601 in UTC with milliseconds; no longer part of it. */
  readonly until: string;
}

/** An account under which a system shows whoever logs in with a credential. */
interface SeenAs {
  /** Name of an issuer, or of a source that reads a system which is none; absent: the credential's own issuer. */
  readonly at?: string | undefined;
  readonly account: string;
}

/** A non-human identity's secret as a logical thing. `account` and `place` have the shape of their issuer's and store's kind. */
export interface Credential {
  readonly issuer: string;
  readonly account: Readonly<Record<string, unknown>>;
  readonly store: string;
  readonly place: Readonly<Record<string, unknown>>;
  readonly owner: string;
  readonly policy: string;
  /** It names none, and has the one that takes its class. */
  readonly policyBy?: "class" | undefined;
  readonly class: CredentialClass;
  readonly purpose: string;
  readonly consumers: readonly Edge[];
  readonly seenAs?: readonly SeenAs[] | undefined;
  readonly canRead?: readonly Readable[] | undefined;
  readonly mints?: readonly Mintable[] | undefined;
  readonly exceptions?: readonly CredentialException[] | undefined;
}

/** A place where use is visible: the settings of its kind, who keeps it, and how often it is read. */
export interface SourceConfig extends KindConfig {
  readonly owner: string;
  /** In milliseconds; absent: only when somebody asks. */
  readonly every?: number | undefined;
  /** How long after a use its record may still come, in milliseconds; absent: as its kind says. */
  readonly deliveredWithin?: number | undefined;
  /** Of what it shows and no credential of the estate is concerned by. */
  readonly exceptions?: readonly CredentialException[] | undefined;
}

/** Everything that `estate.yaml` says, validated; all sections are keyed by name. */
export interface Estate {
  readonly version: 1;
  readonly installation: string;
  readonly owners: Readonly<Record<string, Owner>>;
  readonly stores: Readonly<Record<string, SystemConfig>>;
  readonly issuers: Readonly<Record<string, SystemConfig>>;
  readonly notifiers: Readonly<Record<string, KindConfig>>;
  readonly sources: Readonly<Record<string, SourceConfig>>;
  readonly policies: Readonly<Record<string, Policy>>;
  readonly consumers: Readonly<Record<string, Consumer>>;
  readonly credentials: Readonly<Record<string, Credential>>;
}
