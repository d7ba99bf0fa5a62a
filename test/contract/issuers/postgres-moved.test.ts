/**
 * A primary that is not where it was: its name leads to a copy of it, another server was promoted in its place, or it takes
 * no changes any more. Whatever is done then ends in an error that says so, and nothing counts as changed or as refused.
 */
import dns from "node:dns";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import type { PostgresAccount } from "../../../adapters/issuers/postgres/config.js";
import type { Issuer, SecretDocument } from "../../../adapters/ports.js";
import { formatTag } from "../../../domain/fence.js";
import { type CopiedServer, copyOf } from "./postgres-copy.js";
import { switchTo, type Way } from "./postgres-proxy.js";
import { database, type PostgresWorld, postgresWorld } from "./postgres-world.js";
import { call, changeOf, codeOf, passwordOf, tag } from "./world.js";

let world: PostgresWorld;
let account: PostgresAccount;
let issuer: Issuer;
let document: SecretDocument;
let a: string;
const first = tag("v1", 1);
const off = tag("v1", 2, { state: "disabled" });

beforeAll(async () => {
  world = await postgresWorld(["wal_level = replica", "max_wal_senders = 5"]);
});
afterAll(() => world.stop());
beforeEach(async () => {
  account = await world.account();
  [a = ""] = account.logins;
  issuer = world.issuer(account);
  document = issuer.generate(a);
  await issuer.enable(changeOf(a, null, first), document, call());
  return () => issuer.close();
});

describe("a name that leads to a copy of the server by now", () => {
  let copy: CopiedServer;
  beforeAll(async () => {
    copy = await copyOf(world.server, "clone");
    const superuser = await copy.superuser(database);
    await superuser.query("UPDATE rekey.marker SET marker = 'staging-' || gen_random_uuid()");
    await superuser.end();
  });
  afterAll(() => copy.stop());

  // The engine's kept connection is the first; then it asks anew, tries the login, and asks again.
  it.each([
    ["before the login is tried", 1],
    ["right when it is tried", 2],
  ])("H9: a name that leads to a copy %s: the copy's refusal is no proof", async (_, connections) => {
    const wire: Way = await switchTo(world.server.port, copy.server.port, connections);
    const moved = world.issuer(account, { port: wire.port });
    expect(await codeOf(moved.proveRefused(a, document, call()), passwordOf(document))).toBe("wrong-server");
    await moved.close();
    await wire.close();
  });

  it("H9: as its name is looked up anew: the login is tried where the server has just said who it is", async () => {
    const elsewhere = "127.0.0.2";
    const wire: Way = await switchTo(copy.server.port, copy.server.port, 0, {
      host: elsewhere,
      port: world.server.port,
    });
    const lookup = vi.spyOn(dns, "lookup");
    // The engine's kept connection, and the one that asks anew.
    let asked = 0;
    lookup.mockImplementation(((_name: string, ...rest: unknown[]) => {
      const answer = rest.at(-1) as (error: null, ...found: unknown[]) => void;
      const address = ++asked <= 2 ? world.server.host : elsewhere;
      const all = (rest[0] as { all?: boolean }).all === true;
      setImmediate(() => (all ? answer(null, [{ address, family: 4 }]) : answer(null, address, 4)));
    }) as never);
    const named = world.issuer(account, { host: "db.example" });
    await named.survey(call());
    expect((await named.proveRefused(a, document, call())).map(({ ok }) => ok)).toEqual([false]);
    lookup.mockRestore();
    await named.close();
    await wire.close();
  });
});

describe("a standby that was promoted", () => {
  let standby: CopiedServer;
  beforeEach(async () => {
    standby = await copyOf(world.server, "standby");
    return () => standby.stop();
  });

  const both = () =>
    world.issuer(account, { standbys: [{ host: standby.server.host, port: standby.server.port }] });
  async function promote(): Promise<void> {
    const superuser = await standby.superuser(database);
    await superuser.query("SELECT pg_promote()");
    await superuser.end();
  }

  it("H16: promoted between a look and a change: a disable does not end well, and the next look says why", async () => {
    const pair = both();
    await pair.survey(call());
    await promote();
    expect(await codeOf(pair.disable(changeOf(a, first, off), call()))).toBe("wrong-server");
    expect(await codeOf(pair.survey(call()))).toBe("wrong-server");
    await pair.close();
  });

  it("H16: promoted between a disable and its proof: nothing is proved, at either of the two", async () => {
    const pair = both();
    await pair.disable(changeOf(a, first, off), call());
    await promote();
    expect(await codeOf(pair.proveRefused(a, document, call()), passwordOf(document))).toBe("wrong-server");
    expect(await codeOf(pair.prove(a, document, call()), passwordOf(document))).toBe("wrong-server");
    await pair.close();
  });
});

describe("a primary that takes no changes", () => {
  beforeEach(async () => {
    await world.superuser.query("ALTER SYSTEM SET default_transaction_read_only = on");
    await world.superuser.query("SELECT pg_reload_conf()");
    await expect.poll(readOnly).toBe("on");
    return async () => {
      await world.superuser.query("SET default_transaction_read_only = off");
      await world.superuser.query("ALTER SYSTEM RESET default_transaction_read_only");
      await world.superuser.query("SELECT pg_reload_conf()");
    };
  });

  async function readOnly(): Promise<string> {
    const client = await world.login(world.engine.username, world.engine.password);
    const { rows } = await client.query("SHOW default_transaction_read_only");
    await client.end();
    return rows[0]?.default_transaction_read_only;
  }

  it("H16: it is an error of each change, and what was to be changed is as it was", async () => {
    const other = world.issuer(account);
    for (const change of [
      () => other.disable(changeOf(a, first, off), call()),
      () => other.enable(changeOf(a, first, tag("v1", 3)), document, call()),
      () => other.seize(changeOf(a, first, tag("v1", 4, { epoch: 2 })), call()),
      () => other.destroy(changeOf(a, first, tag("v1", 5, { state: "destroyed" })), call()),
    ])
      expect(await codeOf(change(), passwordOf(document))).toBe("unreachable");
    const [slot] = (await other.survey(call())).slots;
    expect(slot).toEqual({ slot: a, tag: formatTag(first), enabled: true });
    expect((await other.proveRefused(a, document, call())).map(({ ok }) => ok)).toEqual([false]);
    await other.close();
  });
});
