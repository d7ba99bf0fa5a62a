/** The kind passes the consumers' contract with real clients of a real PgBouncer. */
import type pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pgbouncer } from "../../../adapters/consumers/pgbouncer.js";
import type { Candidate } from "../../../adapters/ports.js";
import { type PgBouncer, startPgBouncer } from "../../../worker/dev/pgbouncer.js";
import { type ConsumerHarness, consumerContract } from "../consumer.js";
import { askerSql } from "../issuers/pgbouncer-world.js";
import { slowTo, wireTo } from "../issuers/postgres-proxy.js";
import { clientOf, database, type PostgresWorld, postgresWorld } from "../issuers/postgres-world.js";
import { call, changeOf, codeOf, passwordOf, tag } from "../issuers/world.js";
import { depsOf } from "../stores/world.js";

/** Longer than a login takes on a busy machine, and short enough to wait for. */
const loginSecondsMax = 5;

const looker = { name: "looker", password: "a-password-of-the-looker" };

let world: PostgresWorld;
/** One keeps a server's connection for each client, the other shares them. */
let poolers: { session: PgBouncer; transaction: PgBouncer };

beforeAll(async () => {
  world = await postgresWorld();
  await world.superuser.query(askerSql);
  const { host, port } = world.server;
  const start = (mode: string) =>
    startPgBouncer({
      databases: [`${database} = host=${host} port=${port} dbname=${database}`],
      users: { asker: "asker", [looker.name]: looker.password },
      settings: [
        `pool_mode = ${mode}`,
        `client_login_timeout = ${loginSecondsMax}`,
        `stats_users = ${looker.name}`,
        "auth_user = asker",
        "auth_query = SELECT uname, secret FROM public.login_of($1)",
      ],
    });
  poolers = { session: await start("session"), transaction: await start("transaction") };
});
afterAll(async () => {
  await poolers?.session.stop();
  await poolers?.transaction.stop();
  await world.stop();
});

let fleets = 0;

/** An account with both slots on, and a fleet of clients of one pooler under names of its own. */
async function fleet(names: readonly string[] = ["1", "2", "3"], pooler = poolers.session) {
  const account = await world.account();
  const issuer = world.issuer(account);
  const [a = "", b = ""] = account.logins;
  const documents = { v1: issuer.generate(a), v2: issuer.generate(b) };
  await issuer.enable(changeOf(a, null, tag("v1", 1)), documents.v1, call());
  await issuer.enable(changeOf(b, null, tag("v2", 2)), documents.v2, call());
  await issuer.close();
  const prefix = `fleet${++fleets}-`;
  const open = new Map<string, pg.Client>();
  const loginAt = (at: PgBouncer, user: string, password: string, application_name: string) =>
    clientOf({ host: at.host, port: at.port, database, user, password, application_name });
  const connect = async (name: string, version: "v1" | "v2", work = true, at = pooler) => {
    const client = await loginAt(
      at,
      version === "v1" ? a : b,
      passwordOf(documents[version]),
      `${prefix}${name}`,
    );
    if (work) await client.query("SELECT 1");
    return client;
  };
  const put = async (name: string, version: "v1" | "v2", work = true) => {
    await open.get(name)?.end();
    open.set(name, await connect(name, version, work));
  };
  const wire = await wireTo(pooler.port);
  const other = pooler === poolers.session ? poolers.transaction : poolers.session;
  const consumer = pgbouncer.create(
    pgbouncer.config.parse({
      poolers: [
        { host: "127.0.0.1", port: wire.port },
        { host: other.host, port: other.port },
      ],
      database,
      login: { username: looker.name, password: "env:LOOKER" },
      applicationName: `${prefix}*`,
    }),
    depsOf({ "env:LOOKER": looker.password }),
  );
  const candidates: Candidate[] = [
    { version: "v1", slot: a },
    { version: "v2", slot: b },
  ];
  const request = () => ({
    installation: "here",
    credential: "orders-db",
    consumer: "orders",
    rotation: "r1",
    candidates,
    confirmations: [],
  });
  /** The process comes back as somebody who has no part in the rotation. */
  const astray = async (name: string) => {
    await open.get(name)?.end();
    const { group } = account;
    open.set(name, await loginAt(pooler, group, `former-${group}`, `${prefix}${name}`));
  };
  const close = async () => {
    await consumer.close();
    await wire.close();
    await Promise.all([...open.values()].map((client) => client.end().catch(() => undefined)));
  };
  return { documents, consumer, request, put, astray, wire, connect, names, prefix, other, open, close };
}

