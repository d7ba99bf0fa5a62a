/**
 * The SQL with which an adoption is ended and undone. Every piece refuses to cut off anybody who is connected,
 * and what is not known any more afterwards is kept first (H12, H14).
 */
import { functionStates } from "../../shared/pg-errors.js";
import type { PairNames } from "./pair.js";
import { doBlock, ident, literal } from "./sql-text.js";

/** Keeps the comment of the former login, where Rekey's tag will stand. */
export function rememberFormerSql(former: string): string {
  return `INSERT INTO rekey.former (login, comment)
  SELECT rolname, shobj_description(oid, 'pg_authid') FROM pg_roles WHERE rolname = ${literal(former)}
  ON CONFLICT (login) DO NOTHING;`;
}

/** Puts the comment back and forgets the rest. */
export function forgetFormerSql(former: string): string {
  return doBlock(`  IF EXISTS (SELECT FROM rekey.former WHERE login = ${literal(former)}) THEN
    EXECUTE format('COMMENT ON ROLE %I IS %L', ${literal(former)}, (SELECT comment FROM rekey.former WHERE login = ${literal(former)}));
    DELETE FROM rekey.former WHERE login = ${literal(former)};
  END IF;`);
}

/** The last step. A superuser keeps the verifier for the way back; nobody else can read it, and then it stays where it is. */
export function switchOffFormerSql(pair: PairNames): string {
  const former = literal(pair.group);
  const logins = pair.logins.map(literal).join(", ");
  return doBlock(
    `  IF EXISTS (SELECT FROM pg_stat_activity WHERE usename = ${former}) THEN
    RAISE EXCEPTION 'sessions are left' USING ERRCODE = '${functionStates.sessionsLeft}';
  END IF;
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname IN (${logins}) AND rolcanlogin) THEN
    RAISE EXCEPTION 'no login of the pair is on' USING ERRCODE = '${functionStates.pairNotOn}';
  END IF;
  IF NOT (SELECT rolcanlogin FROM pg_roles WHERE rolname = ${former}) THEN
    RETURN; -- a rotation has switched it off already
  END IF;
  IF has_table_privilege('pg_authid', 'SELECT') THEN
    SELECT rolpassword INTO kept FROM pg_authid WHERE rolname = ${former};
    UPDATE rekey.former SET verifier = kept WHERE login = ${former};
    IF FOUND THEN
      EXECUTE format('ALTER ROLE %I PASSWORD NULL', ${former});
    END IF;
  END IF;
  EXECUTE format('ALTER ROLE %I NOLOGIN', ${former});`,
    "  kept text;",
  );
}

/** The way back from the last step: the kept verifier is set in the same transaction (never a bare switch-on, H12). */
export function switchOnFormerSql(former: string): string {
  const name = literal(former);
  return doBlock(
    `  SELECT verifier INTO kept FROM rekey.former WHERE login = ${name};
  IF kept IS NOT NULL THEN
    EXECUTE format('ALTER ROLE %I PASSWORD %L', ${name}, kept);
    UPDATE rekey.former SET verifier = NULL WHERE login = ${name};
  ELSIF coalesce(shobj_description((SELECT oid FROM pg_roles WHERE rolname = ${name}), 'pg_authid'), '') LIKE 'rekey/1 %' THEN
    -- A rotation switched it off and overwrote its password; only a rotation can set the stored one again.
    RAISE EXCEPTION 'switched off by a rotation' USING ERRCODE = '${functionStates.pairStillOn}';
  ELSE
    RAISE NOTICE 'its password was not kept: set it again from the store with \\password';
  END IF;
  EXECUTE format('ALTER ROLE %I LOGIN', ${name});`,
    "  kept text;",
  );
}

