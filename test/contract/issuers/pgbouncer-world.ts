/** What tests with a real PgBouncer share: its console, and the ways in which it learns of logins. */
import type pg from "pg";
import type { PgBouncer } from "../../../worker/dev/pgbouncer.js";
import { clientOf, type PostgresWorld } from "./postgres-world.js";

/** The console; the caller ends it. */
export function consoleOf(pooler: PgBouncer): Promise<pg.Client> {
  const { host, port, admin } = pooler;
  return clientOf({
    host,
    port,
    database: "pgbouncer",
    user: admin.username,
    password: admin.password.reveal(),
  });
}

/** The verifier that the server has of a login, as a pooler's list takes it. */
export async function verifierOf(world: PostgresWorld, login: string): Promise<string> {
  const found = await world.superuser.query("SELECT rolpassword FROM pg_authid WHERE rolname = $1", [login]);
  return found.rows[0]?.rolpassword ?? "";
}

/** A function by which the login `asker` asks for a verifier, as the manual advises: not of superusers, not of logins that are off. */
export const askerSql = `
  CREATE ROLE asker LOGIN PASSWORD 'asker';
  CREATE FUNCTION public.login_of(name text) RETURNS TABLE (uname name, secret text)
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog
    AS $$ SELECT rolname, rolpassword FROM pg_authid WHERE rolname = name AND rolcanlogin AND NOT rolsuper $$;
  REVOKE ALL ON FUNCTION public.login_of(text) FROM PUBLIC;
  GRANT EXECUTE ON FUNCTION public.login_of(text) TO asker`;
