/**
 * `rekey adopt` against a real issuer: what is there is read with the engine's login; what only an administrator
 * may do is done with theirs where the installation names one, and handed out for them to run where it does not.
 */
import { decideAdoption } from "../activities/adopt-decide.js";
import {
  type AdoptedCredential,
  type AdoptionDeps,
  askAdoption,
  standingSteps,
} from "../activities/adopt-open.js";
import { carryOut } from "../activities/adopt-run.js";
import { postgresAdopter } from "../adapters/issuers/postgres/adopt-run.js";
import { accountSchema, configSchema } from "../adapters/issuers/postgres/config.js";
import type { Adopter, Call } from "../adapters/ports.js";
import { connectPg } from "../adapters/shared/pg.js";
import type { Adoption, AdoptionLook } from "../client/cli/deps.js";
import type { AdoptionDirection, AdoptionRecord } from "../domain/adopt-plan.js";
import { RekeyError } from "../domain/errors.js";
import { isSecretRef } from "../domain/estate/secret-ref.js";
import { adoptionOf, adoptionWith } from "../inventory/adoptions.js";
import type { Database } from "../inventory/database.js";
import { entryOf } from "../inventory/estate.js";
import { estateAround } from "../inventory/estate-load.js";
import { sha256Hex } from "../inventory/hash.js";
import { readInstallation as readRecord } from "../inventory/installation.js";
import { type InstallationClock, installationClock } from "../worker/clock.js";
import { type Installation, readInstallation } from "../worker/config.js";
import { databaseOf, newId, resolverOf } from "../worker/installation.js";
import { accountLocks } from "../worker/systems.js";

const callMsMax = 60_000;

interface Desk {
  readonly settings: Installation;
  readonly db: Database;
  readonly clock: InstallationClock;
  readonly deps: AdoptionDeps;
  readonly credential: AdoptedCredential;
  /** The credential's part of the estate, as the adapter wants it. */
  readonly bearings: {
    readonly issuer: Readonly<Record<string, unknown>>;
    readonly account: Readonly<Record<string, unknown>>;
  };
}

/** The adoption of credentials at PostgreSQL, the only kind whose logins can be paired so far. */
export function adoption(env: NodeJS.ProcessEnv): Adoption {
  return {
    preview: (id, direction) =>
      atDesk(env, id, (desk) =>
        atIssuer(desk, async (adopter, call) => {
          return look(adopter, direction, await adoptionOf(desk.db, id), call);
        }),
      ),
    ask: (id, ask) =>
      atDesk(env, id, (desk) =>
        atIssuer(desk, async (adopter, call) => {
          const view = await adopter.read(call);
          const record = await askAdoption(desk.deps, desk.credential, adopter.account, view, ask);
          return look(adopter, ask.direction, record, call);
        }),
      ),
    decide: (id, adoptionId, document) =>
      atDesk(env, id, ({ deps, credential }) => decideAdoption(deps, credential, adoptionId, document)),
    carryOut: async function* (id, adoptionId) {
      const desk = await openDesk(env, id);
      try {
        const { adopter, end } = await connect(desk);
        try {
          const record = await adoptionWith(desk.db, adoptionId);
          for await (const progress of carryOut(desk.deps, desk.credential, adopter, record, callOf)) {
            await desk.clock.agree();
            yield progress;
          }
        } finally {
          await end();
        }
      } finally {
        await desk.db.close();
      }
    },
  };
}

async function look(
  adopter: Adopter,
  direction: AdoptionDirection,
  record: AdoptionRecord | null,
  call: Call,
): Promise<AdoptionLook> {
  const view = await adopter.read(call);
  const { findings } = view;
  return { steps: standingSteps(view, direction), findings, record, byHand: !adopter.mayRun };
}

function callOf(): Call {
  return { signal: AbortSignal.timeout(callMsMax) };
}

async function atDesk<T>(env: NodeJS.ProcessEnv, id: string, use: (desk: Desk) => Promise<T>): Promise<T> {
  const desk = await openDesk(env, id);
  try {
    return await use(desk);
  } finally {
    await desk.db.close();
  }
}

async function openDesk(env: NodeJS.ProcessEnv, id: string): Promise<Desk> {
  const settings = readInstallation(env);
  const db = await databaseOf(settings);
  try {
    const { id: installation } = await readRecord(db);
    const found = await credentialOf(db, id);
    const clock = await installationClock(db);
    const deps = { db, installation, now: clock.now, newId, sha256Hex };
    return { settings, db, clock, deps, ...found };
  } catch (error) {
    await db.close();
    throw error;
  }
}

async function credentialOf(db: Database, id: string): Promise<Pick<Desk, "credential" | "bearings">> {
  const { name } = await entryOf(db, id);
  const estate = (await estateAround(db, name))?.estate;
  const found = estate?.credentials[name];
  const issuer = found && estate?.issuers[found.issuer];
  const policy = found && estate?.policies[found.policy];
  if (!estate || !found || !issuer || !policy) {
    throw new RekeyError("not-found", `The applied estate has no credential ${name}.`);
  }
  if (issuer.kind !== "postgres") {
    throw new RekeyError(
      "unsupported",
      `A credential of the kind ${issuer.kind} needs no adoption.`,
      "Rotate it as it is.",
    );
  }
  const owner = Object.hasOwn(estate.owners, found.owner) ? found.owner : null;
  const lockKeys = accountLocks(issuer, found.account);
  return {
    credential: { id, name, estate, owner, policy, lockKeys },
    bearings: { issuer: { ...issuer }, account: found.account },
  };
}

async function atIssuer<T>(desk: Desk, use: (adopter: Adopter, call: Call) => Promise<T>): Promise<T> {
  const { adopter, end } = await connect(desk);
  try {
    return await use(adopter, callOf());
  } finally {
    await end();
  }
}

async function connect({
  settings,
  bearings,
}: Desk): Promise<{ adopter: Adopter; end: () => Promise<void> }> {
  const config = configSchema.parse(bearings.issuer);
  const pair = accountSchema.parse(bearings.account);
  const resolve = resolverOf(settings);
  const call = callOf();
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
  return { adopter: postgresAdopter(session, pair, mayRun), end: () => session.end() };
}
