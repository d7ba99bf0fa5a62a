/**
 * One look at the issuer: which logins are on and with which tag, and who is connected at every node. The
 * statement text of a session is never read (H40).
 */
import { socketHost } from "../../../domain/discovery/match.js";
import { RekeyError } from "../../../domain/errors.js";
import type { Call, IssuerView, SessionGroup, Slot } from "../../ports.js";
import type { Node, Nodes } from "../../shared/pg-nodes.js";
import type { PostgresAccount } from "./config.js";

interface Listing {
  readonly identity: string;
  readonly at: number;
  readonly standby: boolean;
  readonly mark: boolean;
  readonly sessions: readonly SessionGroup[];
  readonly slots: readonly SlotRow[];
}

interface SlotRow {
  readonly login: string;
  readonly tag: string;
  readonly enabled: boolean;
  readonly managed: boolean;
}

/**
 * Reads every node. Throws `wrong-server` when nodes do not belong together or one changed its role, and
 * `unreachable` when one does not answer: a view with a node missing would say that nobody is there. A role that was
 * changed is told first: of a primary that is away it says what has become of it.
 */
export async function surveyNodes(nodes: Nodes, account: PostgresAccount, call: Call): Promise<IssuerView> {
  const listings = await everyListing(nodes, account, call);
  const [first] = listings;
  if (!first) throw new RekeyError("internal", "A PostgreSQL issuer has a primary.");
  nodes.all.forEach((node, index) => {
    if (listings[index]?.identity !== first.identity) {
      throw new RekeyError("wrong-server", `${node.name} does not belong to ${nodes.primary.name}.`);
    }
  });
  return {
    identity: first.identity,
    nodes: nodes.all.map(({ name, role }) => ({ node: name, role })),
    slots: slotsOf(first.slots, account),
    sessions: listings.flatMap((listing) => listing.sessions),
    watermarkSeen: listings.every((listing) => listing.mark),
    at: first.at,
  };
}

async function everyListing(nodes: Nodes, account: PostgresAccount, call: Call): Promise<Listing[]> {
  const asked = await Promise.allSettled(
    nodes.all.map(async (node) => {
      const listing = await listNode(nodes, node, account, call);
      if (listing.standby === (node.role === "standby")) return listing;
      throw new RekeyError("wrong-server", `${node.name} is not the ${node.role} any more.`);
    }),
  );
  const failures = asked.flatMap((one) => (one.status === "rejected" ? [one.reason as unknown] : []));
  const isOther = (error: unknown) => error instanceof RekeyError && error.code === "wrong-server";
  if (failures.length > 0) throw failures.find(isOther) ?? failures[0];
  return asked.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
}

/** What stands at the primary alone, where every change is made. Throws `wrong-server` where it is not one, and `unreachable`. */
export async function slotsAtPrimary(nodes: Nodes, account: PostgresAccount, call: Call): Promise<Slot[]> {
  const { standby, slots } = await listNode(nodes, nodes.primary, account, call);
  if (standby) throw new RekeyError("wrong-server", `${nodes.primary.name} is not the primary any more.`);
  return slotsOf(slots, account);
}

/**
 * The pair's logins, in the account's order, and the former login for as long as it matters: until the pair was
 * adopted it is where the present version lives, and while it is switched off it is the way back.
 */
function slotsOf(rows: readonly SlotRow[], account: PostgresAccount): Slot[] {
  const found = account.logins.map((login) => {
    const row = rows.find((candidate) => candidate.login === login);
    return { slot: login, tag: row?.tag ?? "", enabled: row?.enabled ?? false };
  });
  const former = rows.find((row) => row.login === account.group);
  if (!former?.managed || !(former.enabled || former.tag.includes(" state=disabled "))) return found;
  return [...found, { slot: former.login, tag: former.tag, enabled: former.enabled }];
}

async function listNode(nodes: Nodes, node: Node, account: PostgresAccount, call: Call): Promise<Listing> {
  const [row] = await nodes.read(node, call, ({ session }) =>
    session.query<Listing>(listingSql, [[...account.logins, account.group]], call),
  );
  if (!row) throw new RekeyError("internal", `${node.name} answered nothing.`);
  return {
    ...row,
    sessions: row.sessions.map((group) => ({ ...group, node: node.name })),
  };
}

/**
 * Our own session is the mark: it must stand in the very listing that is evidence, under its own name. Without
 * pg_read_all_stats other sessions show as NULLs, so nothing seen would mean nothing (H21).
 */
const listingSql = `
  WITH listed AS MATERIALIZED (
    SELECT a.pid, a.usename::text AS usename, a.usesysid, a.backend_type, a.backend_start,
           coalesce(a.application_name, '') AS application, coalesce(host(a.client_addr), '${socketHost}') AS address
    FROM pg_stat_activity a
  ), unlisted AS MATERIALIZED (
    -- Up to 17 a backend has no row at all before it is identified; its lock shows it (H4).
    SELECT l.pid FROM pg_locks l WHERE l.locktype = 'virtualxid' AND l.pid IS NOT NULL
      AND NOT EXISTS (SELECT FROM listed WHERE listed.pid = l.pid)
  )
  SELECT rekey.identity() AS identity,
         extract(epoch FROM clock_timestamp())::float8 * 1000 AS at,
         pg_is_in_recovery() AS standby,
         pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') AND EXISTS (
           SELECT FROM listed WHERE pid = pg_backend_pid() AND usename = session_user
             AND application = current_setting('application_name') AND starts_with(application, 'rekey/')
         ) AS mark,
         (SELECT coalesce(json_agg(g), '[]') FROM (
            SELECT usename AS slot, application, address, count(*)::int AS count,
                   extract(epoch FROM max(coalesce(backend_start, clock_timestamp())))::float8 * 1000 AS "youngestAt",
                   extract(epoch FROM min(coalesce(backend_start, clock_timestamp())))::float8 * 1000 AS "oldestAt"
            FROM listed
            WHERE pid <> pg_backend_pid()
              -- Anybody may call themselves rekey/...; only from where we are is that taken for a probe of ours.
              AND NOT (starts_with(application, 'rekey/') AND address = (SELECT address FROM listed WHERE pid = pg_backend_pid()))
              AND (usename = ANY ($1) OR usesysid IS NULL AND backend_type IN ('client backend', 'walsender'))
            GROUP BY usename, application, address
            UNION ALL
            SELECT NULL, '', '', count(*)::int, extract(epoch FROM clock_timestamp())::float8 * 1000,
                   extract(epoch FROM clock_timestamp())::float8 * 1000
            FROM unlisted HAVING count(*) > 0
            ORDER BY 1, 2, 3
          ) g) AS sessions,
         (SELECT coalesce(json_agg(s), '[]') FROM (
            SELECT r.rolname AS login, r.rolcanlogin AS enabled,
                   coalesce(shobj_description(r.oid, 'pg_authid'), '') AS tag,
                   EXISTS (SELECT FROM rekey.managed m WHERE m.login = r.rolname) AS managed
            FROM pg_roles r WHERE r.rolname::text = ANY ($1)
          ) s) AS slots`;
