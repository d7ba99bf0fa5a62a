/** What preflight looks at, read from the server in a few questions and without judging; checks.ts judges. */
import { RekeyError } from "../../../domain/errors.js";
import type { Call } from "../../ports.js";
import type { Nodes } from "../../shared/pg-nodes.js";
import { type Replication, replicationAt } from "../../shared/pg-replication.js";
import { type LoginFacts, loginFacts } from "./compare.js";
import type { PostgresAccount } from "./config.js";
import { applySignature } from "./functions.js";

/** The server and the engine's own login. */
export interface ServerFacts {
  readonly versionNum: number;
  readonly engine: string;
  readonly superuser: boolean;
  readonly createrole: boolean;
  readonly readsStats: boolean;
  readonly signals: boolean;
  readonly marked: boolean;
  /** MD5 of the installed function's source; `null` when there is none of this signature. */
  readonly applyMd5: string | null;
  readonly applyAllowed: boolean;
  /** The engine could replace the function that is to bind it. */
  readonly applyOwned: boolean;
  /** The role that owns the function, and so the one whose rights the function acts with; `null` without a function. */
  readonly applyOwner: string | null;
  /** That role may alter roles at all. */
  readonly ownerAlters: boolean;
  /** The engine may act as the account's group: it could read the data, which rotating does not need. */
  readonly actsAsGroup: boolean;
  readonly connectionsMax: number;
  readonly connectionsUsed: number;
  readonly logStatement: string;
  readonly logParameterBytesMax: number;
  readonly passwordEncryption: string;
}

/** One login of the account, or its group. */
export interface RoleFacts {
  readonly role: string;
  readonly superuser: boolean;
  readonly enabled: boolean;
  readonly limit: number;
  /** Milliseconds until VALID UNTIL passes; `null` for never. */
  readonly validMs: number | null;
  readonly sessions: number;
  /** The group under which it stands in rekey.managed; `null` when it is not listed. */
  readonly managedAs: string | null;
  /** The role that it takes on at login, as stored for this database or all; `null` for none. */
  readonly actsAs: string | null;
  readonly member: boolean;
  readonly inherits: boolean;
  readonly sets: boolean;
  readonly admin: boolean;
  /** The owner of rekey.apply may alter this very role. */
  readonly alterable: boolean;
  /** Databases in which it owns something itself. */
  readonly ownsIn: readonly string[];
}

/** Everything together. */
export interface PreflightFacts {
  readonly nodes: readonly { readonly node: string; readonly versionNum: number }[];
  readonly server: ServerFacts;
  readonly roles: readonly RoleFacts[];
  readonly logins: readonly LoginFacts[];
  /** Who receives from each node. */
  readonly replication: readonly Replication[];
  /** Lines of pg_hba.conf that name the group itself and not its members; `null` when the engine may not read the file. */
  readonly hbaLines: readonly number[] | null;
}

/** Reads the facts. Throws `missing-setup` when the schema rekey is not there at all. */
export async function preflightFacts(
  nodes: Nodes,
  account: PostgresAccount,
  call: Call,
): Promise<PreflightFacts> {
  const ask = <Row extends object>(sql: string, values: readonly unknown[]) =>
    nodes.read(nodes.primary, call, ({ session }) => session.query<Row>(sql, values, call));
  const versions = await Promise.all(
    nodes.all.map((node) =>
      nodes.read(node, call, async (on) => ({ node: node.name, versionNum: on.versionNum })),
    ),
  );
  const [[server], roles, logins, replication, hbaLines] = await Promise.all([
    ask<ServerFacts>(serverSql, [applySignature, account.group]),
    ask<RoleFacts>(rolesSql, [[...account.logins, account.group], account.group]),
    loginFacts(nodes, account.logins, call),
    Promise.all(
      nodes.all.map((node) => nodes.read(node, call, ({ session }) => replicationAt(session, call))),
    ),
    hba(nodes, account, call),
  ]);
  if (!server) throw new RekeyError("internal", `${nodes.primary.name} answered nothing.`);
  return { nodes: versions, server, roles, logins, replication, hbaLines };
}

/** The view is closed even to pg_monitor (facts 14); a DBA may have opened it. Asking first keeps the refusal out of the server's log. */
async function hba(nodes: Nodes, account: PostgresAccount, call: Call): Promise<number[] | null> {
  return nodes.read(nodes.primary, call, async ({ session }) => {
    const [right] = await session.query<{ open: boolean }>(
      `SELECT has_table_privilege('pg_hba_file_rules', 'SELECT')
          AND has_function_privilege('pg_hba_file_rules()', 'EXECUTE') AS open`,
      [],
      call,
    );
    if (!right?.open) return null;
    const rows = await session.query<{ line: number }>(
      `SELECT line_number AS line FROM pg_hba_file_rules
       WHERE error IS NULL AND type <> 'local' AND auth_method <> 'reject' AND $1 = ANY (user_name)
         AND NOT user_name && ARRAY['all', '+' || $1] AND NOT user_name @> $2`,
      [account.group, [...account.logins]],
      call,
    );
    return rows.map((row) => row.line);
  });
}

