/** Reported leaks: which versions a reported value turned out to be, and whether the owners signed afterwards. */
import { and, eq, isNull } from "drizzle-orm";
import { RekeyError } from "../domain/errors.js";
import { type Database, read, transact } from "./database.js";
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

/** Keeps the report; the same id again changes nothing. */
export async function recordIncident(db: Database, incident: Incident): Promise<void> {
  const row = { ...incident, matched: [...incident.matched] };
  await transact(db, (tx) => tx.insert(incidents).values(row).onConflictDoNothing());
}

/**
 * Notes the owners' later signature by the id of a stored `sign-off` decision; the first one stands. Throws
 * `decision-refused` for any other decision, `not-found` for an unknown incident.
 */
export async function signOffIncident(db: Database, id: string, jti: string, at: number): Promise<void> {
  await transact(db, async (tx) => {
    const [known] = await tx.select().from(incidents).where(eq(incidents.id, id)).for("no key update");
    if (known === undefined) throw new RekeyError("not-found", `There is no incident ${id}.`);
    const [decision] = await tx
      .select({ says: decisions.says, credential: decisions.credential })
      .from(decisions)
      .where(eq(decisions.jti, jti));
    if (decision?.says !== "sign-off" || decision.credential !== known.credential) {
      throw new RekeyError("decision-refused", `Decision ${jti} does not sign incident ${id} off.`);
    }
    if (known.signedOffAt !== null) return;
    await tx.update(incidents).set({ signedOffAt: at, signedOffWith: jti }).where(eq(incidents.id, id));
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
