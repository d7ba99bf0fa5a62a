/** Reported leaks: which versions a reported value turned out to be, and whether the owners signed afterwards. */

import { RekeyError } from "../domain/errors.js";
import { tellAudit } from "./audit-outbox.js";
import { type Database, read, transact } from "./database.js";
import { and, eq, isNull } from "./orm.js";
import { decisions, incidents } from "./people-tables.js";

/** A report. `matched` is empty where the value matched no version that we know; the value itself is never kept. */
export interface Incident {
  readonly id: string;
  readonly credential: string;
  readonly rotation: string | null;
  readonly reason: string;
  readonly reportedBy: string;
  readonly at: number;
  readonly matched: readonly string[];
  /** Until when the owners have to sign what was done without them. */
  readonly signOffBy: number;
}

/** A report and its sign-off. `signedOffWith` is the id of the decision. */
export interface KeptIncident extends Incident {
  readonly signedOffAt: number | null;
  readonly signedOffWith: string | null;
}

/** Keeps the report once, and returns it as it is kept: the same id again changes nothing. */
export async function recordIncident(db: Database, incident: Incident): Promise<KeptIncident> {
  const row = { ...incident, matched: [...incident.matched] };
  return transact(db, async (tx) => {
    const inserted = await tx
      .insert(incidents)
      .values(row)
      .onConflictDoNothing()
      .returning({ id: incidents.id });
    if (inserted.length > 0) {
      const { id, credential, rotation, at, matched, signOffBy, reportedBy, reason } = incident;
      await tellAudit(tx, {
        kind: "incident",
        at,
        rotation,
        facts: { incident: id, credential, matched, signOffBy },
        personal: { reportedBy, reason },
      });
    }
    const [kept] = await tx.select().from(incidents).where(eq(incidents.id, incident.id));
    if (kept === undefined) throw new RekeyError("internal", `Incident ${incident.id} was not kept.`);
    return kept;
  });
}

/** The report with this id, or null. */
export async function incidentWith(db: Database, id: string): Promise<KeptIncident | null> {
  const [kept] = await read(db, (tx) => tx.select().from(incidents).where(eq(incidents.id, id)));
  return kept ?? null;
}

/**
 * Notes the owners' later signature by the id of a stored `sign-off` decision; the first one stands. Throws
 * `decision-refused` for any other decision and for one that is older than the incident, because nobody signs
 * what they cannot know of (H37); `not-found` for an unknown incident.
 */
export async function signOffIncident(db: Database, id: string, jti: string, at: number): Promise<void> {
  await transact(db, async (tx) => {
    const [known] = await tx.select().from(incidents).where(eq(incidents.id, id)).for("no key update");
    if (known === undefined) throw new RekeyError("not-found", `There is no incident ${id}.`);
    const [decision] = await tx.select().from(decisions).where(eq(decisions.jti, jti));
    if (decision?.says !== "sign-off" || decision.credential !== known.credential) {
      throw new RekeyError("decision-refused", `Decision ${jti} does not sign incident ${id} off.`);
    }
    if (known.signedOffAt !== null) return;
    // The time of the first arrival bounds it too: a paper that is dated ahead must not settle what comes later.
    if (known.at > Math.min(decision.issuedAt, decision.receivedAt)) {
      throw new RekeyError("decision-refused", `Decision ${jti} was signed before incident ${id}.`);
    }
    await tx.update(incidents).set({ signedOffAt: at, signedOffWith: jti }).where(eq(incidents.id, id));
    const facts = { incident: id, credential: known.credential, decision: jti };
    await tellAudit(tx, { kind: "signed-off", at, rotation: known.rotation, facts });
  });
}

/** The incidents, oldest first: of one credential, or only those that nobody signed off yet. */
export async function listIncidents(
  db: Database,
  options: { readonly credential?: string; readonly unsigned?: boolean } = {},
): Promise<KeptIncident[]> {
  const ofCredential =
    options.credential === undefined ? undefined : eq(incidents.credential, options.credential);
  return read(db, (tx) =>
    tx
      .select()
      .from(incidents)
      .where(and(ofCredential, options.unsigned ? isNull(incidents.signedOffAt) : undefined))
      .orderBy(incidents.at, incidents.id),
  );
}
