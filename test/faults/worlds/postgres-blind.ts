/**
 * Blindness at PostgreSQL: the engine asks who is connected and is shown nobody, not even itself, as where a provider puts
 * a view of its own before the server's, or where a copy answers in its place. Only its own mark can tell that from quiet.
 */
import { setTimeout as pause } from "node:timers/promises";
import type { ShopServer } from "./world.js";

const replayedMsMax = 30_000;

/** Puts an empty listing before the server's for this login alone, or takes it away; its sessions begin anew at every node. */
export async function blindfold(shop: ShopServer, login: string, on: boolean): Promise<void> {
  const schema = `blind_${login}`;
  const view = `${schema}.pg_stat_activity`;
  if (on)
    await shop.query(`
      CREATE SCHEMA IF NOT EXISTS ${schema};
      CREATE OR REPLACE VIEW ${view} AS SELECT * FROM pg_catalog.pg_stat_activity WHERE false;
      GRANT USAGE ON SCHEMA ${schema} TO PUBLIC;
      GRANT SELECT ON ${view} TO PUBLIC`);
  await shop.query(
    `ALTER ROLE ${login} ${on ? `SET search_path = ${schema}, pg_catalog` : "RESET search_path"}`,
  );
  const [at] = await shop.query("SELECT pg_current_wal_insert_lsn()::text AS lsn");
  for (const node of [0, ...shop.standbys.map((_, index) => index + 1)]) {
    if (node > 0) await replayed(shop, String(at?.lsn), node);
    // What a login is given counts from its next connection on.
    await shop.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1",
      [login],
      node,
    );
  }
}

/** A standby that has not heard of it yet would give the next connection what was there before. */
async function replayed(shop: ShopServer, lsn: string, node: number): Promise<void> {
  const until = Date.now() + replayedMsMax;
  for (;;) {
    const [row] = await shop.query("SELECT pg_last_wal_replay_lsn() >= $1::pg_lsn AS there", [lsn], node);
    if (row?.there === true) return;
    if (Date.now() > until) throw new Error(`node ${node} does not replay ${lsn}`);
    await pause(20);
  }
}
