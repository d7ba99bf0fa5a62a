/**
 * A desk for adoptions: the real records, a login on a real PostgreSQL server that is to become a pair, real
 * signatures, and a clock that is set by hand.
 */
import { createHash } from "node:crypto";
import { onTestFinished } from "vitest";
import { decideAdoption } from "../../activities/adopt-decide.js";
import { type AdoptedCredential, type AdoptionDeps, askAdoption } from "../../activities/adopt-open.js";
import { carryOut } from "../../activities/adopt-run.js";
import { postgresAdopter } from "../../adapters/issuers/postgres/adopt-run.js";
import type { PostgresAccount } from "../../adapters/issuers/postgres/config.js";
import type { Adopter } from "../../adapters/ports.js";
import { connectPg, type PgSession } from "../../adapters/shared/pg.js";
import type { AdoptionAsk, AdoptionProgress, AdoptionRecord } from "../../domain/adopt-plan.js";
import type { DocumentPayload } from "../../domain/documents.js";
import type { Estate, Policy } from "../../domain/estate/types.js";
import { Secret } from "../../domain/secret.js";
import { adoptionOf } from "../../inventory/adoptions.js";
import { applyEstate, entryNamed } from "../../inventory/estate.js";
import { database, type PostgresWorld } from "../contract/issuers/postgres-world.js";
import { call } from "../contract/issuers/world.js";
import { type Fresh, migratedDatabase } from "../inventory/database.js";
import { newId, policy, sampleEstate, t0 } from "../inventory/world.js";
import { type PersonName, people, signed } from "../workflows/people.js";

const installation = "inst_adopting";

/** The desk. */
export interface AdoptingDesk {
  readonly fresh: Fresh;
  readonly world: PostgresWorld;
  readonly account: PostgresAccount;
  readonly deps: AdoptionDeps;
  readonly clock: { now: number };
  /** As `decide` and `carryOut` get it; `estate` may be replaced. */
  readonly credential: AdoptedCredential & { estate: Estate };
  /** Another administrator's session, as another process would have; `mayRun: false` is the engine's own. */
  adopter(mayRun?: boolean): Promise<{ adopter: Adopter; session: PgSession }>;
  ask(more?: Partial<AdoptionAsk>): Promise<AdoptionRecord | null>;
  /** A person's signed word on the open adoption. */
  say(person: PersonName, more?: Partial<DocumentPayload>): Promise<{ accepted: boolean; sentence: string }>;
  /** Carries out what is open; `adopter` by default in a session of its own. */
  run(adopter?: Adopter): Promise<AdoptionProgress[]>;
  open(): Promise<AdoptionRecord>;
}

/** Opens a desk; call it in a test. */
export async function openAdoptingDesk(
  world: PostgresWorld,
  approval: Partial<Policy["approval"]> = {},
): Promise<AdoptingDesk> {
  const fresh = await migratedDatabase();
  const { db } = fresh;
  const account = await world.account({ pair: false });
  await world.superuser.query(`ALTER ROLE ${account.group} CONNECTION LIMIT 40;
    ALTER ROLE ${account.group} SET statement_timeout = '1234ms'`);
  const { owners } = await people();
  const rules: Policy = { ...policy, approval: { ...policy.approval, ...approval } };
  const estate = { ...sampleEstate(), owners, policies: { standard: rules } };
  // Long ago, so that nobody counts as a recent editor.
  await applyEstate(db, { estate, digest: "d1", by: "platform", now: t0 - 2 * policy.cooldownMs, newId });
  const id = (await entryNamed(db, "credentials", "orders-db")).id;
  const clock = { now: t0 };
  const deps: AdoptionDeps = {
    db,
    installation,
    now: () => clock.now,
    newId,
    sha256Hex: (text) => createHash("sha256").update(text).digest("hex"),
  };
  const lockKeys = [`account:${account.group}`];
  const credential = { id, name: "orders-db", estate, owner: "payments", policy: rules, lockKeys };
  const adopter: AdoptingDesk["adopter"] = async (mayRun = true) => {
    const { host, port, user, password } = world.server;
    const login = mayRun
      ? { username: user, password }
      : { username: world.engine.username, password: new Secret(world.engine.password) };
    const session = await connectPg(
      { host, port, database },
      { ...login, applicationName: "rekey/adopt" },
      call(),
    );
    onTestFinished(() => session.end());
    return { adopter: postgresAdopter(session, account, mayRun), session };
  };
  const open = async () => {
    const record = await adoptionOf(db, id);
    if (record === null) throw new Error("no adoption is open");
    return record;
  };
  return {
    fresh,
    world,
    account,
    deps,
    clock,
    credential,
    adopter,
    open,
    ask: async (more = {}) => {
      const { adopter: mine, session } = await adopter(false);
      const request = {
        direction: "adopt",
        requestedBy: "eve",
        reason: "the first rotation",
        ...more,
      } as const;
      const view = await mine.read(call());
      const record = await askAdoption(deps, credential, mine.account, view, request);
      await session.end();
      return record;
    },
    say: async (person, more = {}) => {
      const { id: rotation, digest, plan } = await open();
      const times = { issuedAt: clock.now, expiresAt: clock.now + 3_600_000 };
      const bound = { installation, rotation, nonce: plan.nonce, digest };
      return decideAdoption(
        deps,
        credential,
        rotation,
        await signed(person, { ...bound, ...times, ...more }),
      );
    },
    run: async (given) => {
      const own = given === undefined ? await adopter() : null;
      const mine = given ?? own?.adopter;
      if (mine === undefined) throw new Error("there is always an adopter");
      const happened: AdoptionProgress[] = [];
      try {
        for await (const progress of carryOut(deps, credential, mine, await open(), call))
          happened.push(progress);
      } finally {
        await own?.session.end();
      }
      return happened;
    },
  };
}
