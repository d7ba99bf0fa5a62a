/** Late writes and lost answers on a real server: an attempt that was given up must not take effect later. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { PostgresAccount } from "../../../adapters/issuers/postgres/config.js";
import type { Issuer, SecretDocument } from "../../../adapters/ports.js";
import { formatTag } from "../../../domain/fence.js";
import { type Wire, wireTo } from "./postgres-proxy.js";
import { clientOf, database, type PostgresWorld, postgresWorld } from "./postgres-world.js";
import { call, changeOf, codeOf, tag } from "./world.js";

let world: PostgresWorld;
let account: PostgresAccount;
let issuer: Issuer;
let document: SecretDocument;
let a: string;
const first = tag("v1", 1);
const off = tag("v1", 2, { state: "disabled" });

beforeAll(async () => {
  world = await postgresWorld();
});
afterAll(() => world.stop());
beforeEach(async () => {
  account = await world.account();
  [a = ""] = account.logins;
  issuer = world.issuer(account);
  document = issuer.generate(a);
  await issuer.enable(changeOf(a, null, first), document, call());
});

async function canLogin(): Promise<boolean> {
  const { rows } = await world.superuser.query("SELECT rolcanlogin FROM pg_roles WHERE rolname = $1", [a]);
  return rows[0]?.rolcanlogin;
}

/** Somebody else's transaction, which keeps the account's row locked until it is ended. */
async function locker() {
  const { host, port, user, password } = world.server;
  const client = await clientOf({ host, port, database, user, password: password.reveal() });
  await client.query("BEGIN");
  await client.query(`ALTER ROLE ${a} CONNECTION LIMIT 50`);
  return {
    end: async () => {
      await client.query("ROLLBACK");
      await client.end();
    },
  };
}

async function waiting(): Promise<number> {
  const { rows } = await world.superuser.query(
    "SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name LIKE 'rekey/r1/%' AND wait_event_type = 'Lock'",
  );
  return rows[0]?.n;
}

describe("late writes", () => {
  it("H3: a statement of a dead client is ended before the next epoch acts, and does not land later", async () => {
    const lock = await locker();
    const controller = new AbortController();
    const given = codeOf(issuer.disable(changeOf(a, first, off), { signal: controller.signal }));
    await expect.poll(waiting).toBe(1);
    controller.abort();
    expect(await given).toBe("unknown-outcome");
    expect(await waiting()).toBe(1); // the server goes on without its client

    const other = world.issuer(account);
    const seized = tag("v1", 3, { epoch: 2 });
    const began = Date.now();
    expect(await other.seize(changeOf(a, first, seized), call())).toBe("applied");
    expect(await waiting()).toBe(0);
    // It was ended, and not waited for until it gave up the lock by itself.
    expect(Date.now() - began).toBeLessThan(2_000);
    await lock.end();
    await sleep(300);
    expect(await canLogin()).toBe(true);
    expect((await other.survey(call())).slots[0]?.tag).toBe(formatTag(seized));
    await other.close();
  });

  it("H3: nobody waits for a lock longer than the statement's own limit, and nothing lands afterwards", async () => {
    const lock = await locker();
    expect(await codeOf(issuer.disable(changeOf(a, first, off), call()))).toBe("conflict");
    expect(await waiting()).toBe(0);
    await lock.end();
    await sleep(300);
    expect(await canLogin()).toBe(true);
    expect(await issuer.disable(changeOf(a, first, off), call())).toBe("applied");
  });

  it("H3: ends only attempts of its own rotation, and only those that are running", async () => {
    const idle = await clientOf({
      ...world.engine,
      user: world.engine.username,
      host: world.server.host,
      port: world.server.port,
      database,
      application_name: "rekey/r1/1/enable",
    });
    const other = await clientOf({
      ...world.engine,
      user: world.engine.username,
      host: world.server.host,
      port: world.server.port,
      database,
      application_name: "rekey/r12/1/enable",
    });
    const running = other.query("SELECT pg_sleep(1.5)");
    await issuer.disable(changeOf(a, first, off), call());
    await expect(running).resolves.toBeDefined();
    await expect(idle.query("SELECT 1")).resolves.toBeDefined();
    await Promise.all([idle.end(), other.end()]);
  });
});

describe("lost answers", () => {
  let wire: Wire;
  let wired: Issuer;

  beforeEach(async () => {
    wire = await wireTo(world.server.port);
    wired = world.issuer(account, { port: wire.port });
    await wired.survey(call());
    return async () => {
      await wired.close();
      await wire.close();
    };
  });

  it("H3: a change whose answer is lost is settled by asking: it was made", async () => {
    wire.cutNext("rekey.apply", "after");
    expect(await wired.disable(changeOf(a, first, off), call())).toBe("applied");
    expect(await canLogin()).toBe(false);
    expect((await issuer.survey(call())).slots[0]?.tag).toBe(formatTag(off));
  });

  it("H3: a change that never arrived is made by the second try", async () => {
    wire.cutNext("rekey.apply", "before");
    expect(await wired.disable(changeOf(a, first, off), call())).toBe("applied");
    expect(await canLogin()).toBe(false);
  });

  it("H3: when nobody can be asked the outcome is unknown, and the next attempt finds out", async () => {
    wire.cutNext("rekey.apply", "after", true);
    expect(await codeOf(wired.disable(changeOf(a, first, off), call()))).toBe("unknown-outcome");
    expect(await issuer.disable(changeOf(a, first, off), call())).toBe("already");
    expect(await canLogin()).toBe(false);
  });

  it("a kept connection that died in between is replaced without an error", async () => {
    await world.superuser.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'rekey_a'",
    );
    await sleep(50);
    expect((await wired.survey(call())).watermarkSeen).toBe(true);
  });
});
