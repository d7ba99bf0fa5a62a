/** Sessions that the server cannot name yet, on a real server: "no session left" must hold for them too. */
import type pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Issuer, SecretDocument } from "../../../adapters/ports.js";
import { type PostgresWorld, postgresWorld } from "./postgres-world.js";
import { call, changeOf, codeOf, passwordOf, tag } from "./world.js";

let world: PostgresWorld;
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
  const account = await world.account();
  [a = ""] = account.logins;
  issuer = world.issuer(account);
  document = issuer.generate(a);
  await issuer.enable(changeOf(a, null, first), document, call());
  return () => issuer.close();
});

async function authenticationTimeout(value: string): Promise<void> {
  await world.superuser.query(`ALTER SYSTEM SET authentication_timeout = '${value}'`);
  await world.superuser.query("SELECT pg_reload_conf()");
  const shown = async () => (await world.superuser.query("SHOW authentication_timeout")).rows[0];
  await expect.poll(shown).toEqual({ authentication_timeout: value });
}

/** Passes the login check with the right value and then hides for `seconds`. Resolves once it is hidden. */
async function hide(seconds: number): Promise<{ coming: Promise<pg.Client | Error> }> {
  const options = `-c post_auth_delay=${seconds}`;
  const coming = world.login(a, passwordOf(document), { options }).catch((error: Error) => error);
  // Unnamed during the handshake and then while it hides; it hides once the handshake must be over.
  const sql =
    "SELECT pid FROM pg_stat_activity WHERE usesysid IS NULL AND backend_type = 'client backend' AND backend_start < now() - interval '700ms'";
  await expect.poll(async () => (await world.superuser.query(sql)).rowCount).toBe(1);
  return { coming };
}

/** Either the login failed, or it came up and the session is dead by now: being ended wakes it for an instant. */
async function expectDead(coming: Promise<pg.Client | Error>): Promise<void> {
  const client = await coming;
  if (!(client instanceof Error)) await expect(client.query("SELECT 1")).rejects.toThrow();
}

describe("hidden sessions", () => {
  it("H4: one that hides for long is ended once no honest client could still be unnamed", async () => {
    // As long as a login may take on a busy machine.
    await authenticationTimeout("5s");
    const { coming } = await hide(600);
    const hidden = (await issuer.survey(call())).sessions.filter(({ slot }) => slot === null);
    expect(hidden.reduce((sum, { count }) => sum + count, 0)).toBe(1);
    const began = Date.now();
    await issuer.disable(changeOf(a, first, off), call());
    expect(Date.now() - began).toBeLessThan(15_000);
    await expectDead(coming);
    expect((await issuer.survey(call())).sessions).toEqual([]);
    expect((await issuer.proveRefused(a, document, call())).every((proof) => proof.ok)).toBe(true);
  });

  it("H4: one that surfaces while it is waited for is ended as what it is", async () => {
    await authenticationTimeout("1min");
    const { coming } = await hide(4);
    await issuer.disable(changeOf(a, first, off), call());
    await expectDead(coming);
    expect((await issuer.survey(call())).sessions).toEqual([]);
  });

  it("H4: while one is unnamed the disable is not done, and the next attempt goes on", async () => {
    await authenticationTimeout("1min");
    const { coming } = await hide(6);
    expect(await codeOf(issuer.disable(changeOf(a, first, off), call(1_000)))).toBe("unreachable");
    expect(await issuer.disable(changeOf(a, first, off), call())).toBe("already");
    await expectDead(coming);
  });

  it("H4 H21: while the engine cannot see who is connected a disable is not done, and the next attempt finds who hid", async () => {
    await authenticationTimeout("1min");
    const { coming } = await hide(6);
    await world.superuser.query("REVOKE pg_read_all_stats FROM rekey_engine");
    try {
      expect(await codeOf(issuer.disable(changeOf(a, first, off), call(1_000)))).toBe("unreachable");
    } finally {
      await world.superuser.query("GRANT pg_read_all_stats TO rekey_engine");
    }
    expect(await issuer.disable(changeOf(a, first, off), call())).toBe("already");
    await expectDead(coming);
  });

  it("H3: a late round of ending leaves the sessions of a newer tag alone", async () => {
    await authenticationTimeout("1min");
    const { coming } = await hide(6);
    const late = codeOf(issuer.disable(changeOf(a, first, off), call()));
    const other = world.issuer({ group: a.replace(/_a$/, ""), logins: [a, a.replace(/_a$/, "_b")] });
    const state = async () => (await other.survey(call())).slots[0];
    await expect.poll(async () => (await state())?.enabled).toBe(false);
    await other.enable(changeOf(a, off, tag("v1", 3, { epoch: 2 })), document, call());
    const session = await world.login(a, passwordOf(document));
    expect(await late).toBe("fenced");
    await expect(session.query("SELECT 1")).resolves.toBeDefined();
    await session.end();
    const client = await coming;
    if (!(client instanceof Error)) await client.end();
    await other.close();
  });

  it("H4: sessions of every kind are ended, a replication connection too", async () => {
    await authenticationTimeout("1min");
    await world.superuser.query(`ALTER ROLE ${a} REPLICATION`);
    const walsender = await world.login(a, passwordOf(document), {
      replication: "database",
    } as pg.ClientConfig);
    const sql = "SELECT backend_type FROM pg_stat_activity WHERE usename = $1";
    expect((await world.superuser.query(sql, [a])).rows).toEqual([{ backend_type: "walsender" }]);
    await issuer.disable(changeOf(a, first, off), call());
    expect((await world.superuser.query(sql, [a])).rows).toEqual([]);
    await walsender.end().catch(() => undefined);
  });
});
