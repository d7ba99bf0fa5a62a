/**
 * How an existing login becomes the owning group of two or three permanent logins. Row security, ownership,
 * default privileges and `"$user"` follow current_user, so the old login itself is the group and its members
 * take its place at login (H13, H14, facts 7). The same pieces serve `rekey grants` and `rekey adopt`.
 */
import { doBlock, ident, literal } from "./sql-text.js";

/** The group (the old login), its logins, and the role that owns `rekey.apply` where that is no superuser. */
export interface PairNames {
  readonly group: string;
  readonly logins: readonly string[];
  readonly owner?: string | undefined;
}

/** True on the server for 16 and later, where memberships have options of their own. */
const hasMembershipOptions = "current_setting('server_version_num')::int >= 160000";

/** `GRANT role TO member` with the wanted options where the server knows them. */
export function grantMembership(role: string, member: string, options: string): string {
  const grant = `GRANT ${ident(role)} TO ${ident(member)}`;
  return doBlock(`  IF ${hasMembershipOptions} THEN
    EXECUTE ${literal(`${grant} WITH ${options}`)};
  ELSE
    EXECUTE ${literal(grant)};
  END IF;`);
}

/**
 * The logins, switched off and without a password, with the group's own attributes and limits. `remember` keeps
 * which of them are made by it, so that an undo can tell them from what was there before (H36).
 */
export function createLoginsSql(pair: PairNames, remember = false): string {
  return pair.logins
    .map((login) =>
      doBlock(
        `  SELECT * INTO STRICT g FROM pg_roles WHERE rolname = ${literal(pair.group)};
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = ${literal(login)}) THEN
    CREATE ROLE ${ident(login)} NOLOGIN INHERIT;${remember ? rememberMade(login) : ""}
  END IF;
  SELECT * INTO STRICT l FROM pg_roles WHERE rolname = ${literal(login)};
  -- Only what differs is set: several attributes may be given only by those who have them.
  IF l.rolcreatedb    IS DISTINCT FROM g.rolcreatedb    THEN wanted := wanted || CASE WHEN g.rolcreatedb    THEN ' CREATEDB'    ELSE ' NOCREATEDB'    END; END IF;
  IF l.rolcreaterole  IS DISTINCT FROM g.rolcreaterole  THEN wanted := wanted || CASE WHEN g.rolcreaterole  THEN ' CREATEROLE'  ELSE ' NOCREATEROLE'  END; END IF;
  IF l.rolreplication IS DISTINCT FROM g.rolreplication THEN wanted := wanted || CASE WHEN g.rolreplication THEN ' REPLICATION' ELSE ' NOREPLICATION' END; END IF;
  IF l.rolbypassrls   IS DISTINCT FROM g.rolbypassrls   THEN wanted := wanted || CASE WHEN g.rolbypassrls   THEN ' BYPASSRLS'   ELSE ' NOBYPASSRLS'   END; END IF;
  IF l.rolconnlimit   IS DISTINCT FROM g.rolconnlimit   THEN wanted := wanted || format(' CONNECTION LIMIT %s', g.rolconnlimit); END IF;
  IF l.rolvaliduntil  IS DISTINCT FROM g.rolvaliduntil  THEN wanted := wanted || format(' VALID UNTIL %L', coalesce(g.rolvaliduntil, 'infinity')); END IF;
  IF wanted <> '' THEN
    EXECUTE format('ALTER ROLE %I %s', ${literal(login)}, wanted);
  END IF;`,
        "  g pg_roles;\n  l pg_roles;\n  wanted text := '';",
      ),
    )
    .join("\n");
}

function rememberMade(login: string): string {
  return `
    INSERT INTO rekey.made (login, role) SELECT rolname, oid FROM pg_roles WHERE rolname = ${literal(login)}
      ON CONFLICT (login) DO UPDATE SET role = excluded.role;`;
}

/**
 * The group's settings, for all databases and for each one: a member does not get them by SET role (facts 5).
 * Lists keep their form only when each part is a plain or a quoted name, so that no setting can smuggle SQL in.
 */
export function copySettingsSql(pair: PairNames): string {
  return pair.logins
    .map((login) =>
      doBlock(
        `  FOR s IN
    SELECT d.datname, split_part(c, '=', 1) AS name, substr(c, strpos(c, '=') + 1) AS value
    FROM pg_db_role_setting r
    LEFT JOIN pg_database d ON d.oid = r.setdatabase
    CROSS JOIN LATERAL unnest(r.setconfig) AS c
    WHERE r.setrole = (SELECT oid FROM pg_roles WHERE rolname = ${literal(pair.group)})
      AND split_part(c, '=', 1) <> 'role'
  LOOP
    IF s.name IN ('search_path', 'temp_tablespaces', 'local_preload_libraries', 'session_preload_libraries') THEN
      IF s.value IN ('', '""') THEN
        wanted := '''''';
      ELSIF s.value ~ '^("([^"]|"")+"|[a-z_][a-z0-9_]*)( *, *("([^"]|"")+"|[a-z_][a-z0-9_]*))*$' THEN
        wanted := s.value;
      ELSE
        RAISE EXCEPTION 'the setting % of the group is a list in an unusual form: set it by hand', s.name;
      END IF;
    ELSE
      wanted := quote_literal(s.value);
    END IF;
    EXECUTE format('ALTER ROLE %I %s SET %s TO %s', ${literal(login)},
      CASE WHEN s.datname IS NULL THEN '' ELSE format('IN DATABASE %I', s.datname) END,
      (SELECT string_agg(quote_ident(part), '.') FROM unnest(string_to_array(s.name, '.')) AS part), wanted);
  END LOOP;`,
        "  s record;\n  wanted text;",
      ),
    )
    .join("\n");
}

/** Membership that carries the rights and lets the login take the group's place, but never hand it on. */
export function membershipSql(pair: PairNames): string {
  return pair.logins
    .map((login) => grantMembership(pair.group, login, "ADMIN FALSE, INHERIT TRUE, SET TRUE"))
    .join("\n");
}

/** From its next login on, each login acts as the group. */
export function actAsGroupSql(pair: PairNames): string {
  return pair.logins
    .map((login) => `ALTER ROLE ${ident(login)} SET role = ${literal(pair.group)};`)
    .join("\n");
}

/** Puts logins into the list of what `rekey.apply` may change, and gives its owner what that takes. */
export function registerSql(pair: PairNames): string {
  const rows = pair.logins.map((login) => `(${literal(login)}, ${literal(pair.group)})`).join(", ");
  const listed = `INSERT INTO rekey.managed (login, grp) VALUES ${rows}
  ON CONFLICT (login) DO UPDATE SET grp = excluded.grp;`;
  const { owner } = pair;
  if (owner === undefined) return listed;
  const admin = pair.logins.map((login) => grantAdmin(login, owner));
  return [listed, ...admin].join("\n");
}

/** ADMIN OPTION lets the function's owner alter the login; it neither inherits nor assumes it. Not needed before 16. */
function grantAdmin(login: string, owner: string): string {
  const grant = `GRANT ${ident(login)} TO ${ident(owner)} WITH ADMIN TRUE, INHERIT FALSE, SET FALSE`;
  return doBlock(`  IF ${hasMembershipOptions} THEN
    EXECUTE ${literal(grant)};
  END IF;`);
}
