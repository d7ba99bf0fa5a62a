/** What the activities are given: the records, the systems of a credential, and the world's clock and dice. */
import type { Consumer, Issuer, Notifier, Source, Store } from "../adapters/ports.js";
import type { AuditKeeper } from "../audit/keeper.js";
import type { Shapes } from "../domain/estate/shapes.js";
import type { Estate, Match, Policy } from "../domain/estate/types.js";
import type { PlannedConsumer, RotationPolicy } from "../domain/rotation/state.js";
import type { Diagnosis } from "../domain/rotation/work.js";
import type { Secret } from "../domain/secret.js";
import type { Database } from "../inventory/database.js";
import type { RestoreGuard } from "../inventory/restore-guard.js";

/** A consumer with the ways of telling it and of seeing what it holds. */
export interface ConsumerSystem extends PlannedConsumer {
  readonly name: string;
  readonly canary: boolean;
  readonly wave: number | null;
  readonly memoryKnown: boolean;
  readonly match: Match;
  readonly observe: readonly Consumer[];
  readonly deliver: Consumer | null;
}

/** One credential with everything that it touches, as adapters. Kept open between activities. */
export interface Systems {
  readonly id: string;
  readonly name: string;
  /** Without other credentials, and without consumers that are none of this one's. */
  readonly estate: Estate;
  readonly owner: string | null;
  readonly policy: Policy;
  readonly rules: RotationPolicy;
  readonly issuer: Issuer;
  /** By place; `main` is the credential's own. */
  readonly stores: { readonly main: Store } & Readonly<Record<string, Store>>;
  readonly consumers: readonly ConsumerSystem[];
  readonly notifiers: readonly Notifier[];
  /** Stable texts for the lock: the credential, its places and its accounts (H18). */
  readonly lockKeys: readonly string[];
}

/** How the estate tells people of what is no rotation's. */
export interface Channels {
  /** Without credentials and consumers. */
  readonly estate: Estate;
  /** By their names; each is made when it is wanted, and throws as its settings do. */
  readonly notifiers: Readonly<Record<string, () => Notifier>>;
}

/** A source as it is read. */
export interface OpenSource {
  /** Id of the estate's entry. */
  readonly id: string;
  readonly shows: "now" | "log";
  /** A digest of how it is read, without who answers for it and how often. */
  readonly settings: string;
  readonly source: Source;
}

/** What every activity gets. */
export interface ActivityDeps {
  readonly db: Database;
  readonly installation: string;
  readonly systems: (credential: string) => Promise<Systems>;
  /** A source of the estate, by its name, opened anew: it is closed by whoever has it opened. Throws `not-found`. */
  readonly source: (name: string) => Promise<OpenSource>;
  /** The notifiers of the estate in force; null before there is one. */
  readonly channels: () => Promise<Channels | null>;
  readonly shapes: Shapes;
  readonly now: () => number;
  /** A new opaque id with this prefix. */
  readonly newId: (prefix: string) => string;
  readonly randomSecret: () => Secret;
  readonly sha256Hex: (text: string) => string;
  /** Keyed HMAC of a value under the installation's key, by which a leaked value is recognised later. */
  readonly fingerprint: (value: Secret) => Promise<string>;
  /** Before a change its intent is told there (I8). */
  readonly audit: Pick<AuditKeeper, "objection" | "secure">;
  /** Before a change, and at every look: the records are not older than the world (H32). */
  readonly restores: RestoreGuard;
  /** What the installation itself lacks: Temporal, the inventory, the process. */
  readonly platform: () => Promise<readonly Diagnosis[]>;
}
