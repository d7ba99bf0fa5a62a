/**
 * An adoption on a real server, through an administrator's session or, to look only, the engine's own: what stands
 * there, one run at a time, and each step in a transaction of its own.
 */
import type { Adopter, Call } from "../../ports.js";
import type { PgSession } from "../../shared/pg.js";
import { planAdoption } from "./adopt.js";
import type { AdoptionView } from "./adopt-checks.js";
import { factsSql, type LoginFacts } from "./compare.js";
import { type RoleFacts, rolesSql } from "./facts.js";
import { applySignature } from "./functions.js";
import type { PairNames } from "./pair.js";

/** The port of `rekey adopt` in a session that the caller opened and ends. */
export function postgresAdopter(session: PgSession, pair: PairNames, mayRun: boolean): Adopter {
  const { group, logins } = pair;
  return {
    account: { group, logins },
    mayRun,
    async read(call) {
      const view = await readAdoption(session, pair, call);
      return { identity: view.identity, ...planAdoption(view, pair) };
    },
    async hold(call) {
      // The server gives it back when the session ends, however it ends: a run that is lost blocks nobody, and
      // what it had sent has taken effect or never will by the time the next one gets in (H3).
      const [row] = await session.query<{ held: boolean }>(
        "SELECT pg_try_advisory_lock(hashtextextended($1, 0)) AS held",
        [`rekey/adopt/${group}`],
        call,
      );
      return row?.held === true;
    },
    run: (statements, call) => inTransaction(session, statements, call),
  };
}

/** Reads the view that an adoption is planned from. */
export async function readAdoption(session: PgSession, pair: PairNames, call: Call): Promise<AdoptionView> {
  const [server] = await session.query<{
    versionNum: number;
    installed: boolean;
    functionOwner: string | null;
  }>(
    `SELECT current_setting('server_version_num')::int AS "versionNum",
            to_regclass('rekey.managed') IS NOT NULL AND to_regclass('rekey.former') IS NOT NULL
              AND to_regclass('rekey.made') IS NOT NULL AS installed,
            (SELECT r.rolname::text FROM pg_proc p JOIN pg_roles r ON r.oid = p.proowner
             WHERE p.oid = to_regprocedure($1) AND NOT r.rolsuper) AS "functionOwner"`,
    [applySignature],
    call,
  );
  const { versionNum = 0, installed = false, functionOwner = null } = server ?? {};
  if (!installed)
    return { versionNum, installed, identity: null, functionOwner, roles: [], logins: [], made: [] };
  const names = [...pair.logins, pair.group];
  const [who] = await session.query<{ identity: string }>("SELECT rekey.identity() AS identity", [], call);
  const roles = await session.query<RoleFacts>(rolesSql, [names, pair.group], call);
  const logins = await session.query<LoginFacts>(factsSql, [names], call);
  const rows = await session.query<{ login: string }>(
    `SELECT m.login::text AS login FROM rekey.made m JOIN pg_roles r ON r.rolname = m.login AND r.oid = m.role
     WHERE m.login = ANY ($1)`,
    [names],
    call,
  );
  const made = rows.map(({ login }) => login);
  return { versionNum, installed, identity: who?.identity ?? null, functionOwner, roles, logins, made };
}

async function inTransaction(session: PgSession, sql: string, call: Call): Promise<void> {
  try {
    await session.script(`BEGIN;\n${sql}\nCOMMIT;`, call);
  } catch (error) {
    if (session.alive) await session.script("ROLLBACK;", call);
    throw error;
  }
}