/** Refuses while going back would cut somebody off. It stands before every undo of the pair's set-up. */
function nobodyUsesThePair(pair: PairNames): string {
  const logins = pair.logins.map(literal).join(", ");
  return doBlock(`  IF EXISTS (SELECT FROM pg_roles WHERE rolname IN (${logins}) AND rolcanlogin)
     OR NOT (SELECT rolcanlogin FROM pg_roles WHERE rolname = ${literal(pair.group)}) THEN
    RAISE EXCEPTION 'the pair is on' USING ERRCODE = '${functionStates.pairStillOn}';
  END IF;
  IF EXISTS (SELECT FROM pg_stat_activity WHERE usename IN (${logins})) THEN
    RAISE EXCEPTION 'sessions are left' USING ERRCODE = '${functionStates.sessionsLeft}';
  END IF;`);
}

/** Takes the pair and the former login off the list. */
export function undoRegisterSql(pair: PairNames): string {
  const names = [...pair.logins, pair.group].map(literal).join(", ");
  const revokes =
    pair.owner === undefined
      ? []
      : [...pair.logins, pair.group].map(
          (login) => `REVOKE ${ident(login)} FROM ${ident(pair.owner ?? "")};`,
        );
  return [nobodyUsesThePair(pair), `DELETE FROM rekey.managed WHERE login IN (${names});`, ...revokes].join(
    "\n",
  );
}

/** Ends the memberships. */
export function undoMembershipSql(pair: PairNames): string {
  const revokes = pair.logins.map((login) => `REVOKE ${ident(pair.group)} FROM ${ident(login)};`);
  return [nobodyUsesThePair(pair), ...revokes].join("\n");
}

/** True on the server for a role of this name that an adoption has made. */
function isMade(login: string): string {
  return `EXISTS (SELECT FROM rekey.made m JOIN pg_roles r ON r.rolname = m.login AND r.oid = m.role WHERE m.login = ${literal(login)})`;
}

/** Takes every setting away, for all databases and for each one, from the logins that an adoption has made (H36). */
export function undoSettingsSql(pair: PairNames): string {
  const resets = pair.logins.map((login) =>
    doBlock(
      `  IF NOT ${isMade(login)} THEN
    RETURN;
  END IF;
  ALTER ROLE ${ident(login)} RESET ALL;
  FOR d IN SELECT b.datname FROM pg_db_role_setting s JOIN pg_database b ON b.oid = s.setdatabase
           WHERE s.setrole = (SELECT oid FROM pg_roles WHERE rolname = ${literal(login)}) LOOP
    EXECUTE format('ALTER ROLE %I IN DATABASE %I RESET ALL', ${literal(login)}, d.datname);
  END LOOP;`,
      "  d record;",
    ),
  );
  return [nobodyUsesThePair(pair), ...resets].join("\n");
}

/** Lets them act as themselves again, where they act as the group. */
export function undoActAsGroupSql(pair: PairNames): string {
  const resets = pair.logins.map((login) =>
    doBlock(`  IF EXISTS (SELECT FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = s.setrole
             WHERE r.rolname = ${literal(login)} AND s.setdatabase = 0
               AND ${literal(`role=${pair.group}`)} = ANY (s.setconfig)) THEN
    ALTER ROLE ${ident(login)} RESET role;
  END IF;`),
  );
  return [nobodyUsesThePair(pair), ...resets].join("\n");
}

/**
 * Drops logins that an adoption has made, and no role of the same name that is somebody else's (H36). The server
 * itself refuses one that owns or is granted anything.
 */
export function undoLoginsSql(pair: PairNames): string {
  const logins = pair.logins.map(literal).join(", ");
  return [
    nobodyUsesThePair(pair),
    doBlock(
      `  FOR made IN SELECT r.rolname FROM rekey.made m JOIN pg_roles r ON r.rolname = m.login AND r.oid = m.role
              WHERE m.login IN (${logins}) LOOP
    EXECUTE format('DROP ROLE %I', made.rolname);
  END LOOP;
  DELETE FROM rekey.made WHERE login IN (${logins});`,
      "  made record;",
    ),
  ].join("\n");
}
