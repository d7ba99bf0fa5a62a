/**
 * The SQL that a DBA reads and runs once, printed by `rekey grants postgres`: the engine's own pair of logins
 * with the least that it needs, the fenced function, and on request the pair of one account (H15).
 */
import { RekeyError } from "../../../domain/errors.js";
import { schemaOwnerSql, schemaRightsSql, schemaSql } from "./functions.js";
import {
  actAsGroupSql,
  copySettingsSql,
  createLoginsSql,
  grantMembership,
  membershipSql,
  type PairNames,
  registerSql,
} from "./pair.js";
import { doBlock, ident, literal } from "./sql-text.js";

const defaults = {
  engine: "rekey_engine",
  engineLogins: "rekey_a,rekey_b",
  environment: "production",
  owner: "",
  group: "",
  logins: "",
  verifier: "",
};

/**
 * The whole script, for psql or a client; it can be run again. Options, all texts: `engine` the group of the
 * engine's logins, `engineLogins` two of them with a comma, `verifier` a SCRAM verifier with which the first
 * of them is switched on, `environment` part of the marker, `owner` a role that owns the function where there
 * is no superuser, `group` and `logins` an account to set up. Throws `bad-input` for anything else.
 */
export function postgresGrants(options: Readonly<Record<string, string>> = {}): string {
  const unknown = Object.keys(options).filter((name) => !Object.hasOwn(defaults, name));
  if (unknown.length > 0) {
    const known = Object.keys(defaults).join(", ");
    throw new RekeyError("bad-input", `Unknown option ${unknown.join(", ")}; the options are ${known}.`);
  }
  const chosen = { ...defaults, ...options };
  const owner = chosen.owner === "" ? undefined : chosen.owner;
  const engine: PairNames = { group: chosen.engine, logins: names(chosen.engineLogins), owner };
  const parts = [
    opening(owner),
    ...(owner === undefined ? [] : [ownerRole(owner)]),
    engineGroup(chosen.engine),
    schemaSql(literal(chosen.environment)),
    schemaRightsSql(ident(chosen.engine)),
    "-- The engine's own logins are a pair like any other, so that Rekey can rotate itself.",
    pairSql(engine),
    keepOutOfTheLog(engine.logins),
    firstLogin(engine.logins[0] ?? "", chosen.verifier),
    ...(chosen.group === "" && chosen.logins === "" ? [] : [accountSql(chosen.group, chosen.logins, owner)]),
    // Last, because until then whoever runs this must own what it replaces.
    ...(owner === undefined ? [] : [schemaOwnerSql(ident(owner))]),
  ];
  return `${parts.join("\n\n")}\n`;
}

/** All of a pair's set-up in the order in which it works. */
function pairSql(pair: PairNames): string {
  return [createLoginsSql, copySettingsSql, membershipSql, actAsGroupSql, registerSql]
    .map((piece: (pair: PairNames) => string) => piece(pair))
    .join("\n");
}

function accountSql(group: string, logins: string, owner: string | undefined): string {
  if (group === "") throw new RekeyError("bad-input", "The option `logins` needs the option `group`.");
  const pair = { group, logins: names(logins), owner };
  return `-- The account ${ident(group).replaceAll("\n", " ")}: it stays the owner of everything, and its logins act as it.\n${pairSql(pair)}`;
}

function names(list: string): string[] {
  const found = list.split(",").map((name) => name.trim());
  if (found.length < 2 || found.length > 3 || new Set(found).size < found.length) {
    throw new RekeyError("bad-input", "An account has two logins, or three with a spare, all different.");
  }
  return found;
}

function opening(owner: string | undefined): string {
  const who =
    owner === undefined
      ? "Run it as a superuser, who then owns the function"
      : "Run it as the server's administrator (CREATEROLE, and ADMIN OPTION on pg_read_all_stats and pg_signal_backend)";
  return `-- Rekey: what it needs in this database, and nothing more. ${who}.
-- Run it in the database that the issuer names; it can be run again.`;
}

function ownerRole(owner: string): string {
  return `-- Owns the function below. It cannot log in; what it may do reaches the engine only through that function.
${createRole(owner, "NOLOGIN CREATEROLE")}
${doBlock(`  EXECUTE format(${literal(`GRANT ${ident(owner).replaceAll("%", "%%")} TO %I`)}, current_user)
    || CASE WHEN current_setting('server_version_num')::int >= 160000 THEN ' WITH INHERIT TRUE, SET TRUE' ELSE '' END;`)}`;
}

function engineGroup(engine: string): string {
  return `-- The engine: it sees sessions and ends them, and calls one function. It cannot create or alter roles.
${createRole(engine, "NOLOGIN")}
${grantMembership("pg_read_all_stats", engine, "ADMIN FALSE, INHERIT TRUE")}
${grantMembership("pg_signal_backend", engine, "ADMIN FALSE, INHERIT TRUE")}`;
}

function createRole(name: string, attributes: string): string {
  return doBlock(`  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = ${literal(name)}) THEN
    CREATE ROLE ${ident(name)} ${attributes};
  END IF;`);
}

/** The verifier travels as a bind parameter; these settings keep it out of the server's log (H33). Only a superuser may set them. */
function keepOutOfTheLog(logins: readonly string[]): string {
  const settings = logins.flatMap((login) =>
    ["log_parameter_max_length", "log_parameter_max_length_on_error"].map(
      (setting) => `  ALTER ROLE ${ident(login)} SET ${setting} = 0;`,
    ),
  );
  return `-- Parameters of the engine's statements are not written to the server's log.
${doBlock(`${settings.join("\n")}
EXCEPTION WHEN insufficient_privilege THEN
  RAISE NOTICE 'not a superuser: with log_statement = all the log will show verifiers (never passwords)';`)}`;
}

function firstLogin(login: string, verifier: string): string {
  if (verifier === "") {
    return `-- The first password of the engine, from psql so that only its verifier is sent (then let Rekey rotate it):
--   \\password ${login.replaceAll("\n", " ")}
--   ALTER ROLE ${ident(login).replaceAll("\n", " ")} LOGIN;`;
  }
  if (!/^SCRAM-SHA-256\$\d+:[\w+/=]+\$[\w+/=]+:[\w+/=]+$/.test(verifier)) {
    throw new RekeyError(
      "bad-input",
      "The option `verifier` takes a SCRAM-SHA-256 verifier, never a password.",
    );
  }
  return doBlock(`  IF NOT (SELECT rolcanlogin FROM pg_roles WHERE rolname = ${literal(login)}) THEN
    ALTER ROLE ${ident(login)} LOGIN PASSWORD ${literal(verifier)};
  END IF;`);
}
