/** Who we are: the installation's id, which every fence tag carries, and the mark by which a restored database is recognised (H32). */
import { RekeyError } from "../domain/errors.js";
import { type Database, read, transact } from "./database.js";
import { installation } from "./estate-tables.js";

/** The installation. `restoreGeneration` is also kept outside the database; two that differ mean a restore. */
export interface Installation {
  readonly id: string;
  readonly createdAt: number;
  readonly restoreGeneration: string;
}

/** Keeps the first installation that is given and returns it ever after, whatever later calls give. */
export async function ensureInstallation(db: Database, first: Installation): Promise<Installation> {
  return transact(db, async (tx) => {
    await tx.insert(installation).values(first).onConflictDoNothing();
    const rows = await tx.select().from(installation);
    return only(rows);
  });
}

/** The installation. Throws `missing-setup` when none was made yet. */
export async function readInstallation(db: Database): Promise<Installation> {
  return read(db, async (tx) => only(await tx.select().from(installation)));
}

function only(rows: readonly (typeof installation.$inferSelect)[]): Installation {
  const [row] = rows;
  if (row === undefined) {
    const hint = "`rekey up` or `rekey worker` makes one at its first start.";
    throw new RekeyError("missing-setup", "The inventory database knows no installation yet.", hint);
  }
  return { id: row.id, createdAt: row.createdAt, restoreGeneration: row.restoreGeneration };
}
