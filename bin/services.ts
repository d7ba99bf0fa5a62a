/** The command line's services, opened from the installation's settings: the one place where client and installation meet. */
import { hostname } from "node:os";
import type { Services } from "../client/cli/deps.js";
import { inventoryIn } from "../client/cli/inventory.js";
import { rotationClient } from "../client/temporal.js";
import { readInstallation as readRecord } from "../inventory/installation.js";
import { migrate } from "../inventory/migrate.js";
import { readInstallation } from "../worker/config.js";
import {
  databaseOf,
  dataConverterOf,
  fingerprinterOf,
  newId,
  temporalLoginOf,
} from "../worker/installation.js";

/** Connects to the database; Temporal is reached at the first call. Throws `missing-setup` or `unreachable`. */
export async function openServices(env: NodeJS.ProcessEnv): Promise<Services> {
  const settings = readInstallation(env);
  const db = await databaseOf(settings);
  try {
    const { id: installation } = await readRecord(db);
    const rotations = rotationClient({
      connection: await temporalLoginOf(settings),
      namespace: settings.REKEY_TEMPORAL_NAMESPACE,
      dataConverter: await dataConverterOf(settings),
      identity: `rekey@${hostname()}`,
      randomId: newId,
    });
    return {
      installation,
      inventory: inventoryIn(db, { now: Date.now, randomId: newId }),
      rotations,
      // Asked for where a leak is reported, and nowhere else: whoever never does needs no key for it.
      fingerprint: async (value) => (await fingerprinterOf(settings))(value),
      close: async () => {
        await Promise.allSettled([rotations.close(), db.close()]);
      },
    };
  } catch (error) {
    await db.close();
    throw error;
  }
}

/** Brings the inventory database up to date; answers with the names of what was applied. */
export async function migrateInventory(env: NodeJS.ProcessEnv): Promise<readonly string[]> {
  const db = await databaseOf(readInstallation(env));
  try {
    return (await migrate(db)).applied;
  } finally {
    await db.close();
  }
}