async function harness(): Promise<ConsumerHarness> {
  const made = await fleet();
  const staying = new Set<string>();
  const idle = new Set<string>();
  return {
    consumer: made.consumer,
    request: made.request,
    before: "v1",
    after: "v2",
    count: made.names.length,
    move: async (version) => {
      for (const name of made.names) {
        if (!staying.has(name)) await made.put(name, version as "v1" | "v2", !idle.has(name));
      }
    },
    stay: async () => {
      staying.add("2");
      return `${made.prefix}2@127.0.0.1`;
    },
    silence: async () => {
      await made.astray("1");
      return `${made.prefix}1@127.0.0.1`;
    },
    unlist: () => made.wire.close(),
    idle: async () => {
      idle.add("3");
      return `${made.prefix}3@127.0.0.1`;
    },
    canaries: [...Object.values(made.documents).map(passwordOf), looker.password],
    close: made.close,
  };
}

consumerContract("pgbouncer", harness);

describe("pgbouncer", () => {
  it("H10: an instance that is connected to two poolers as different logins has not moved", async () => {
    const made = await fleet(["1"]);
    await made.put("1", "v2");
    const old = await made.connect("1", "v1", true, made.other);
    expect(await made.consumer.observe(made.request(), call())).toMatchObject([{ version: null }]);
    await old.end();
    await expect
      .poll(async () => (await made.consumer.observe(made.request(), call()))[0]?.version)
      .toBe("v2");
    await made.close();
  });

  it.each(["session", "transaction"] as const)(
    "H39: a login that took seconds is no work, in %s mode",
    async (mode) => {
      const made = await fleet(["1"], poolers[mode]);
      const slow = await slowTo(poolers[mode].port, 700);
      const client = await made.connect("1", "v1", false, { ...poolers[mode], port: slow.port });
      expect(await made.consumer.observe(made.request(), call())).toMatchObject([
        {
          version: "v1",
          working: false,
          sentence: expect.stringContaining("asked for nothing since it logged in"),
        },
      ]);
      await client.end();
      await slow.close();
      await made.close();
    },
  );

  it("H39: where connections are shared, a client works from its first question after the time of a login", async () => {
    const made = await fleet(["1"], poolers.transaction);
    const look = async () => (await made.consumer.observe(made.request(), call()))[0];
    await made.put("1", "v1", false);
    expect(await look()).toMatchObject({ version: "v1", working: false });
    const working = async () => {
      await made.open.get("1")?.query("SELECT 1");
      return (await look())?.working;
    };
    await expect.poll(working).toBe(true);
    await made.close();
  });

  it("cannot tell two versions of one login apart, and says neither", async () => {
    const made = await fleet(["1"]);
    await made.put("1", "v1");
    const [first] = made.request().candidates;
    const candidates = [{ version: "v0", slot: first?.slot ?? "" }, ...made.request().candidates];
    expect(await made.consumer.observe({ ...made.request(), candidates }, call())).toMatchObject([
      { version: null },
    ]);
    await made.close();
  });

  it("H17: clients without a name are a finding, and one who may not look is told so", async () => {
    const made = await fleet(["1"]);
    const { host, port } = poolers.session;
    const nameless = await clientOf({
      host,
      port,
      database,
      user: made.request().candidates[0]?.slot,
      password: passwordOf(made.documents.v1),
    });
    const findings = await made.consumer.preflight(call());
    expect(findings).toMatchObject([
      { code: "pgbouncer-clients-unnamed", sentence: expect.stringContaining("127.0.0.1") },
    ]);
    await nameless.end();
    const stranger = pgbouncer.create(
      pgbouncer.config.parse({
        poolers: [{ host, port }],
        database,
        login: { username: "asker", password: "env:ASKER" },
        applicationName: "x",
      }),
      depsOf({ "env:ASKER": "asker" }),
    );
    expect(await codeOf(stranger.observe(made.request(), call()), passwordOf(made.documents.v1))).toBe(
      "not-permitted",
    );
    await made.close();
  });
});
