/**
 * What the harness has to know of one kind of issuer with one kind of store, so that every fault can be tried on
 * it. A new kind comes with one file beside this one and one line in `index.ts`.
 */
import type { IAMClient } from "@aws-sdk/client-iam";
import type { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import type { Secret } from "../../../domain/secret.js";
import type { ProviderAccount } from "../../contract/issuers/http-provider.js";
import type { AwsKey } from "../../support/aws-users.js";
import type { Direction } from "../house/directions.js";

/** A document as it stands in the store, all its fields. */
export type RawDocument = Readonly<Record<string, string>>;

/** What became of a login at one server. */
export interface LoginAnswer {
  readonly node: string;
  /** `refused` is the server's own refusal of this name or value; anything else is an error and is thrown. */
  readonly answer: "in" | "refused";
}

/**
 * One account as the provider lists it. A provider that keeps its list at several places, each by itself, lists it
 * once for each of them: everywhere it has to be what it should be.
 */
export interface Account {
  readonly name: string;
  /** Which of the lists, where there are several. */
  readonly where?: string;
  readonly enabled: boolean;
  /** Text of the fence tag. */
  readonly tag: string;
  /** Open sessions, on all servers together. */
  readonly sessions: number;
}

/** A connection that was opened with a value and is kept. */
export interface HeldSession {
  /** Whether it still does what it is asked. */
  alive(): Promise<boolean>;
  end(): Promise<void>;
}

/** A session that does not show which account it belongs to. `beganAt`: not earlier than in truth, in ms since the epoch. */
export interface LooseSession {
  readonly where: string;
  readonly beganAt: number;
}

/** More ways in which the engine observes a service, addresses whose sessions are its own where they have no name, and more names of it. */
export interface Known {
  readonly observe: readonly Readonly<Record<string, unknown>>[];
  readonly address: readonly string[];
  readonly names?: readonly string[];
}

/** Somebody whom no section of the estate names, and who has no session anywhere. */
export interface Stranger {
  /** What a source calls them. */
  readonly name: string;
  /** Fetches the version that was live when they came. */
  fetch(): Promise<void>;
}

/** A copy of one of the services, without a session anywhere: it has pinned the version that was live when it was made. */
export interface PinnedCopy {
  /** The service, as which it is known. */
  readonly name: string;
  /** The store's name of that version. */
  readonly version: string;
  /** Fetches it; false where it is given to nobody any more. */
  fetch(): Promise<boolean>;
}

/** A consumer that the world runs besides the three services: it checks what they do, and does no work itself. */
export interface Checker {
  readonly role: string;
  /** Its section of the estate, without its owner. */
  readonly section: Readonly<Record<string, unknown>>;
}

/** A copy of everything that a system holds of the credential. */
export interface Backup {
  /** Makes one, in place of an earlier one. */
  keep(): Promise<void>;
  /** Puts it back, as where the system is restored to an earlier time. */
  putBack(): Promise<void>;
}

/** A server's address. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** One credential on its issuer and in its store, and the eyes of the oracle on both. */
export interface World {
  /** Sections of the estate: what stands under `kind:` and beside it. */
  readonly issuer: Readonly<Record<string, unknown>>;
  readonly account: Readonly<Record<string, unknown>>;
  readonly store: Readonly<Record<string, unknown>>;
  readonly place: Readonly<Record<string, unknown>>;
  /** Where the engine reaches the servers of this world, by the names of `WorldKind.servers`. */
  readonly servers: Readonly<Partial<Record<WorldServer, Endpoint>>>;
  /** The estate's sections with other ports in place of these: the doors that an outage shuts. */
  through(ports: Readonly<Record<string, number>>): Pick<World, "issuer" | "store" | "known" | "sources">;
  /** Sources that show who uses the credential, by name; each is read to its end before a version is taken away. */
  readonly sources?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Whatever the policy of each direction says otherwise here. */
  readonly policy?: Readonly<Record<string, unknown>>;
  /** Somebody new comes to the store: only a source would show them. For worlds with directions that have one. */
  stranger?(): Promise<Stranger>;
  /** Makes such a copy of a service; for worlds with the direction `pinned`. */
  pinned?(): Promise<PinnedCopy>;
  /** What more is known of a service, by its name. */
  readonly known?: Readonly<Record<string, Known>>;
  /** Holds up what a standby takes over from its primary, or lets it go on; only where there is a standby. */
  lag?(on: boolean): Promise<void>;
  /** Shows the engine a listing of sessions in which nobody stands, not even itself; for worlds that `WorldKind.blinds` names. */
  blind?(on: boolean): Promise<void>;
  /** Lets the engine read and not write there, or write again; for those that `WorldKind.readOnly` names. */
  readonly readOnly?: Readonly<Partial<Record<"issuer" | "store", (on: boolean) => Promise<void>>>>;
  /** Takes the room away in which it keeps what it is told, or gives it back; for those that `WorldKind.full` names. */
  readonly fill?: Readonly<Partial<Record<"issuer", (on: boolean) => Promise<void>>>>;
  /** Takes the files away that its sources read, as a disk that is not mounted, or gives them back; for those that `WorldKind.unmounts` names. */
  unmount?(on: boolean): Promise<void>;
  /** Seals the store, or unseals it; for worlds that `WorldKind.seals` names. */
  seal?(on: boolean): Promise<void>;
  /** A backup of what the credential has there; for those that `WorldKind.restored` names. */
  readonly backups?: Readonly<Partial<Record<"issuer" | "store", Backup>>>;
  /** What the three services need to find store and server. */
  readonly serviceEnv: Readonly<Record<string, string>>;
  /** What each of them needs for itself, by its name. */
  envOf?(service: string): Promise<Readonly<Record<string, string>>>;
  /** Path of the program that all three are, by `STYLE`; absent where the examples work with this server. */
  readonly program?: `/${string}`;
  /** Consumers that check what the services do, by name. */
  readonly checkers?: Readonly<Record<string, Checker>>;
  /**
   * True where a session of the old version may be ended while it is used, because no listing shows which version
   * it holds, or because there is no session to be seen.
   */
  readonly endsSessionsUnasked?: true;
  /** The call from which on whoever holds the old version may fail, until the end: where two are never valid together. */
  readonly breaksFrom?: RegExp;
  /** The live document, or null where there is none. */
  live(): Promise<RawDocument | null>;
  /** Versions of which the store keeps a copy that only the engine reads. */
  copies(): Promise<string[]>;
  /** Somebody else writes their own field of the live document, `note`, and nothing besides. */
  annotate?(note: string): Promise<void>;
  /** Tries to log in at every server; leaves no session. */
  login(document: RawDocument): Promise<LoginAnswer[]>;
  accounts(): Promise<Account[]>;
  hold(document: RawDocument): Promise<HeldSession>;
  /** Open sessions of the credential, where they do not show their account. */
  looseSessions?(): Promise<LooseSession[]>;
  /** What a service made with a version since `since` and had refused before its time was over, each in a sentence. */
  refusedEarly?(since: number): Promise<string[]>;
  /** What is searched for as a document's value; absent: its password. */
  secretsOf?(document: RawDocument): string[];
  /** Name of the account that a document logs in as. */
  accountOf(document: RawDocument): string;
  /** What a person does at the provider who is called by an operator; absent where there is nothing to do. */
  attend?(): Promise<void>;
  /** Takes everything of this credential away. */
  stop(): Promise<void>;
}

/** Servers that can be away without the others. A store of files has none. */
export type WorldServer = "issuer" | "standby" | "pooler" | "store";

/** Servers that all lanes share. */
export interface Shared {
  readonly folder: string;
  readonly shop: ShopServer;
  /** Another one, with a standby that takes logins. */
  replicated(): Promise<ShopServer>;
  /** One of the lane's own: whoever seals it seals it for everybody. */
  vault(lane: number): Promise<OwnVault>;
  /** A pair of the lane's own: users of all lanes stand in one file, and who may not save it saves nobody's. */
  redis(lane: number): Promise<RedisPair>;
  provider(): Promise<Provider>;
  aws(): Promise<AwsAccount>;
}

/** A Vault with KV version 2 at `secret/`, and its administrator's token. */
export interface OwnVault {
  readonly address: string;
  readonly token: Secret;
  /** Has it write an audit log from now on; answers with the file. */
  audited(): Promise<string>;
  /** Seals it, or unseals it. */
  seal(on: boolean): Promise<void>;
}

/** An account of AWS, as moto answers for it. */
export interface AwsAccount {
  readonly address: string;
  readonly account: string;
  /** Each has an STS; the first is that of Secrets Manager. What becomes of a key is known later in the last one. */
  readonly regions: readonly string[];
  /** An administrator's. */
  readonly iam: IAMClient;
  readonly secrets: SecretsManagerClient;
  /** Makes a user who may do these things, and a key of it. */
  user(name: string, actions: readonly string[]): Promise<AwsKey>;
}

/** A provider of keys. An account is known by the token of its administrator. */
export interface Provider {
  readonly url: string;
  put(token: string, account: ProviderAccount): Promise<void>;
  account(token: string): Promise<ProviderAccount>;
  /** From now on changes are answered with this status, as where a provider looks after its servers; `null` ends that. */
  refuse(token: string, status: number | null): Promise<void>;
}

/** A primary and its replica that accept the credentials. Users are not replicated: each node has its own. */
export interface RedisPair {
  /** The primary first. */
  readonly nodes: readonly RedisNode[];
  readonly engine: { readonly username: string; readonly passwordFile: string };
}

/** One of them. */
export interface RedisNode extends Endpoint {
  /** The file from which it would take its users after a restart. */
  readonly usersFile: string;
  /** A command as an administrator. */
  ask(...command: readonly string[]): Promise<unknown>;
}

/** The PostgreSQL that accepts the credentials. `nodes` are the primary and its standbys. */
export interface ShopServer {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly standbys: readonly { readonly host: string; readonly port: number }[];
  /** A statement as the superuser, on one of the nodes; the primary is the first. */
  query(text: string, values?: readonly unknown[], node?: number): Promise<Record<string, unknown>[]>;
}

/** Opens worlds of its kind; `index` tells the lanes apart. */
export interface WorldKind {
  /** Servers that a world of this kind has. */
  readonly servers: readonly WorldServer[];
  /** Where the engine can be let read and not write. */
  readonly readOnly?: readonly ("issuer" | "store")[];
  /** What can be left without room for what it keeps. */
  readonly full?: readonly "issuer"[];
  /** The files that sources read can be away. */
  readonly unmounts?: true;
  /** The store can be sealed. */
  readonly seals?: true;
  /** The engine can be kept from seeing who is connected. */
  readonly blinds?: true;
  /** What can be put back to how it was when a case began. */
  readonly restored?: readonly ("issuer" | "store")[];
  /** Ways that a rotation can go; absent: all but those that only a source shows. Where there is no way back, none is tried. */
  readonly directions?: readonly Direction[];
  /** Activities at whose calls faults are put; absent: all. What others do is tried in a world that is like this one. */
  readonly disturbed?: RegExp;
  /** Others have a field in the live document, and `annotate` writes it as they do. */
  readonly isShared?: true;
  /** Restored records can be gone on with here by removing what is left and rotating once more, which the house does. */
  readonly goesOnRestored?: true;
  /** Faults after which a rotation here has to settle what happened; absent: those of the matrix. */
  readonly primers?: readonly string[];
  open(shared: Shared, index: number): Promise<World>;
}
