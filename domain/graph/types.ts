/**
 * The map of who uses what, as plain data: nodes, directed edges of seven types, and for each edge how it is known.
 * Nothing in it is a value, and nothing that was once seen is missing from it: what disappears has an end.
 */
import type { CredentialClass } from "../estate/classes.js";

/**
 * What a node is. `identity`: whom a source saw (a role, an account, an entity of a store) as long as nobody has said
 * which consumer that is. `location`: a place where a copy lives. `system`: an issuer, a store, a cluster.
 */
export const nodeTypes = ["credential", "consumer", "identity", "location", "system", "owner"] as const;
/** One of them. */
export type NodeType = (typeof nodeTypes)[number];

/** What an edge says, read from its beginning to its end: a consumer `uses` a credential, a credential is `stored-in` a location. */
export const edgeTypes = [
  "uses",
  "stored-in",
  "issued-by",
  "owned-by",
  "depends-on",
  "can-read",
  "mints",
] as const;

/**
 * What nobody says, and follows from a value that was met at a place and is known for a credential's. `copied-to`: it is read
 * there, or may be. `leaked-to`: it has got there and nobody is known to read it there, a line of a log or a commit of long ago.
 * Both lead from the credential to the place. They are put on a map when it is asked something, and are kept nowhere.
 */
export const copyTypes = ["copied-to", "leaked-to"] as const;

/** One of either. */
export type EdgeType = (typeof edgeTypes)[number] | (typeof copyTypes)[number];

/** How something is known: somebody wrote it, a log shows the read, it is connected now, or it could (discovery.md). */
export const evidenceKinds = ["declared", "read", "session", "potential"] as const;
/** One of them; or, of a copy alone, the value was met. */
export type EvidenceKind = (typeof evidenceKinds)[number] | "met";

/** How an edge is known to one source. Times are milliseconds since the epoch. */
export interface Evidence {
  readonly kind: EvidenceKind;
  /** Name of the source; `estate` for what was declared there. */
  readonly source: string;
  readonly firstSeen: number;
  /** When Rekey learnt of it: `firstSeen` is by the source's record, which may be older than its reading. */
  readonly learntAt: number;
  readonly lastSeen: number;
  /** How often it was seen. */
  readonly count: number;
  /** Why the source's record was taken to be about these two, in a sentence. */
  readonly sentence: string;
}

/** Something on the map. */
export interface GraphNode {
  readonly id: string;
  readonly type: NodeType;
  readonly name: string;
  /** Of a credential, as the estate has it; otherwise what sources took an identity, an account or what is kept at a place for. */
  readonly class?: CredentialClass | undefined;
  /** Of a credential or a consumer: the longest normal gap between two uses, in milliseconds. */
  readonly cadenceMs?: number | undefined;
  readonly firstSeen: number;
  /** When Rekey learnt of it; of what had ended and is there again, the last time. */
  readonly learntAt: number;
  /** Null while it is there. */
  readonly endedAt: number | null;
}

/** From one node to another. */
export interface GraphEdge {
  readonly from: string;
  readonly to: string;
  readonly type: EdgeType;
  readonly firstSeen: number;
  /** When Rekey learnt of it; of what had ended and is there again, the last time. */
  readonly learntAt: number;
  /** Null while it is there. */
  readonly endedAt: number | null;
  readonly evidence: readonly Evidence[];
  /** How the value stands there, of an edge to a copy. */
  readonly copy?: CopyLook;
}

/** How a value stands at a place. */
export interface CopyLook {
  /** In clear, and in no store. */
  readonly literal: boolean;
  /** It stood there, and somebody can still look it up. */
  readonly past: boolean;
}

/** A map, or the part of one that a question needs. */
export interface Graph {
  readonly nodes: ReadonlyMap<string, GraphNode>;
  readonly edges: readonly GraphEdge[];
}
