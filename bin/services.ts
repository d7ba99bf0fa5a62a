/** The command line's services, opened from the installation's settings: the one place where client and installation meet. */
import { hostname } from "node:os";
import { kinds } from "../adapters/registry.js";
import { valuesPasted } from "../adapters/shared/source-pasted.js";
import { migrateLog } from "../audit/log.js";
import { type AuditDesk, auditDeskOf } from "../client/cli/audit-desk.js";
import type { Services } from "../client/cli/deps.js";
import { inventoryIn } from "../client/cli/inventory.js";
import { late } from "../client/late.js";
import { shapesOf } from "../domain/estate/shapes.js";
import { Secret } from "../domain/secret.js";
import { refuseAnotherKey } from "../inventory/fingerprint-key.js";
import { readInstallation as readRecord } from "../inventory/installation.js";
import { migrate } from "../inventory/migrate.js";
import { auditDatabaseOf, type OpenAudit, openAudit } from "../worker/audit.js";
import { installationClock } from "../worker/clock.js";
import { readInstallation } from "../worker/config.js";
import {
  codecRingOf,
  converterWith,
  databaseOf,
  fingerprinterOf,
  fingerprintKeyDigest,
  newId,
  temporalLoginOf,
} from "../worker/installation.js";
import { keepTelling } from "../worker/tell.js";

/**
 * Connects to the database; Temporal is reached at the first call. Throws `missing-setup` or `unreachable`. One that
 * stays (`tells`) lets the others know which codec keys it goes by; a command is over before anybody could ask.
 */
export async function openServices(env: NodeJS.ProcessEnv, { tells = false } = {}): Promise<Services> {
  const settings = readInstallation(env);
  const db = await databaseOf(settings);
  try {
    const ring = await codecRingOf(settings, tells ? toStandardError : undefined);
    const { id: installation } = await readRecord(db);
    const clock = await installationClock(db);
    const connection = await temporalLoginOf(settings);
    // Temporal's client is a fifth of what a command loads, and most of them look into the inventory only.
    const { handle: rotations, isUsed } = late(async () => {
      const { rotationClient } = await import("../client/temporal.js");
      return rotationClient({
        connection,
        namespace: settings.REKEY_TEMPORAL_NAMESPACE,
        dataConverter: converterWith(ring),
        identity: `rekey@${hostname()}`,
        randomId: newId,
      });
    });
    const stopTelling = tells
      ? await keepTelling({ db, ring, role: "server", id: newId("proc"), warn: toStandardError })
      : async () => undefined;
    let opened: Promise<OpenAudit> | undefined;
    const audit = async (): Promise<AuditDesk> => {
      opened ??= openAudit(settings, { db, installation, now: clock.now, warn: toStandardError });
      return auditDeskOf({
        ...(await opened),
        db,
        now: async () => {
          await clock.agree();
          return clock.now();
        },
        forgetAfterMs: settings.REKEY_AUDIT_FORGET_AFTER,
      });
    };
    return {
      installation,
      clock,
      inventory: inventoryIn(db, { randomId: newId, shapes: shapesOf(kinds) }),
      rotations,
      audit,
      // Asked for where a value leaked, and nowhere else: whoever never meets one needs no key for it.
      fingerprint: async (value) => {
        await refuseAnotherKey(db, await fingerprintKeyDigest(settings));
        return (await fingerprinterOf(settings))(value);
      },
      valuesIn: (pasted) =>
        valuesPasted(pasted.reveal()).map(({ as, value }) => ({
          as,
          value: value === null ? null : new Secret(value),
        })),
      close: async () => {
        await stopTelling();
        const log = opened?.then((open) => open.close());
        await Promise.allSettled([isUsed() ? rotations.close() : undefined, db.close(), log]);
      },
    };
  } catch (error) {
    await db.close();
    throw error;
  }
}

function toStandardError(sentence: string): void {
  process.stderr.write(`${sentence}\n`);
}

/** Brings the inventory and the audit log up to date; answers with the names of what was applied. */
export async function migrateInventory(env: NodeJS.ProcessEnv): Promise<readonly string[]> {
  const settings = readInstallation(env);
  const [db, log] = [await databaseOf(settings), await auditDatabaseOf(settings)];
  try {
    const inventory = (await migrate(db)).applied;
    const audit = (await migrateLog(log)).applied;
    return [...inventory, ...audit.map((name) => `audit ${name}`)];
  } finally {
    await Promise.all([db.close(), log.close()]);
  }
}
