/** The sessions consumer passes the consumers' contract with real connections to a real server. */
import { readFile } from "node:fs/promises";
import type pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { postgresSessions } from "../../../adapters/consumers/postgres-sessions.js";
import type { Candidate } from "../../../adapters/ports.js";
import { type ConsumerHarness, consumerContract } from "../consumer.js";
import { wireTo } from "../issuers/postgres-proxy.js";
import { type PostgresWorld, postgresWorld } from "../issuers/postgres-world.js";
import { call, changeOf, codeOf, passwordOf, tag } from "../issuers/world.js";

let world: PostgresWorld;

beforeAll(async () => {
  world = await postgresWorld();
});
afterAll(() => world.stop());

let fleets = 0;

/** An account with both slots on, and a fleet of connections under names of its own. */
async function fleet(names: readonly string[] = ["1", "2", "3"]) {
  const account = await world.account();
  const issuer = world.issuer(account);
  const [a = "", b = ""] = account.logins;
  const documents = { v1: issuer.generate(a), v2: issuer.generate(b) };
  await issuer.enable(changeOf(a, null, tag("v1", 1)), documents.v1, call());
  await issuer.enable(changeOf(b, null, tag("v2", 2)), documents.v2, call());
  await issuer.close();
  const prefix = `fleet${++fleets}-`;
  const open = new Map<string, pg.Client>();
  const connect = async (name: string, version: "v1" | "v2", work = true) => {
    const client = await world.login(version === "v1" ? a : b, passwordOf(documents[version]), {
      application_name: `${prefix}${name}`,
    });
    if (work) await client.query("SELECT 1");
    return client;
  };
  const put = async (name: string, version: "v1" | "v2", work = true) => {
    await open.get(name)?.end();
    open.set(name, await connect(name, version, work));
  };
  const wire = await wireTo(world.server.port);
  const consumer = postgresSessions.create(
    { ...world.config, port: wire.port, applicationName: `${prefix}*` },
    world.deps(),
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
    open.set(name, await world.login(group, `former-${group}`, { application_name: `${prefix}${name}` }));
  };
  const close = async () => {
    await consumer.close();
    await wire.close();
    await Promise.all([...open.values()].map((client) => client.end().catch(() => undefined)));
  };
  return { account, documents, consumer, request, put, astray, wire, connect, names, prefix, close };
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
    canaries: Object.values(made.documents).map(passwordOf),
    close: made.close,
  };
}

consumerContract("postgres-sessions", harness);

describe("postgres-sessions", () => {
  it("H10: an instance with sessions of both logins has not moved", async () => {
    const made = await fleet(["1"]);
    await made.put("1", "v2");
    const old = await made.connect("1", "v1");
    expect(await made.consumer.observe(made.request(), call())).toMatchObject([
      { version: null, working: true },
    ]);
    await old.end();
    await expect
      .poll(async () => (await made.consumer.observe(made.request(), call()))[0]?.version)
      .toBe("v2");
    await made.close();
  });

  it("H10 H21: a pooler is one instance whatever names its sessions bear, and one that is not connected has not moved", async () => {
    const made = await fleet(["1", "2"]);
    const [first] = made.request().candidates;
    const probe = await world.login(first?.slot ?? "", passwordOf(made.documents.v1), {
      application_name: "rekey/probe/test",
    });
    const away = "192.0.2.7";
    const pooler = postgresSessions.create(
      postgresSessions.config.parse({ ...world.config, addresses: ["127.0.0.1", away] }),
      world.deps(),
    );
    const seen = async () => pooler.observe(made.request(), call());
    const absent = { instance: away, version: null, working: false, sentence: "It is not connected." };
    // A probe of the engine's own is nobody's session.
    expect(await seen()).toMatchObject([{ instance: "127.0.0.1", version: null, working: false }, absent]);
    for (const name of ["1", "2"]) await made.put(name, "v1");
    expect(await seen()).toMatchObject([{ instance: "127.0.0.1", version: "v1", working: true }, absent]);
    await made.put("1", "v2");
    expect(await seen()).toMatchObject([{ version: null, working: true }, absent]);
    await made.put("2", "v2");
    await expect.poll(async () => (await seen())[0]?.version).toBe("v2");
    await probe.end();
    await pooler.close();
    await made.close();
    for (const given of [{}, { addresses: [away], applicationName: "shop" }, { addresses: ["shop"] }])
      expect(postgresSessions.config.safeParse({ ...world.config, ...given }).success).toBe(false);
  });

  it("tells two versions of one slot apart by the slot's tag", async () => {
    const made = await fleet(["1"]);
    await made.put("1", "v1");
    const [first] = made.request().candidates;
    const candidates = [{ version: "v0", slot: first?.slot ?? "" }, ...made.request().candidates];
    expect(await made.consumer.observe({ ...made.request(), candidates }, call())).toMatchObject([
      { version: "v1" },
    ]);
    await made.close();
  });

  it("H21: without pg_read_all_stats it sees nothing and says so instead of showing nobody", async () => {
    const made = await fleet(["1"]);
    await made.put("1", "v1");
    await world.superuser.query("REVOKE pg_read_all_stats FROM rekey_engine");
    try {
      expect(await codeOf(made.consumer.observe(made.request(), call()))).toBe("not-permitted");
      const findings = await made.consumer.preflight(call());
      expect(findings.map(({ code }) => code)).toEqual(["postgres-stats-unreadable"]);
    } finally {
      await world.superuser.query("GRANT pg_read_all_stats TO rekey_engine");
    }
    await made.close();
  });

  it("H40: never asks for the text of statements", async () => {
    const source = await readFile(
      new URL("../../../adapters/consumers/postgres-sessions.ts", import.meta.url),
      "utf8",
    );
    const statements = source.match(/`\s*SELECT[\s\S]*?`|"SELECT[^"]*"/g) ?? [];
    expect(statements.length).toBeGreaterThan(1);
    for (const statement of statements) expect(statement).not.toMatch(/\bquery\b|\*(?!\))/);
  });
});
