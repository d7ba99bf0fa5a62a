/**
 * What a source says, in its own words: who, what, where, how it is known. Nothing here has been matched with the estate
 * yet, and nothing in it is a value: where a source met one, its keyed hash stands in its place.
 */
import type { CredentialClass } from "../estate/classes.js";
import type { EdgeType, EvidenceKind } from "../graph/types.js";
import type { Stretch } from "./stretches.js";

/**
 * How a reader shows itself, by the names under which the estate may claim it for a consumer (`match`). `address` is an
 * IP address, `host` the name that stands in its place where a server shows none (`local`: a socket of its own machine);
 * `workload` names a program where it is described, as `cluster shop/Deployment/orders` or
 * `compose shop/api`; `entity` is the id of an identity of a secret store; `role` the name (ARN) of a cloud's role or user.
 */
export interface ReaderTraits {
  readonly entity?: string;
  readonly role?: string;
  readonly serviceAccount?: string;
  readonly applicationName?: string;
  readonly address?: string;
  readonly host?: string;
  readonly workload?: string;
}

/** Whoever uses something or could. `name` is for people; the traits alone say who it is. */
export interface ReaderThing {
  readonly is: "reader";
  readonly name: string;
  readonly traits: ReaderTraits;
  /** What it is, where the source knows that by more than a name. */
  readonly class?: CredentialClass;
}

/** A place in a store of the estate, in the shape of that store's kind. */
export interface PlaceThing {
  readonly is: "place";
  readonly store: string;
  readonly place: Readonly<Record<string, string>>;
}

/** An account at an issuer of the estate, by the name under which the issuer's sessions and records show it. */
export interface AccountThing {
  readonly is: "account";
  readonly issuer: string;
  readonly account: string;
  readonly class?: CredentialClass;
  /** In milliseconds since the epoch, where the source knows them. */
  readonly createdAt?: number;
  readonly expiresAt?: number;
}

/**
 * Where else a copy lives or is named: a Secret of a cluster, a line of a file, a certificate of an endpoint. `scope` says in
 * what (`cluster prod`, `repository shop`), `path` where there (`shop/orders-db#password`, `compose.yaml services.api`).
 */
export interface LocationThing {
  readonly is: "location";
  readonly scope: string;
  readonly path: string;
  /** What is kept there, where the source knows it. */
  readonly class?: CredentialClass;
  /** When what is kept there runs out, in milliseconds since the epoch. */
  readonly expiresAt?: number;
}

/** An identity that a source lists, with a secret of its own that no issuer of the estate accounts for. */
export interface CredentialThing {
  readonly is: "credential";
  readonly scope: string;
  readonly name: string;
  readonly class: CredentialClass;
  readonly createdAt?: number;
  readonly expiresAt?: number;
}

/** What somebody wrote down by the name that it has in the estate. */
export interface NamedThing {
  readonly is: "named";
  readonly type: "credential" | "consumer" | "owner" | "store" | "issuer";
  readonly name: string;
  /** What a credential is, where the estate has none of that name. */
  readonly class?: CredentialClass;
}

/** Something that a source speaks of. */
export type Thing = ReaderThing | PlaceThing | AccountThing | LocationThing | CredentialThing | NamedThing;

/**
 * When something was seen: milliseconds since the epoch, and how often. `first` is not after `last`; `count` is at least 1.
 * `times`: at which hours and days, as `times.ts` writes them; absent: at those of `first` and `last`.
 */
export interface Seen {
  readonly first: number;
  readonly last: number;
  readonly count: number;
  readonly times?: number;
}

/**
 * A version of a place that was read, by the name that the store gives it, or `olderVersion`. Stores that count their versions
 * have names that are whole numbers. Milliseconds since the epoch; `first` is not after `last`.
 */
export interface VersionRead {
  readonly version: string;
  readonly first: number;
  readonly last: number;
}

/** What stands in the place of a version's name where a record tells that it was not the live one, and no more. */
export const olderVersion = "older";

