/**
 * Everything that the command line is given instead of reaching for it: the kinds, the streams, the clock and
 * the services. So it knows no adapter, and a whole command can be run inside a test.
 */
import type {
  AdoptionAsk,
  AdoptionDirection,
  AdoptionProgress,
  AdoptionRecord,
  StandingStep,
} from "../../domain/adopt-plan.js";
import type { EstateKinds } from "../../domain/estate/kinds.js";
import type { Finding } from "../../domain/finding.js";
import type { Secret } from "../../domain/secret.js";
import type { Database } from "../../inventory/database.js";
import type { Receipt } from "../../workflows/messages.js";
import type { RotationClient } from "../temporal.js";
import type { AuditDesk } from "./audit-desk.js";
import type { Inventory } from "./inventory.js";

/** Where text goes. */
export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  /** Width of the terminal in characters. */
  readonly columns?: number;
  /** False once nobody reads any more: the other end of the pipe has gone. */
  readonly writable?: boolean;
  on?(event: "error", listener: (failure: Error) => void): unknown;
}

/** Where text comes from. */
interface Input extends AsyncIterable<string | Uint8Array> {
  readonly isTTY?: boolean;
}

/** The process as the command line sees it. */
export interface Io {
  readonly stdin: Input;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Milliseconds since the epoch by this machine, which may be wrong; whatever is kept or decided goes by the installation's clock. */
  now(): number;
  /** A fresh id, `<prefix>_…`, that nobody can guess. */
  randomId(prefix: string): string;
  /** Calls `listener` at Ctrl-C instead of ending the process; the answer takes it off again. */
  onInterrupt(listener: () => void): () => void;
}

/** The installation's clock, which goes by the inventory's (H38). */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Asks the inventory again where this machine slept or was set, or the last answer is old. Throws `unreachable`. */
  agree(): Promise<void>;
}

/** What a command talks to. Nothing in it is connected before it is used. */
export interface Services {
  /** The installation that signed documents are bound to. */
  readonly installation: string;
  readonly clock: Clock;
  readonly inventory: Inventory;
  readonly rotations: RotationClient;
  /** The audit log; its key and its database are read at the first call. */
  audit(): Promise<AuditDesk>;
  /** Keyed HMAC of a reported value, by which the versions that had it are found. The value is not kept. */
  fingerprint(value: Secret): Promise<string>;
  /**
   * All of a text that was pasted, and then what of it may be a value, as sources that meet values have it; in words, and null where it
   * cannot be told from others by its hash, being too short or known to all. Whoever asks clears them.
   */
  valuesIn(pasted: Secret): readonly { readonly as: string; readonly value: Secret | null }[];
  close(): Promise<void>;
}

/** What stands at the issuer, and what was asked and said about it. */
export interface AdoptionLook {
  /** In the order of the direction. */
  readonly steps: readonly StandingStep[];
  readonly findings: readonly Finding[];
  /** The open adoption; as it ended, where asking has ended it. Null where there is none, or nothing to do. */
  readonly record: AdoptionRecord | null;
  /** The installation has no administrator's login: somebody else runs the statements. */
  readonly byHand: boolean;
}

/** Brings an existing login under rotation. Every call may be repeated; the credential is an id. */
export interface Adoption {
  /** Looks, and asks nobody. */
  preview(credential: string, direction: AdoptionDirection): Promise<AdoptionLook>;
  /** Puts the plan before the owners, or joins the request that is open. */
  ask(credential: string, ask: AdoptionAsk): Promise<AdoptionLook>;
  /** Takes in a person's signed word on the open adoption. */
  decide(credential: string, adoption: string, document: string): Promise<Receipt>;
  /** Takes the steps that are signed, one by one. */
  carryOut(credential: string, adoption: string): AsyncIterable<AdoptionProgress>;
}

/** What `rekey demo` was asked for. */
interface DemoOptions {
  readonly store: "file" | "vault";
  /** Leave files and processes for a look at them. */
  readonly keep: boolean;
  /** Only this act; null for all of them. */
  readonly act: number | null;
}

/** The programs that run until they are told to stop; each answers with an exit code. */
export interface Processes {
  worker(): Promise<number>;
  /** The HTTP API. */
  server(): Promise<number>;
  /** `directory` keeps the state over a restart. */
  up(options: { readonly directory: string }): Promise<number>;
  demo(options: DemoOptions): Promise<number>;
}

/** What `run` is given. */
export interface CliDeps {
  readonly kinds: EstateKinds;
  readonly io: Io;
  connect(): Promise<Services>;
  /** Brings the inventory database up to date; answers with what was applied. */
  migrate(): Promise<readonly string[]>;
  /** The audit log's database by a reference to its URL, for who has a login there and no installation. The caller closes it. */
  auditorsLog(reference: string): Promise<Database>;
  /** What an administrator runs once, for each kind that needs it. */
  readonly grants: Readonly<Record<string, (options: Readonly<Record<string, string>>) => string>>;
  readonly adoption: Adoption;
  readonly processes: Processes;
  /** Which release this is. */
  readonly version: string;
}
