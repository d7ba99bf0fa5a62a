/**
 * The logins of a pair must be interchangeable: what one has and another lacks shows after the cut-over, as a
 * missing right, another limit or another search path. Only names of what differs are told, never values (H34).
 */
import type { Call } from "../../ports.js";
import type { Nodes } from "../../shared/pg-nodes.js";
import type { PostgresAccount } from "./config.js";

/** A login as the catalog describes it, every field as a sorted list of texts. */
export interface LoginFacts {
  readonly login: string;
  readonly attributes: readonly string[];
  /** `database setting=value`, `*` for all databases. */
  readonly settings: readonly string[];
  /** `group inherit set admin`, with `-` before an option that is off. */
  readonly memberships: readonly string[];
  /** Objects in whose rights the login is named itself. */
  readonly grants: readonly string[];
}

/** Facts of all roles in `logins` that exist; readable by every role. */
export async function loginFacts(nodes: Nodes, logins: readonly string[], call: Call): Promise<LoginFacts[]> {
  return nodes.read(nodes.primary, call, ({ session }) =>
    session.query<LoginFacts>(factsSql, [logins], call),
  );
}

/** What `login` has otherwise than the account's other logins, in words; empty when nothing differs. */
export async function differencesOf(
  nodes: Nodes,
  account: PostgresAccount,
  login: string,
  call: Call,
): Promise<string[]> {
  if (!account.logins.includes(login)) return [];
  const facts = await loginFacts(nodes, account.logins, call);
  const mine = facts.find((candidate) => candidate.login === login);
  if (!mine) return [`${login} does not exist`];
  return facts
    .filter((sibling) => sibling.login !== login)
    .flatMap((sibling) =>
      compareLogins(mine, sibling).map((what) => `${what} (compared with ${sibling.login})`),
    );
}

/** Names of the fields that differ between two logins. */
export function compareLogins(mine: LoginFacts, sibling: LoginFacts): string[] {
  const fields = ["attributes", "settings", "memberships", "grants"] as const;
  return fields.flatMap((field) => {
    const differing = [
      ...mine[field].filter((entry) => !sibling[field].includes(entry)),
      ...sibling[field].filter((entry) => !mine[field].includes(entry)),
    ].map((entry) => entry.replace(/=.*$/s, ""));
    return differing.length === 0 ? [] : [`${field}: ${[...new Set(differing)].join(", ")}`];
  });
}

/** `LoginFacts` of the roles named in $1. */
export const factsSql = `
  SELECT r.rolname::text AS login,
    ARRAY['superuser=' || r.rolsuper, 'inherit=' || r.rolinherit, 'createrole=' || r.rolcreaterole,
          'createdb=' || r.rolcreatedb, 'replication=' || r.rolreplication, 'bypassrls=' || r.rolbypassrls,
          'connection limit=' || r.rolconnlimit, 'valid until=' || coalesce(r.rolvaliduntil::text, 'infinity')] AS attributes,
    ARRAY(SELECT coalesce(d.datname, '*') || ' ' || c
          FROM pg_db_role_setting s LEFT JOIN pg_database d ON d.oid = s.setdatabase, unnest(s.setconfig) AS c
          WHERE s.setrole = r.oid ORDER BY 1) AS settings,
    ARRAY(SELECT DISTINCT g.rolname::text
            || CASE WHEN coalesce((to_jsonb(m) ->> 'inherit_option')::boolean, r.rolinherit) THEN '' ELSE ' without INHERIT' END
            || CASE WHEN coalesce((to_jsonb(m) ->> 'set_option')::boolean, true) THEN '' ELSE ' without SET' END
            || CASE WHEN m.admin_option THEN ' with ADMIN' ELSE '' END
          FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid WHERE m.member = r.oid ORDER BY 1) AS memberships,
    ARRAY(SELECT coalesce(d.datname || ': ', '') || CASE WHEN s.dbid IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
              THEN pg_describe_object(s.classid, s.objid, s.objsubid) ELSE s.classid::regclass || ' ' || s.objid END
          FROM pg_shdepend s LEFT JOIN pg_database d ON d.oid = s.dbid
          WHERE s.refclassid = 'pg_authid'::regclass AND s.refobjid = r.oid AND s.deptype = 'a' ORDER BY 1) AS grants
  FROM pg_roles r WHERE r.rolname::text = ANY ($1) ORDER BY 1`;
