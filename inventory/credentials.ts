/** Credentials as people and schedules look at them: who answers for them, what is active, when they are due. */

import { dueAt } from "../domain/due.js";
import type { CredentialClass } from "../domain/estate/classes.js";
import type { Credential, Policy } from "../domain/estate/types.js";
import type { OpenRotation } from "../domain/rotation/work.js";
import { type Database, read, type Tx } from "./database.js";
import { entries } from "./estate-tables.js";
import { and, eq, inArray, isNull, max, sql } from "./orm.js";
import { rotationEvents, rotations, versions } from "./rotation-tables.js";
import { latestRotations, type RotationSummary } from "./rotations.js";
import type { Version } from "./versions.js";

/** A credential of the estate in force, by names and with what is known of it. */
export interface CredentialView {
  readonly id: string;
  readonly name: string;
  readonly class: CredentialClass;
  readonly purpose: string;
  readonly owner: string;
  readonly policy: string;
  /** The credential names none, and has the one that takes its class. */
  readonly policyBy?: "class";
  readonly issuer: string;
  readonly store: string;
  readonly consumers: readonly string[];
  readonly active: Version | null;
  readonly lastRotatedAt: number | null;
  /** When the next rotation is due; null where its policy has no interval. */
  readonly dueAt: number | null;
  /** Its latest rotation; open while it has no `closedAt`. */
  readonly rotation: RotationSummary | null;
}

/** A credential whose rotation is due. */
export interface DueCredential {
  readonly id: string;
  readonly name: string;
  readonly policy: string;
  readonly dueAt: number;
}

const dayMs = 24 * 60 * 60 * 1000;

/** Every credential of the estate in force, by name. */
export async function listCredentials(db: Database): Promise<CredentialView[]> {
  return read(db, credentialsWithin);
}

async function credentialsWithin(tx: Tx): Promise<CredentialView[]> {
  const rows = await tx
    .select()
    .from(entries)
    .where(and(inArray(entries.section, ["credentials", "policies"]), isNull(entries.endedAt)))
    .orderBy(entries.name);
  const policies = new Map(
    rows.filter((row) => row.section === "policies").map((row) => [row.name, row.body as unknown as Policy]),
  );
  const rotatedAt = await lastEnds(tx, true);
  const active = new Map(
    (await tx.select().from(versions).where(eq(versions.life, "active"))).map((row) => [row.credential, row]),
  );
  const latest = new Map((await latestRotations(tx)).map((row) => [row.credential, row]));
  return rows
    .filter((row) => row.section === "credentials")
    .map(({ id, name, since, body }) => {
      const credential = body as unknown as Credential;
      const lastRotatedAt = rotatedAt.get(id) ?? null;
      const policy = policies.get(credential.policy);
      return {
        id,
        name,
        class: credential.class,
        purpose: credential.purpose,
        owner: credential.owner,
        policy: credential.policy,
        ...(credential.policyBy === undefined ? {} : { policyBy: credential.policyBy }),
        issuer: credential.issuer,
        store: credential.store,
        consumers: credential.consumers.map(({ consumer }) => consumer),
        active: active.get(id) ?? null,
        lastRotatedAt,
        dueAt: policy === undefined ? null : dueAt(policy, lastRotatedAt, since),
        rotation: latest.get(id) ?? null,
      };
    });
}

/**
 * The credentials that are due at `now` and have no open rotation, most overdue first. One whose last rotation
 * went back or was refused is left alone for `retryAfterMs` (a day), so that owners are not asked all the time.
 */
export async function dueCredentials(
  db: Database,
  now: number,
  options: { readonly retryAfterMs?: number } = {},
): Promise<DueCredential[]> {
  return read(db, (tx) => dueWithin(tx, now, options.retryAfterMs ?? dayMs));
}

/** The same, on the picture of the database that `tx` has. */
export async function dueWithin(tx: Tx, now: number, retryAfterMs = dayMs): Promise<DueCredential[]> {
  const attemptedAt = await lastEnds(tx, false);
  return (await credentialsWithin(tx))
    .flatMap(({ id, name, policy, dueAt: due, rotation }) => {
      const tried = attemptedAt.get(id);
      const patient = tried !== undefined && now < tried + retryAfterMs;
      const open = rotation !== null && rotation.closedAt === null;
      return due === null || due > now || open || patient ? [] : [{ id, name, policy, dueAt: due }];
    })
    .sort((a, b) => a.dueAt - b.dueAt);
}

/** The open rotations of the estate's credentials. Whether their workflows still run is not known here. */
export async function openRotations(db: Database): Promise<OpenRotation[]> {
  return read(db, async (tx) => {
    const open = (await credentialsWithin(tx)).flatMap(({ rotation }) =>
      rotation !== null && rotation.closedAt === null ? [rotation] : [],
    );
    const leaks = await tx
      .selectDistinct({ rotation: rotationEvents.rotation })
      .from(rotationEvents)
      .innerJoin(rotations, eq(rotations.id, rotationEvents.rotation))
      .where(and(isNull(rotations.closedAt), sql`${rotationEvents.event} ->> 'type' = 'incident'`));
    // One that began as an ordinary one becomes an emergency by a report that it is told.
    const urgent = new Set(leaks.map(({ rotation }) => rotation));
    return open.map(({ id, credential, workflowId, mode }) => ({
      credential,
      workflow: workflowId,
      emergency: mode === "emergency" || urgent.has(id),
    }));
  });
}

/** When each credential's last rotation ended: the last that succeeded, or the last whatever came of it. */
export async function lastEnds(tx: Tx, succeeded: boolean): Promise<Map<string, number>> {
  const rows = await tx
    .select({ credential: rotations.credential, at: max(rotations.closedAt) })
    .from(rotations)
    .where(succeeded ? eq(rotations.outcome, "rotated") : undefined)
    .groupBy(rotations.credential);
  return new Map(rows.flatMap(({ credential, at }) => (at === null ? [] : [[credential, at] as const])));
}