/** One edge that a source speaks of. */
export interface Claim {
  /**
   * The record that says so: of a source that shows what is there now, a stable name of it (a file, a listing), with which
   * the claim ends when a whole scan no longer has it; of a log, the log.
   */
  readonly record: string;
  readonly known: EvidenceKind;
  readonly from: Thing;
  readonly type: EdgeType;
  readonly to: Thing;
  readonly seen: Seen;
  /** Of a read of a place in a store: which versions, as far as the records tell. Absent: none of them tells. */
  readonly versions?: readonly VersionRead[];
  /** Why, for people, with the place where it stands: `services.api.environment.DB_PASSWORD of compose.yaml names it`. */
  readonly sentence: string;
}

/**
 * A value that was met, by its keyed hash; `mark` is empty where it is too short or too common to be told from others by one.
 * `literal`: it stands there outside of any store. `past`: it has got there and is read by nobody there, as in a commit of
 * long ago or in a line of a log.
 */
export interface Copy {
  readonly record: string;
  readonly at: LocationThing | PlaceThing;
  readonly mark: string;
  readonly literal: boolean;
  readonly past?: boolean;
  /** Whoever found it tried it, and it opened something. Absent: nobody tried, or it is not known. */
  readonly verified?: boolean;
  readonly seen: Seen;
  /** What it was met as, without a character of it. */
  readonly sentence: string;
}

/**
 * That something was used, by whom nobody says: whoever accepts a key may know when it was used last, and not who did. It is no
 * edge, because it has no beginning.
 */
export interface Use {
  readonly record: string;
  /** What was used: an account, a credential, a place at which one is kept. */
  readonly of: Exclude<Thing, ReaderThing>;
  readonly seen: Seen;
  /** What the source knows of it, for people: with which service, from where. */
  readonly sentence: string;
}

/**
 * Something that a source lists, with no edge yet, and what it says of it: what it is for, and when it is to end, in milliseconds since
 * the epoch. Both hold for as long as the source says so; what the estate says of its own comes before.
 */
export interface Listed {
  readonly record: string;
  readonly thing: Thing;
  readonly seen: Seen;
  readonly purpose?: string;
  readonly expiresAt?: number;
}

/** A record that could not be read. `where` is a file with a line or an offset; `why` never repeats a character of it. */
export interface Malformed {
  readonly where: string;
  readonly why: string;
}

/**
 * A record of which not all could be read, with the gap that says why. Records whose names begin with its own and a slash are
 * hidden with it, as the files of a folder are.
 */
export interface Hidden {
  readonly record: string;
  readonly why: string;
}

/**
 * One of the logs of a source that reads several, and the time of its newest record, in milliseconds since the epoch; null where it had
 * none. Each has its own writer, so that what one shows says nothing of whether another one is still written.
 */
export interface LogReach {
  readonly log: string;
  readonly until: number | null;
}

/** What a scan has read since the part before. All of it is kept, or nothing of it, together with the cursor. */
export interface ScanPart {
  /** Records read, malformed ones included. */
  readonly records: number;
  readonly claims: readonly Claim[];
  readonly copies: readonly Copy[];
  readonly listed: readonly Listed[];
  /** Absent: none. */
  readonly uses?: readonly Use[];
  /** Whom the source takes for the engine itself, by its settings: no readers, and what it told of them by other settings is over. */
  readonly own?: readonly ReaderThing[];
  readonly malformed: readonly Malformed[];
  /** The records' own times, in milliseconds since the epoch; null while none had one. */
  readonly covered: { readonly from: number; readonly until: number } | null;
  /** Where within that there were records; absent: nothing is known but that there was one at either end. */
  readonly stretches?: readonly Stretch[];
  /** Of a source that reads several logs, each that always has something to write, in the same order in every part. Absent: they are one. */
  readonly reaches?: readonly LogReach[];
  /** What is missing of what the source should have had, each in a sentence: a gap in a log, a listing without the right to see all. */
  readonly gaps: readonly string[];
  /** Of the gaps of a log, those that a reading from its beginning names again where they are there still. The others stay. */
  readonly gapsAgain?: readonly string[];
  /**
   * In which records all that the gaps and the malformed records of this part hide would stand: every other record was read whole, or
   * is not there any more. Absent where there are such: it may stand in any.
   */
  readonly hidden?: readonly Hidden[];
  /** Where the next part begins; the same cursor gives the same records again. */
  readonly cursor: string;
}
