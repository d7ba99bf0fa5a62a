/**
 * What a kind of issuer declares about itself, because the order of the walk, what "drained" can mean and
 * whether there is a way back all come out of the kind's nature and not out of a provider's name.
 */

/** How two versions live side by side (protocol.md, Kinds of overlap). */
export type Overlap = "two-accounts" | "several-secrets" | "several-keys" | "none";

/** Something that outlives the credential it was taken with, its longest life, and whether disabling ends it (H27). */
export interface Derived {
  readonly what: string;
  readonly maxLifeMs: number | null;
  readonly endedByDisable: boolean;
}

/** A part that consumers play towards a credential. */
export interface Role {
  readonly role: string;
  /**
   * Where it takes a version: `store`, once it was delivered there, to use it; `issuer`, as soon as it was made
   * valid there, to check what others do with it.
   */
  readonly takes: "store" | "issuer";
  /** For how long at least it may go on with what it knew, whatever its consumers say of themselves. */
  readonly memoryMs: number;
}

/** The declaration of a kind. */
export interface IssuerTraits {
  readonly overlap: Overlap;
  /** Whether a listing of sessions shows which version each one logged in with (H23). */
  readonly sessionsTellVersions: boolean;
  /** True where the issuer knows of no sessions: a version is in use by those instances that are seen to hold it. */
  readonly sessionless?: boolean;
  /**
   * True where the histories of rotations are sealed with it: one that was begun before a change goes on in a new run
   * after it, or it would need for ever what it takes away (H26).
   */
  readonly sealsHistories?: boolean;
  /** How many versions can be valid at once; a third is what an emergency may need (H25). */
  readonly capacity: number;
  /** Who makes the value: the engine, or the provider in the call that mints it (H11). */
  readonly valueBy: "engine" | "issuer";
  /** Whether a disabled version can be enabled again with the same value (H29). */
  readonly disableReversible: boolean;
  readonly derives: readonly Derived[];
  /** How long the issuer's nodes may differ after a change. */
  readonly propagationMs: number;
  /**
   * The roles of its consumers in the order in which they come to a version (H28). Absent: one role, whose
   * consumers read the store.
   */
  readonly roles?: readonly Role[];
  /**
   * What of a leaked version is destroyed first: the switch at the issuer (absent), or every stored copy, where
   * whoever holds a copy could go on making what others accept until they have heard of the switch (H28).
   */
  readonly leakedGoesFirst?: "stored-copies";
}
