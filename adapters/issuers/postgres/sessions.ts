/**
 * Ending the sessions of a login until none is left, also those that the server cannot name yet: a client may
 * pass the login check and hide behind `post_auth_delay` for half an hour (H4, facts 15).
 */
import { RekeyError } from "../../../domain/errors.js";
import type { Call } from "../../ports.js";
import type { Pace } from "../../shared/pace.js";
import type { Node, NodeSession, Nodes } from "../../shared/pg-nodes.js";
import { pause } from "../../shared/retry.js";

/** Pause between rounds in milliseconds: short while backends exit, longer while a hidden one is waited for. */
const pauseMs = { first: 2, max: 200 };

interface Round {
  readonly tag: string;
  /** Our own session stands in the listing, and we may see others': without that nobody left means nothing (H21). */
  readonly sees: boolean;
  readonly left: number;
  readonly timeoutMs: number;
  readonly hidden: readonly { readonly pid: number; readonly ageMs: number | null }[];
}

/** When a backend was first found without a name, by node and pid; where the server does not tell its age. */
export type FirstSeen = Map<string, number>;

/**
 * Ends every session of `login` on `node` and returns once none is left and every backend that was unidentified
 * after the disable has been identified or ended. Where the engine cannot see who is connected, whoever is named is
 * ended, and it is not done until the engine sees again. Call it after the disable is visible on the node. Throws
 * `fenced` as soon as the login carries another tag than `tag`, `unreachable` when the call ends before that.
 */
export async function endSessions(
  nodes: Nodes,
  node: Node,
  login: string,
  tag: string,
  firstSeen: FirstSeen,
  pace: Pace,
  call: Call,
): Promise<void> {
  // Who could have passed the login check before the disable is in this first listing; who comes later was refused.
  let suspects: Set<number> | null = null;
  for (let waitMs = pauseMs.first; ; waitMs = Math.min(waitMs * 2, pauseMs.max)) {
    const round = await nodes.read(node, call, (on) => endOnce(on, login, tag, pace.perRoundMax, call));
    if (round.tag !== tag) {
      throw new RekeyError(
        "fenced",
        `${login} carries another tag at ${node.name}; its sessions are left alone.`,
      );
    }
    const before: Set<number> = suspects ?? new Set(round.hidden.map(({ pid }) => pid));
    const hidden = round.hidden.filter(({ pid }) => before.has(pid));
    if (round.sees) suspects = new Set(hidden.map(({ pid }) => pid));
    forgetGone(firstSeen, node, round.hidden);
    if (round.sees && round.left === 0 && hidden.length === 0) return;
    for (const { pid, ageMs } of round.sees ? hidden : []) {
      const key = `${node.name}/${pid}`;
      const since = firstSeen.get(key) ?? Date.now();
      firstSeen.set(key, since);
      // No honest client is still unnamed after the time that the server gives to authentication.
      if ((ageMs ?? Date.now() - since) > round.timeoutMs) await endHidden(nodes, node, pid, call);
    }
    await pause(
      // More than one round ends are ended few at a time, so that their owners do not all come back at once (H35).
      round.left > pace.perRoundMax ? pace.pauseMs() : waitMs,
      call,
      round.sees
        ? `${node.name}: ${round.left + hidden.length} sessions are left or not yet identified; it`
        : `${node.name} does not show the engine who is connected; a listing with the engine itself in it`,
    );
  }
}

/** A pid is used again by the server: whoever has it next must not inherit this one's age. */
function forgetGone(firstSeen: FirstSeen, node: Node, hidden: Round["hidden"]): void {
  const still = new Set(hidden.map(({ pid }) => `${node.name}/${pid}`));
  for (const key of firstSeen.keys()) {
    if (key.startsWith(`${node.name}/`) && !still.has(key)) firstSeen.delete(key);
  }
}

/**
 * The locks are read before the listing: a backend that is in neither then began after the disable. The other
 * way round one could leave the first before it was looked for and enter the second after (17 and older).
 */
async function endOnce(
  on: NodeSession,
  login: string,
  tag: string,
  endedMax: number,
  call: Call,
): Promise<Round> {
  const [locks] = await on.session.query<{ pids: number[] }>(
    "SELECT coalesce(array_agg(DISTINCT pid) FILTER (WHERE pid IS NOT NULL), '{}') AS pids FROM pg_locks WHERE locktype = 'virtualxid'",
    [],
    call,
  );
  const [row] = await on.session.query<{
    tag: string;
    sees: boolean;
    left: number;
    timeout: number;
    hidden: { pid: number; ageMs: number | null }[];
  }>(
    `WITH account AS (
       SELECT coalesce(shobj_description(oid, 'pg_authid'), '') AS tag FROM pg_roles WHERE rolname = $1
     ), named AS MATERIALIZED (
       SELECT pid, row_number() OVER (ORDER BY random()) AS place FROM pg_stat_activity
       WHERE usename = $1 AND pid <> pg_backend_pid()
     ), ended AS MATERIALIZED (
       SELECT pg_terminate_backend(pid) FROM named WHERE place <= $4 AND (SELECT tag FROM account) = $2
     ), hidden AS (
       SELECT pid, extract(epoch FROM clock_timestamp() - backend_start) * 1000 AS "ageMs" FROM pg_stat_activity
       WHERE usesysid IS NULL AND backend_type IN ('client backend', 'walsender')
       UNION ALL
       SELECT pid, NULL FROM unnest($3::int[]) AS pid WHERE pid NOT IN (SELECT a.pid FROM pg_stat_activity a)
     )
     SELECT (SELECT tag FROM account) AS tag,
            pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') AND EXISTS (
              SELECT FROM pg_stat_activity WHERE pid = pg_backend_pid() AND usename = session_user
            ) AS sees,
            (SELECT count(*)::int FROM named) + 0 * (SELECT count(*)::int FROM ended) AS left,
            (SELECT setting::int * 1000 FROM pg_settings WHERE name = 'authentication_timeout') AS timeout,
            (SELECT coalesce(json_agg(hidden), '[]') FROM hidden) AS hidden`,
    [login, tag, locks?.pids ?? [], endedMax],
    call,
  );
  return {
    tag: row?.tag ?? "",
    sees: row?.sees ?? false,
    left: row?.left ?? 0,
    timeoutMs: row?.timeout ?? 0,
    hidden: row?.hidden ?? [],
  };
}

/** A backend that has no role yet, or a superuser's, may not be ended by us; it stays in the listing and is waited for. */
async function endHidden(nodes: Nodes, node: Node, pid: number, call: Call): Promise<void> {
  try {
    await nodes.read(node, call, ({ session }) =>
      session.query("SELECT pg_terminate_backend($1)", [pid], call),
    );
  } catch (error) {
    if (!(error instanceof RekeyError) || error.code !== "not-permitted") throw error;
  }
}
