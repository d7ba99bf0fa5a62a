/**
 * What lives inside the server: the list of logins that may be rotated, the planted marker, and the one
 * function through which the engine changes anything. With it the engine needs no CREATEROLE, a stale epoch
 * changes nothing, and password, LOGIN and tag change together or not at all (H3, H9, H15, facts 13).
 */
import { createHash } from "node:crypto";
import { functionStates } from "../../shared/pg-errors.js";

/** The arguments of `rekey.apply`, for grants and checks. */
export const applySignature = "rekey.apply(text, text, text, text, boolean, text, boolean)";

const applyBody = `
DECLARE
  found_oid oid;
  is_super  boolean;
  found_tag text;
BEGIN
  IF NOT EXISTS (SELECT FROM rekey.managed m WHERE m.login::text = p_login) THEN
    RAISE EXCEPTION 'not listed in rekey.managed' USING ERRCODE = '${functionStates.unmanaged}';
  END IF;
  -- One change of an account at a time; what follows reads what the one before has committed.
  PERFORM pg_advisory_xact_lock(hashtextextended('rekey:' || p_login, 0));
  -- The server that the plan was made for, checked in the transaction that changes it.
  IF p_identity IS NOT NULL AND p_identity IS DISTINCT FROM rekey.identity() THEN
    RAISE EXCEPTION 'another server' USING ERRCODE = '${functionStates.wrongServer}';
  END IF;
  SELECT r.oid, r.rolsuper INTO found_oid, is_super FROM pg_roles r WHERE r.rolname::text = p_login;
  IF found_oid IS NULL THEN
    RAISE EXCEPTION 'no such login' USING ERRCODE = '${functionStates.unmanaged}';
  END IF;
  IF is_super THEN
    RAISE EXCEPTION 'a superuser is never rotated' USING ERRCODE = '${functionStates.superuser}';
  END IF;
  found_tag := coalesce(shobj_description(found_oid, 'pg_authid'), '');
  IF found_tag = p_tag AND p_expect IS DISTINCT FROM p_tag THEN
    RETURN 'already';
  END IF;
  IF found_tag IS DISTINCT FROM p_expect THEN
    RAISE EXCEPTION 'fenced' USING ERRCODE = '${functionStates.fenced}';
  END IF;
  IF p_verifier IS NOT NULL THEN
    IF p_verifier !~ '^SCRAM-SHA-256[$][0-9]+:[A-Za-z0-9+/=]+[$][A-Za-z0-9+/=]+:[A-Za-z0-9+/=]+$' THEN
      RAISE EXCEPTION 'verifiers only' USING ERRCODE = '${functionStates.verifierOnly}';
    END IF;
    EXECUTE format('ALTER ROLE %I PASSWORD %L', p_login, p_verifier);
  ELSIF p_clear THEN
    EXECUTE format('ALTER ROLE %I PASSWORD NULL', p_login);
  END IF;
  IF p_can_login IS NOT NULL THEN
    EXECUTE format('ALTER ROLE %I %s', p_login, CASE WHEN p_can_login THEN 'LOGIN' ELSE 'NOLOGIN' END);
  END IF;
  IF p_tag IS DISTINCT FROM found_tag THEN
    EXECUTE format('COMMENT ON ROLE %I IS %L', p_login, p_tag);
  END IF;
  RETURN 'applied';
END
`;

const identityBody = `
  SELECT 'postgresql/' || c.system_identifier || '/' || coalesce((SELECT m.marker FROM rekey.marker m), 'unmarked')
      || '/' || current_database()
  FROM pg_control_system() c
`;

/** MD5 of the function's source as `md5(prosrc)` gives it, so that an older installation is noticed. */
export const applySourceMd5 = createHash("md5").update(applyBody).digest("hex");

/** Schema, tables and functions; safe to run again. `environment` becomes part of the planted marker. */
export function schemaSql(environment: string): string {
  return `-- What Rekey keeps in this database: which logins it may rotate, and a marker by which it knows this server.
CREATE SCHEMA IF NOT EXISTS rekey;

CREATE TABLE IF NOT EXISTS rekey.managed (
  login name PRIMARY KEY,
  grp   name NOT NULL
);

-- A clone or a restored copy must get a marker of its own before anybody connects to it:
--   UPDATE rekey.marker SET marker = 'staging-' || gen_random_uuid();
CREATE TABLE IF NOT EXISTS rekey.marker (
  one    boolean PRIMARY KEY DEFAULT true CHECK (one),
  marker text NOT NULL
);
INSERT INTO rekey.marker (marker) SELECT ${environment} || '-' || gen_random_uuid()
  WHERE NOT EXISTS (SELECT FROM rekey.marker);

-- What a former login was like before \`rekey adopt\`, so that going back restores it exactly. Nobody but the owner reads it.
CREATE TABLE IF NOT EXISTS rekey.former (
  login    name PRIMARY KEY,
  comment  text,
  verifier text
);

-- Which logins \`rekey adopt\` has made, by more than their names: its undo touches no other.
CREATE TABLE IF NOT EXISTS rekey.made (
  login name PRIMARY KEY,
  role  oid NOT NULL
);

-- Who this server is. Any session may ask, so that every proof is given where the plan meant it.
CREATE OR REPLACE FUNCTION rekey.identity() RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $identity$${identityBody}$identity$;

-- The one change that Rekey can make: verifier, LOGIN and tag of a listed login, if its tag is the expected one.
-- p_can_login NULL leaves LOGIN alone; p_clear forgets the password; nothing is ever dropped.
CREATE OR REPLACE FUNCTION rekey.apply(
  p_identity text, p_login text, p_expect text, p_tag text,
  p_can_login boolean, p_verifier text, p_clear boolean
) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $apply$${applyBody}$apply$;`;
}

/** Who may use what of it. `engine` is the quoted name of the group of the engine's own logins. */
export function schemaRightsSql(engine: string): string {
  return `REVOKE ALL ON SCHEMA rekey FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA rekey FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA rekey FROM PUBLIC;
GRANT USAGE ON SCHEMA rekey TO PUBLIC;
GRANT EXECUTE ON FUNCTION rekey.identity() TO PUBLIC;
GRANT SELECT ON rekey.managed, rekey.made TO ${engine};
GRANT EXECUTE ON FUNCTION ${applySignature} TO ${engine};`;
}

/** Hands everything to a role that holds ADMIN OPTION on the logins; for servers without a superuser. */
export function schemaOwnerSql(owner: string): string {
  return `ALTER SCHEMA rekey OWNER TO ${owner};
ALTER TABLE rekey.managed OWNER TO ${owner};
ALTER TABLE rekey.marker OWNER TO ${owner};
ALTER TABLE rekey.former OWNER TO ${owner};
ALTER TABLE rekey.made OWNER TO ${owner};
ALTER FUNCTION rekey.identity() OWNER TO ${owner};
ALTER FUNCTION ${applySignature} OWNER TO ${owner};`;
}
