/**
 * Signed documents: what a person can say to a rotation. A document is a compact JWS over one of these
 * payloads; it is bound to installation, rotation and run nonce, and used once, so it can be neither forged by
 * whoever runs the engine nor replayed after a reset (H7).
 */

import { canonical } from "./plan.js";

/** What a document says. `confirm` is a person's word that a consumer holds the target (protocol.md, Consumers). */
export type Said = "approve" | "reject" | "confirm" | "emergency" | "sign-off" | "restored";

/** The payload. Times are milliseconds since the epoch. */
export interface DocumentPayload {
  readonly form: "rekey-decision/1";
  readonly installation: string;
  /** Name of the credential, for the person who signs. */
  readonly credential: string;
  /** Empty for an emergency that is reported before a rotation exists. */
  readonly rotation: string;
  readonly nonce: string;
  /** Digest of the plan or amendment; for `emergency`, of the report; for `restored`, which restore. */
  readonly digest: string;
  readonly says: Said;
  /** For `confirm`: the consumer's id. */
  readonly consumer?: string;
  /** For `confirm`: id of the version that the consumer works with. */
  readonly version?: string;
  /** Name of the person in the estate; their keys verify the signature. */
  readonly person: string;
  readonly issuedAt: number;
  readonly expiresAt: number;
  /** Single use. */
  readonly id: string;
}

/** Skew that is allowed between the signer's clock and ours. */
export const clockSkewMs = 30_000;

/** Why a payload does not count for this rotation now, or null when it does. The signature is checked by the caller. */
export function objectionTo(
  payload: DocumentPayload,
  expected: {
    readonly installation: string;
    readonly rotation: string;
    readonly nonce: string;
    readonly digests: readonly string[];
  },
  now: number,
): string | null {
  if (payload.form !== "rekey-decision/1") return "It is not a decision of this program.";
  if (payload.installation !== expected.installation) return "It was signed for another installation.";
  if (payload.rotation !== expected.rotation) return "It was signed for another rotation.";
  if (payload.nonce !== expected.nonce)
    return "It was signed for an earlier run of this rotation; sign the present plan.";
  if (!expected.digests.includes(payload.digest))
    return "The plan has changed since it was signed; sign the present plan.";
  if (payload.issuedAt > now + clockSkewMs) return "It is dated in the future.";
  if (payload.expiresAt <= now) return "It has expired.";
  return null;
}

/**
 * Why a confirmation does not count now, or null when it does. `told` is what the consumer's place was last told
 * to take up, and when: what was signed before that is about an earlier delivery, maybe of the same version (H10).
 */
export function objectionToConfirmation(
  { version, issuedAt }: Pick<DocumentPayload, "version" | "issuedAt">,
  target: string,
  told: { readonly told: string | null; readonly toldAt: number | null } | undefined,
): string | null {
  if (version === undefined) return "It does not say which version the consumer works with; confirm again.";
  if (version !== target) return "It confirms a version that the rotation does not lead to.";
  if (told === undefined || told.toldAt === null || told.told !== target)
    return "The version was not delivered to this consumer yet.";
  if (issuedAt < told.toldAt) return "It was signed before the version was delivered; confirm again.";
  return null;
}

/**
 * The text whose digest a responder signs: everything that a report orders. A second responder signs the same
 * words, so that nobody can widen what somebody else has agreed to.
 */
export function reportText(report: {
  readonly reason: string;
  readonly leaked: readonly string[] | "unknown";
  readonly containment?: string | undefined;
  /** Keyed hash of the value: it names versions too, and may make one responder enough. */
  readonly evidence?: string | null | undefined;
}): string {
  const leaked = report.leaked === "unknown" ? "unknown" : [...report.leaked].sort();
  return canonical({
    form: "rekey-report/1",
    reason: report.reason,
    leaked,
    containment: report.containment,
    evidence: report.evidence ?? undefined,
  });
}
