/** An adoption on a real server, through a DBA's own connection: reading where it stands, and running its steps. */
import { RekeyError } from "../../../domain/errors.js";
import { refusals } from "../../../domain/finding.js";
import type { Call } from "../../ports.js";
import type { PgSession } from "../../shared/pg.js";
import { type AdoptionPlan, type AdoptionStep, planAdoption } from "./adopt.js";
import type { AdoptionView } from "./adopt-checks.js";
import { factsSql, type LoginFacts } from "./compare.js";
import { type RoleFacts, rolesSql } from "./facts.js";
import { applySignature } from "./functions.js";
import type { PairNames } from "./pair.js";

/** Reads the view that an adoption is planned from. */
export async function readAdoption(session: PgSession, pair: PairNames, call: Call): Promise<AdoptionView> {
  const [server] = await session.query<{
    versionNum: number;
    installed: boolean;
    functionOwner: string | null;
  }>(
    `SELECT current_setting('server_version_num')::int AS "versionNum",
            to_regclass('rekey.managed') IS NOT NULL AND to_regclass('rekey.former') IS NOT NULL AS installed,
            (SELECT r.rolname::text FROM pg_proc p JOIN pg_roles r ON r.oid = p.proowner
             WHERE p.oid = to_regprocedure($1) AND NOT r.rolsuper) AS "functionOwner"`,
    [applySignature],
    call,
  );
  const { versionNum = 0, installed = false, functionOwner = null } = server ?? {};
  if (!installed) return { versionNum, installed, functionOwner, roles: [], logins: [] };
  const names = [...pair.logins, pair.group];
  const roles = await session.query<RoleFacts>(rolesSql, [names, pair.group], call);
  const logins = await session.query<LoginFacts>(factsSql, [names], call);
  return { versionNum, installed, functionOwner, roles, logins };
}

/**
 * Runs the steps that are not done, up to the next one that is the engine's, each in a transaction of its own,
 * and returns those that were run. Throws `refused-by-policy` where a finding refuses.
 */
export async function runAdoption(session: PgSession, pair: PairNames, call: Call): Promise<AdoptionStep[]> {
  const plan = planAdoption(await readAdoption(session, pair, call), pair);
  refuseHindered(plan);
  const ran: AdoptionStep[] = [];
  for (const step of plan.steps) {
    if (step.done) continue;
    if (step.by === "engine") break;
    await inTransaction(session, step.sql, call);
    ran.push(step);
  }
  return ran;
}

/**
 * Undoes every step of a DBA's, the last first, and returns those that were undone. Throws `conflict` or
 * `refused-by-policy`, having changed nothing further, as soon as somebody would be cut off.
 */
export async function undoAdoption(session: PgSession, pair: PairNames, call: Call): Promise<AdoptionStep[]> {
  const plan = planAdoption(await readAdoption(session, pair, call), pair);
  const undone: AdoptionStep[] = [];
  for (const step of [...plan.steps].reverse()) {
    if (step.by === "engine" || (step.id === "former-off" && !step.done)) continue;
    await inTransaction(session, step.undo, call);
    undone.push(step);
  }
  return undone;
}

function refuseHindered(plan: AdoptionPlan): void {
  const [first] = refusals(plan.findings);
  if (first) throw new RekeyError("refused-by-policy", first.sentence);
}

async function inTransaction(session: PgSession, sql: string, call: Call): Promise<void> {
  try {
    await session.script(`BEGIN;\n${sql}\nCOMMIT;`, call);
  } catch (error) {
    if (session.alive) await session.script("ROLLBACK;", call);
    throw error;
  }
}
