/**
 * Using decisions up. A sign-off is counted and burned in the transaction of the intent that it allows, so
 * that the same paper never allows something twice and nothing is begun on a paper that no longer holds (H7).
 */

import { count } from "../domain/count.js";
import { tally } from "../domain/decisions.js";
import { RekeyError } from "../domain/errors.js";
import type { DecisionRecord, Plan, RotationPolicy } from "../domain/rotation/state.js";
import { tellAudit } from "./audit-outbox.js";
import type { Tx } from "./database.js";
import { and, eq, inArray, isNull } from "./orm.js";
import { decisions } from "./people-tables.js";

/** The sign-offs that a change needs. */
export interface SignOffs {
  readonly policy: Pick<RotationPolicy, "approval">;
  /** Every plan and amendment in force; each needs its own quorum. */
  readonly plans: readonly Pick<Plan, "digest" | "approvers">[];
  /** False once it is too late for a rejection; what was agreed has to hold all the same. */
  readonly vetoes: boolean;
  /** When owners were asked last; signatures are held to the policy's deadline from there (H38). */
  readonly askedAt: number;
  /**
   * Owners for whom a person's decision (by its id) speaks now; absent: those that were found when it was verified.
   * Authority is a matter of the time of use, and so is whose key it is (H37).
   */
  readonly speaksFor?: ((person: string, decision: string) => readonly string[]) | undefined;
}

/** Where a decision is used. `change` is null for what is used up by opening a rotation. */
export interface Use {
  readonly rotation: string;
  readonly change: number | null;
  readonly at: number;
}

/**
 * Counts the rotation's stored decisions for every plan as of `use.at` and burns those that were counted.
 * Throws `decision-refused` when one plan's sign-offs do not suffice.
 */
export async function burnSignOffs(tx: Tx, use: Use, signOffs: SignOffs): Promise<void> {
  const records = await recordsOf(tx, use.rotation, signOffs.speaksFor);
  const signedBy = signOffs.askedAt + signOffs.policy.approval.deadlineMs;
  for (const plan of signOffs.plans) {
    const tallied = tally(plan, records, signOffs.policy, signedBy, use.at);
    const vetoedBy = signOffs.vetoes ? tallied.vetoedBy : null;
    if (vetoedBy !== null || tallied.missing > 0) {
      const sentence =
        vetoedBy === null
          ? `${count(tallied.missing, "sign-off is", "sign-offs are")} missing for plan ${plan.digest}.`
          : `${vetoedBy} rejected plan ${plan.digest}.`;
      throw new RekeyError("decision-refused", sentence);
    }
    const counted = records.filter(
      ({ digest, verdict, person }) =>
        digest === plan.digest && verdict === "approve" && tallied.agreed.includes(person),
    );
    await burn(
      tx,
      counted.map(({ id }) => id),
      use,
    );
  }
}

/**
 * Burns decisions by their ids. One that this rotation has burned before stays as it was; one that another
 * rotation has burned, or that nobody knows, throws `decision-refused`.
 */
export async function burn(tx: Tx, ids: readonly string[], use: Use): Promise<void> {
  const wanted = [...new Set(ids)].sort();
  if (wanted.length === 0) return;
  const found = await tx
    .select({ jti: decisions.jti, rotation: decisions.rotation, burnedBy: decisions.burnedByRotation })
    .from(decisions)
    .where(inArray(decisions.jti, wanted))
    .orderBy(decisions.jti)
    .for("update");
  if (found.length < wanted.length) throw new RekeyError("decision-refused", "It was never received.");
  for (const { jti, rotation, burnedBy } of found) {
    if ((burnedBy ?? rotation ?? use.rotation) !== use.rotation) {
      throw new RekeyError(
        "decision-refused",
        `Decision ${jti} belongs to another rotation or was used by one.`,
      );
    }
  }
  const burned = await tx
    .update(decisions)
    .set({ burnedAt: use.at, burnedByRotation: use.rotation, burnedByChange: use.change })
    .where(and(inArray(decisions.jti, wanted), isNull(decisions.burnedByRotation)))
    .returning({ jti: decisions.jti });
  if (burned.length === 0) return;
  const facts = { decisions: burned.map(({ jti }) => jti).sort(), change: use.change };
  await tellAudit(tx, { kind: "burned", at: use.at, rotation: use.rotation, facts });
}

/** The rotation's approvals and rejections, as the counting wants them. */
export async function recordsOf(
  tx: Tx,
  rotation: string,
  speaksFor?: SignOffs["speaksFor"],
): Promise<DecisionRecord[]> {
  const rows = await tx
    .select()
    .from(decisions)
    .where(eq(decisions.rotation, rotation))
    .orderBy(decisions.receivedAt, decisions.jti);
  return rows.flatMap(({ jti, person, digest, says, owners, issuedAt, expiresAt }) =>
    says === "approve" || says === "reject"
      ? [
          {
            id: jti,
            person,
            digest,
            verdict: says,
            owners: speaksFor?.(person, jti) ?? owners,
            issuedAt,
            expiresAt,
          },
        ]
      : [],
  );
}
