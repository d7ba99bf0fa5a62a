/** What time it is by the inventory: the one clock that all processes of an installation have in common (H38). */

import { RekeyError } from "../domain/errors.js";
import { type Database, read } from "./database.js";
import { sql } from "./orm.js";

/** Milliseconds since the epoch by the database's machine. Throws `unreachable`. */
export async function inventoryTime(db: Database): Promise<number> {
  const { rows } = await read(db, (tx) =>
    tx.execute<{ ms: string }>(sql`SELECT extract(epoch FROM clock_timestamp()) * 1000 AS ms`),
  );
  const ms = Number(rows[0]?.ms);
  if (!Number.isFinite(ms)) throw new RekeyError("internal", "The inventory did not say what time it is.");
  return ms;
}
