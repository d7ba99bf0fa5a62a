/**
 * `rekey adopt` against a real issuer: what is there is read with the engine's login; what only an administrator
 * may do is done with theirs where the installation names one, and printed for them where it does not.
 */

import { planAdoption } from "../adapters/issuers/postgres/adopt.js";
import { readAdoption, runAdoption, undoAdoption } from "../adapters/issuers/postgres/adopt-run.js";
import { accountSchema, configSchema } from "../adapters/issuers/postgres/config.js";
import type { Call } from "../adapters/ports.js";
import { connectPg, type PgSession } from "../adapters/shared/pg.js";
import type { Adoption, AdoptionPlan } from "../client/cli/deps.js";
import { RekeyError } from "../domain/errors.js";
import { isSecretRef } from "../domain/estate/secret-ref.js";
import { currentEstate, entryOf } from "../inventory/estate.js";
import { type Installation, readInstallation } from "../worker/config.js";
import { databaseOf, resolverOf } from "../worker/installation.js";

const callMsMax = 60_000;

type Direction = "adopt" | "undo";

interface Opened {
  readonly session: PgSession;
  readonly pair: { readonly group: string; readonly logins: readonly string[] };
  /** The session is an administrator's, who may run the steps. */
  readonly mayRun: boolean;
}

/** The adoption of credentials at PostgreSQL, the only kind whose logins can be paired so far. */
export function adoption(env: NodeJS.ProcessEnv): Adoption {
  return {
    plan: (credential, direction) =>
      withSession(env, credential, (opened, call) => planOf(opened, direction, call)),
    carryOut: async function* (credential, direction) {
      const steps = await withSession(env, credential, ({ session, pair }, call) =>
        direction === "adopt" ? runAdoption(session, pair, call) : undoAdoption(session, pair, call),
      );
      for (const step of steps) yield direction === "adopt" ? step.sentence : step.undoSentence;
    },
  };
}

async function planOf(
  { session, pair, mayRun }: Opened,
  direction: Direction,
  call: Call,
): Promise<AdoptionPlan> {
  const { steps, findings } = planAdoption(await readAdoption(session, pair, call), pair);
  const undoing = direction === "undo";
  const ordered = undoing ? [...steps].reverse() : steps;
  return {
    findings,
    steps: ordered.map((step) => {
      const sql = undoing ? step.undo : step.sql;
      return {
        sentence: undoing ? step.undoSentence : step.sentence,
        run: mayRun || step.by === "engine" || sql === "" ? null : sql,
        done: undoing ? !step.done : step.done,
      };
    }),
  };
}

async function withSession<T>(
  env: NodeJS.ProcessEnv,
  credential: string,
  use: (opened: Opened, call: Call) => Promise<T>,
): Promise<T> {
  const settings = readInstallation(env);
  const call: Call = { signal: AbortSignal.timeout(callMsMax) };
  const { config, pair } = await accountOf(settings, credential);
  const resolve = resolverOf(settings);
  const { REKEY_DBA_USER: dba, REKEY_DBA_PASSWORD: password } = settings;
  const mayRun = dba !== undefined && password !== undefined;
  const user = mayRun ? dba : config.login.username;
  const session = await connectPg(
    config,
    {
      username: isSecretRef(user) ? (await resolve(user, call)).reveal() : user,
      password: await resolve(mayRun ? password : config.login.password, call),
      applicationName: "rekey/adopt",
    },
    call,
  );
  try {
    return await use({ session, pair, mayRun }, call);
  } finally {
    await session.end();
  }
}

async function accountOf(settings: Installation, credential: string) {
  const db = await databaseOf(settings);
  try {
    const { name } = await entryOf(db, credential);
    const estate = (await currentEstate(db))?.estate;
    const found = estate?.credentials[name];
    const issuer = found && estate?.issuers[found.issuer];
    if (!found || !issuer) throw new RekeyError("not-found", `The applied estate has no credential ${name}.`);
    if (issuer.kind !== "postgres") {
      throw new RekeyError(
        "unsupported",
        `A credential of the kind ${issuer.kind} needs no adoption.`,
        "Rotate it as it is.",
      );
    }
    return { config: configSchema.parse(issuer), pair: accountSchema.parse(found.account) };
  } finally {
    await db.close();
  }
}
