/** A primary with a standby that lags, on real servers: nothing is proved or revoked before it is so at both. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { PostgresAccount } from "../../../adapters/issuers/postgres/config.js";
import type { Issuer } from "../../../adapters/ports.js";
import { formatTag } from "../../../domain/fence.js";
import { type CopiedServer, copyOf } from "./postgres-copy.js";
import { clientOf, database, type PostgresWorld, postgresWorld } from "./postgres-world.js";
import { call, changeOf, codeOf, passwordOf, tag } from "./world.js";

const delayMs = 1_500;

let world: PostgresWorld;
let standby: CopiedServer;
let account: PostgresAccount;
let issuer: Issuer;
let a: string;
let b: string;

beforeAll(async () => {
  world = await postgresWorld(["wal_level = replica", "max_wal_senders = 5"]);
  standby = await copyOf(world.server, "standby", [`recovery_min_apply_delay = ${delayMs}ms`]);
});
afterAll(async () => {
  await standby.stop();
  await world.stop();
});

function both() {
  return { standbys: [{ host: standby.server.host, port: standby.server.port }] };
}

beforeEach(async () => {
  account = await world.account();
  [a = "", b = ""] = account.logins;
  issuer = world.issuer(account, both());
  return () => issuer.close();
});

/** What the standby shows of the primary stands still while the work is done. */
async function whileItStands<T>(work: (goOn: () => Promise<unknown>) => Promise<T>): Promise<T> {
  const superuser = await standby.superuser(database);
  const state = async () =>
    (await superuser.query("SELECT pg_get_wal_replay_pause_state() AS is")).rows[0].is;
  await superuser.query("SELECT pg_wal_replay_pause()");
  await expect.poll(state).toBe("paused");
  const goOn = () => superuser.query("SELECT pg_wal_replay_resume()");
  try {
    return await work(goOn);
  } finally {
    await goOn();
    await superuser.end();
  }
}

async function standbyAccepts(user: string, password: string): Promise<boolean> {
  const { host, port } = standby.server;
  const client = await clientOf({ host, port, database, user, password }).catch(() => null);
  await client?.end();
  return client !== null;
}

describe("a standby that lags", () => {
  it("H16: a login is proved at every node, and the standby is waited for", async () => {
    const document = issuer.generate(a);
    const proofs = await whileItStands(async (goOn) => {
      await issuer.enable(changeOf(a, null, tag("v1", 1)), document, call());
      expect(await standbyAccepts(a, passwordOf(document))).toBe(false);
      const proving = issuer.prove(a, document, call());
      await sleep(delayMs / 3);
      await goOn();
      return proving;
    });
    expect(proofs.map(({ ok }) => ok)).toEqual([true, true]);
    expect(new Set(proofs.map(({ node }) => node)).size).toBe(2);
    expect(await standbyAccepts(a, passwordOf(document))).toBe(true);
  });

  it("H16: disabling ends sessions on the standby too, and is done only when the standby refuses", async () => {
    const document = issuer.generate(a);
    await issuer.enable(changeOf(a, null, tag("v1", 1)), document, call());
    await issuer.prove(a, document, call());
    const { host, port } = standby.server;
    const reader = await clientOf({ host, port, database, user: a, password: passwordOf(document) });
    const seen = (await issuer.survey(call())).sessions.filter(({ slot }) => slot === a);
    expect(seen).toMatchObject([{ node: `${host}:${port}`, count: 1 }]);
    await issuer.disable(changeOf(a, tag("v1", 1), tag("v1", 2, { state: "disabled" })), call());
    await expect(reader.query("SELECT 1")).rejects.toThrow();
    expect(await standbyAccepts(a, passwordOf(document))).toBe(false);
    const proofs = await issuer.proveRefused(a, document, call());
    expect(proofs.map(({ ok }) => ok)).toEqual([true, true]);
  });

  it("H16: a standby that does not catch up in time is no proof, and a call that ends says so", async () => {
    const document = issuer.generate(a);
    await whileItStands(async () => {
      await issuer.enable(changeOf(a, null, tag("v1", 1)), document, call());
      expect(await codeOf(issuer.prove(a, document, call(delayMs / 3)))).toBe("unreachable");
    });
  });

  it("H16: a node that cannot be reached is an error in every step that needs all of them", async () => {
    const nobody = world.issuer(account, { standbys: [{ host: "127.0.0.1", port: 1 }] });
    const document = issuer.generate(a);
    await issuer.enable(changeOf(a, null, tag("v1", 1)), document, call());
    expect(await codeOf(nobody.survey(call()))).toBe("unreachable");
    expect(await codeOf(nobody.prove(a, document, call()))).toBe("unreachable");
    const off = changeOf(a, tag("v1", 1), tag("v1", 2, { state: "disabled" }));
    expect(await codeOf(nobody.disable(off, call()))).toBe("unreachable");
    await nobody.close();
  });

  it("I5 H24: while a standby is away the primary is switched off all the same, and every session there is ended", async () => {
    const nobody = world.issuer(account, { standbys: [{ host: "127.0.0.1", port: 1 }] });
    const document = issuer.generate(a);
    await issuer.enable(changeOf(a, null, tag("v1", 1)), document, call());
    expect(await nobody.slots?.(call())).toMatchObject([
      { slot: a, enabled: true, tag: formatTag(tag("v1", 1)) },
      { slot: b, enabled: false },
    ]);
    const sessions = await Promise.all(
      Array.from({ length: 30 }, () => world.login(a, passwordOf(document))),
    );
    const off = changeOf(a, tag("v1", 1), tag("v1", 2, { state: "disabled" }));
    expect(await codeOf(nobody.disable(off, call()))).toBe("unreachable");
    for (const session of sessions) await expect(session.query("SELECT 1")).rejects.toThrow();
    await expect(world.login(a, passwordOf(document))).rejects.toMatchObject({ code: "28000" });
    await nobody.close();
  });

  it("H16: a standby that is connected and not listed is named, and a receiver that is no server is not", async () => {
    const codes = async (from: Issuer) => {
      const findings = await from.preflight(call());
      await from.close();
      return findings.filter(({ severity }) => severity === "refuse").map(({ code }) => code);
    };
    expect(await codes(world.issuer(account, both()))).toEqual([]);
    expect(await codes(world.issuer(account))).toEqual(["postgres-standby-unlisted"]);
    expect(await codes(world.issuer(account, { receivers: ["standby"] }))).toEqual([]);
  });

  it("H9: a standby where the primary is expected is the wrong server, and so is a primary among the standbys", async () => {
    const { host, port } = standby.server;
    const swapped = world.issuer(account, { port });
    expect(await codeOf(swapped.survey(call()))).toBe("wrong-server");
    expect(await codeOf(swapped.seize(changeOf(b, null, tag("v1", 1)), call()))).toBe("wrong-server");
    await swapped.close();
    const doubled = world.issuer(account, { standbys: [{ host, port: world.server.port }] });
    expect(await codeOf(doubled.survey(call()))).toBe("wrong-server");
    await doubled.close();
  });
});
