/** Signed documents as they came in: kept once under their single-use id, so that a replay shows (H7). */

import type { Said } from "../domain/documents.js";
import { RekeyError } from "../domain/errors.js";
import type { DecisionRecord } from "../domain/rotation/state.js";
import { tellAudit } from "./audit-outbox.js";
import { recordsOf } from "./burning.js";
import { type Database, read, type Tx, transact } from "./database.js";
import { sha256Hex } from "./hash.js";
import { and, eq, isNull, or } from "./orm.js";
import { decisions } from "./people-tables.js";

/** A verified document. `owners`: those for whom the person could speak when it was verified. */
export interface StoredDecision {
  readonly jti: string;
  /** Null for an emergency that was reported before a rotation existed. */
  readonly rotation: string | null;
  readonly credential: string;
  readonly digest: string;
  readonly person: string;
  readonly says: Said;
  /** For `confirm`: the consumer's id. */
  readonly consumer: string | null;
  readonly owners: readonly string[];
  /** The document as it was signed; it holds no secret. */
  readonly jws: string;
  readonly issuedAt: number;
  readonly expiresAt: number;
  readonly receivedAt: number;
}

/** A stored document and what used it up. */
export interface KeptDecision extends StoredDecision {
  readonly burnedAt: number | null;
  readonly burnedByRotation: string | null;
  readonly burnedByChange: number | null;
}

/**
 * Keeps the document. The very same one again is answered alike with `repeated`; another document under an id
 * that was used throws `decision-refused`.
 */
export async function recordDecision(
  db: Database,
  decision: StoredDecision,
): Promise<{ readonly repeated: boolean }> {
  return transact(db, async (tx) => {
    const row = { ...decision, owners: [...decision.owners] };
    const inserted = await tx
      .insert(decisions)
      .values(row)
      .onConflictDoNothing()
      .returning({ jti: decisions.jti });
    if (inserted.length > 0) {
      await tellOf(tx, decision);
      return { repeated: false };
    }
    const [known] = await tx
      .select({ jws: decisions.jws, rotation: decisions.rotation })
      .from(decisions)
      .where(eq(decisions.jti, decision.jti));
    if (known?.jws !== decision.jws || known.rotation !== decision.rotation) {
      throw new RekeyError(
        "decision-refused",
        `The id ${decision.jti} was used before, in another document or for another rotation.`,
      );
    }
    return { repeated: true };
  });
}

/** The document itself names its signer; its hash says which one it was without keeping that for ever (H40). */
async function tellOf(tx: Tx, decision: StoredDecision): Promise<void> {
  const { jti, rotation, credential, digest, person, says, consumer, owners, jws } = decision;
  const { issuedAt, expiresAt, receivedAt } = decision;
  const document = sha256Hex(jws);
  const about = { decision: jti, credential, digest, says, consumer: consumer ?? undefined };
  await tellAudit(tx, {
    kind: "decision",
    at: receivedAt,
    rotation,
    facts: { ...about, document, issuedAt, expiresAt },
    personal: { person, owners: owners.join(", ") },
  });
}

/** The document that was kept under this id, or null. */
export async function decisionWith(db: Database, jti: string): Promise<KeptDecision | null> {
  const [kept] = await read(db, (tx) => tx.select().from(decisions).where(eq(decisions.jti, jti)));
  return kept ?? null;
}

/** The rotation's approvals and rejections in the order of their arrival, burned ones included. */
export async function decisionsOf(db: Database, rotation: string): Promise<DecisionRecord[]> {
  return read(db, (tx) => recordsOf(tx, rotation));
}

/** Every document of the rotation as it was signed, those included that an emergency brought along. */
export async function documentsOf(db: Database, rotation: string): Promise<KeptDecision[]> {
  return read(db, (tx) =>
    tx
      .select()
      .from(decisions)
      .where(
        or(
          eq(decisions.rotation, rotation),
          and(isNull(decisions.rotation), eq(decisions.burnedByRotation, rotation)),
        ),
      )
      .orderBy(decisions.receivedAt, decisions.jti),
  );
}