const serverSql = `
  SELECT current_setting('server_version_num')::int AS "versionNum", session_user::text AS engine,
    bool_or(me.rolsuper) AS superuser, bool_or(me.rolcreaterole) AS createrole,
    pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') AS "readsStats",
    pg_has_role(current_user, 'pg_signal_backend', 'USAGE') AS signals,
    rekey.identity() NOT LIKE 'postgresql/%/unmarked/%' AS marked,
    (SELECT md5(prosrc) FROM pg_proc WHERE oid = to_regprocedure($1)) AS "applyMd5",
    coalesce(has_function_privilege(to_regprocedure($1)::oid, 'EXECUTE'), false) AS "applyAllowed",
    coalesce((SELECT pg_has_role(session_user, proowner, 'MEMBER') FROM pg_proc WHERE oid = to_regprocedure($1)), false) AS "applyOwned",
    (SELECT o.rolname::text FROM pg_proc p JOIN pg_roles o ON o.oid = p.proowner WHERE p.oid = to_regprocedure($1)) AS "applyOwner",
    coalesce((SELECT o.rolsuper OR o.rolcreaterole FROM pg_proc p JOIN pg_roles o ON o.oid = p.proowner
              WHERE p.oid = to_regprocedure($1)), false) AS "ownerAlters",
    coalesce((SELECT pg_has_role(session_user, oid, 'MEMBER') AND $2 <> current_user::text FROM pg_roles WHERE rolname = $2), false) AS "actsAsGroup",
    current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
      - coalesce(current_setting('reserved_connections', true)::int, 0) AS "connectionsMax",
    (SELECT count(*)::int FROM pg_stat_activity WHERE backend_type = 'client backend') AS "connectionsUsed",
    current_setting('log_statement') AS "logStatement",
    (SELECT setting::int FROM pg_settings WHERE name = 'log_parameter_max_length') AS "logParameterBytesMax",
    current_setting('password_encryption') AS "passwordEncryption"
  FROM pg_roles me WHERE me.rolname IN (session_user, current_user)`;

/**
 * `RoleFacts` of the roles named in $1 towards the group $2. From 16 on CREATEROLE alters only the roles on which
 * its holder has ADMIN OPTION; nobody but a superuser alters a superuser.
 */
export const rolesSql = `
  SELECT r.rolname::text AS role, r.rolsuper AS superuser, r.rolcanlogin AS enabled, r.rolconnlimit AS limit,
    CASE WHEN isfinite(r.rolvaliduntil) THEN extract(epoch FROM r.rolvaliduntil - clock_timestamp())::float8 * 1000 END AS "validMs",
    (SELECT count(*)::int FROM pg_stat_activity a WHERE a.usesysid = r.oid) AS sessions,
    (SELECT m.grp::text FROM rekey.managed m WHERE m.login = r.rolname) AS "managedAs",
    (SELECT substr(c, 6) FROM pg_db_role_setting s, unnest(s.setconfig) AS c
      WHERE s.setrole = r.oid AND starts_with(c, 'role=')
        AND s.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
      ORDER BY s.setdatabase DESC LIMIT 1) AS "actsAs",
    m.member IS NOT NULL AS member,
    coalesce((SELECT o.rolsuper OR (o.rolcreaterole AND NOT r.rolsuper
                AND (current_setting('server_version_num')::int < 160000
                  OR pg_has_role(o.oid, r.oid, 'MEMBER WITH ADMIN OPTION')))
              FROM pg_proc p JOIN pg_roles o ON o.oid = p.proowner
              WHERE p.oid = to_regprocedure('${applySignature}')), false) AS alterable,
    coalesce(m.inherits, false) AS inherits, coalesce(m.sets, false) AS sets, coalesce(m.admin, false) AS admin,
    ARRAY(SELECT DISTINCT coalesce(d.datname, 'shared')::text FROM pg_shdepend s LEFT JOIN pg_database d ON d.oid = s.dbid
          WHERE s.refclassid = 'pg_authid'::regclass AND s.refobjid = r.oid AND s.deptype = 'o' ORDER BY 1) AS "ownsIn"
  FROM pg_roles r LEFT JOIN LATERAL (
    SELECT r.oid AS member, bool_or(coalesce((to_jsonb(x) ->> 'inherit_option')::boolean, r.rolinherit)) AS inherits,
           bool_or(coalesce((to_jsonb(x) ->> 'set_option')::boolean, true)) AS sets, bool_or(x.admin_option) AS admin
    FROM pg_auth_members x JOIN pg_roles g ON g.oid = x.roleid
    WHERE x.member = r.oid AND g.rolname = $2 HAVING count(*) > 0
  ) m ON true
  WHERE r.rolname::text = ANY ($1)`;
