/**
 * Who receives the log of PostgreSQL servers, and whether those are all listed: a standby that is not is a server that accepts
 * the same logins, and that nobody asks.
 */
import type { Call } from "../ports.js";
import type { PgSession } from "./pg.js";

/** Of one server. Without the right to see them receivers have no address, and are there all the same. */
export interface Replication {
  /** Who receives from it, as `name@address`. */
  readonly downstream: readonly string[];
  /** It receives itself. */
  readonly receiving: boolean;
}

/** Logical subscribers take rows, not logins; only physical receivers are servers of their own. */
const sql = `
  SELECT ARRAY(SELECT w.application_name || '@' || coalesce(host(w.client_addr), 'local') FROM pg_stat_replication w
               WHERE NOT EXISTS (SELECT FROM pg_replication_slots s WHERE s.active_pid = w.pid AND s.slot_type = 'logical')) AS downstream,
         EXISTS (SELECT FROM pg_stat_wal_receiver) AS receiving`;

/** Asks one server. Errors as of `query`. */
export async function replicationAt(session: PgSession, call: Call): Promise<Replication> {
  const [row] = await session.query<Replication>(sql, [], call);
  return row ?? { downstream: [], receiving: false };
}

/**
 * Of all listed servers together: those that receive from them, where these are more than the listed ones that receive.
 * `receivers` are names of what receives and accepts no logins.
 */
export function unlisted(nodes: readonly Replication[], receivers: readonly string[]): readonly string[] {
  const servers = nodes
    .flatMap(({ downstream }) => downstream)
    .filter((name) => !receivers.includes(name.slice(0, name.lastIndexOf("@"))));
  return servers.length > nodes.filter(({ receiving }) => receiving).length ? servers : [];
}
