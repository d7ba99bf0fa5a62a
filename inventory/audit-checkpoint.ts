/**
 * The newest checkpoint of the audit log, kept with the records. Every process of an installation reads them, also one
 * whose folder is empty: a new container, or a command line that signs for the first time (H32, I9).
 */

import { type Database, read, transact } from "./database.js";
import { installation } from "./estate-tables.js";
import { isNull, lt, or } from "./orm.js";

/** An anchor of the audit log in the inventory. It says nothing, and keeps nothing, before there is an installation. */
export function auditCheckpointIn(db: Database) {
  return {
    source: "the inventory's checkpoint",
    /** The signed note, or null. Throws the errors of `read`. */
    read: async (): Promise<string | null> => {
      const { auditCheckpoint: note } = installation;
      const [row] = await read(db, (tx) => tx.select({ note }).from(installation));
      return row?.note ?? null;
    },
    /** Keeps the note of a log of `size` entries, unless one of as many is there. Throws the errors of `transact`. */
    write: async (note: string, size: number): Promise<void> => {
      const smaller = or(isNull(installation.auditSize), lt(installation.auditSize, size));
      await transact(db, (tx) =>
        tx.update(installation).set({ auditSize: size, auditCheckpoint: note }).where(smaller),
      );
    },
  };
}
