/**
 * Real PgBouncers before a real server: what consumers reach through them is proved there, and what they still let in
 * is found. Each test has an account of its own.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import type { PostgresAccount } from "../../../adapters/issuers/postgres/config.js";
import { postgresGrants } from "../../../adapters/issuers/postgres/grants.js";
import type { Issuer, NodeProof, SecretDocument } from "../../../adapters/ports.js";
import { type PgBouncer, startPgBouncer } from "../../../worker/dev/pgbouncer.js";
import { askerSql, consoleOf, verifierOf } from "./pgbouncer-world.js";
import { clientOf, database, type PostgresWorld, postgresWorld } from "./postgres-world.js";
import { call, changeOf, codeOf, passwordOf, tag } from "./world.js";

/** What a pooler logs in with where it has a login of its own. */
const own = { name: "pooler_own", password: "a-password-of-the-pooler" };

let world: PostgresWorld;
let listed: PgBouncer;
let asking: PgBouncer;
let fixed: PgBouncer;
let astray: PgBouncer;
let account: PostgresAccount;
let a: string;
let document: SecretDocument;

beforeAll(async () => {
  world = await postgresWorld();
  const { host, port } = world.server;
  const to = (name: string, more = "") => [
    `${database} = host=${host} port=${port} dbname=${name} ${more}`.trim(),
  ];
  await world.superuser.query(
    `CREATE ROLE ${own.name} LOGIN PASSWORD '${own.password}'; GRANT USAGE ON SCHEMA rekey TO ${own.name}`,
  );
  await world.superuser.query(askerSql);
  await world.superuser.query("CREATE DATABASE elsewhere");
  const { user, password } = world.server;
  const other = await clientOf({ host, port, user, password: password.reveal(), database: "elsewhere" });
  await other.query(postgresGrants({ environment: "test" }));
  await other.end();
  const asks = ["auth_user = asker", "auth_query = SELECT uname, secret FROM public.login_of($1)"];
  const transaction = "pool_mode = transaction";
  listed = await startPgBouncer({ databases: to(database), settings: [transaction] });
  asking = await startPgBouncer({
    databases: to(database),
    users: { asker: "asker" },
    settings: ["pool_mode = session", ...asks],
  });
  fixed = await startPgBouncer({
    databases: to(database, `user=${own.name} password=${own.password}`),
    settings: [transaction],
  });
  astray = await startPgBouncer({ databases: to("elsewhere"), settings: [transaction] });
});
afterAll(async () => {
  await Promise.all([listed, asking, fixed, astray].map((pooler) => pooler?.stop()));
  await world.stop();
});

beforeEach(async () => {
  account = await world.account();
  [a = ""] = account.logins;
  const issuer = world.issuer(account);
  document = issuer.generate(a);
  await issuer.enable(changeOf(a, null, tag("v1", 1)), document, call());
  await issuer.close();
});

/** The issuer as an estate has it that names these poolers. */
function through(...poolers: Pick<PgBouncer, "host" | "port">[]): Issuer {
  const issuer = world.issuer(account, { through: poolers.map(({ host, port }) => ({ host, port })) });
  onTestFinished(() => issuer.close());
  return issuer;
}

function at(pooler: PgBouncer, proofs: readonly NodeProof[]): NodeProof | undefined {
  return proofs.find(({ node }) => node === `${pooler.host}:${pooler.port}`);
}

async function reload(pooler: PgBouncer, users: Readonly<Record<string, string>>): Promise<void> {
  await pooler.list(users);
  const admin = await consoleOf(pooler);
  await admin.query("RELOAD");
  await admin.end();
}

async function switchOff(issuer: Issuer): Promise<void> {
  await issuer.disable(changeOf(a, tag("v1", 1), tag("v1", 2, { state: "disabled" })), call());
}

async function client(pooler: PgBouncer) {
  const { host, port } = pooler;
  const session = await clientOf({ host, port, database, user: a, password: passwordOf(document) });
  onTestFinished(() => session.end().catch(() => undefined));
  await session.query("SELECT 1");
  return session;
}

describe("poolers before the server", () => {
  it("H34: a login that a pooler's list lacks is not proved, and is once the list has it and was reloaded", async () => {
    const issuer = through(listed);
    const before = await issuer.prove(a, document, call());
    expect(before).toHaveLength(2);
    expect(before[0]?.ok).toBe(true);
    expect(at(listed, before)).toMatchObject({
      ok: false,
      sentence: expect.stringContaining("list of logins"),
    });
    const users = { [a]: await verifierOf(world, a) };
    await listed.list(users);
    // Written is not read.
    expect(at(listed, await issuer.prove(a, document, call()))?.ok).toBe(false);
    await reload(listed, users);
    expect(at(listed, await issuer.prove(a, document, call()))).toEqual({
      node: `${listed.host}:${listed.port}`,
      ok: true,
      sentence: `logged in through the pooler as ${a} acting as ${account.group}`,
    });
  });

  it("H34: where a pooler asks the server, a login is proved there and refused there without anybody's doing", async () => {
    const issuer = through(asking);
    expect(at(asking, await issuer.prove(a, document, call()))?.ok).toBe(true);
    await client(asking);
    expect(at(asking, await issuer.proveRefused(a, document, call()))).toMatchObject({
      ok: false,
      sentence: `still accepts ${a}, as ${a} at the server`,
    });
    await switchOff(issuer);
    expect((await issuer.proveRefused(a, document, call())).map(({ ok }) => ok)).toEqual([true, true]);
  });

  it("H16: a pooler whose list still has the old login lets nobody through to the server, and says what it took", async () => {
    await reload(listed, { [a]: await verifierOf(world, a) });
    const issuer = through(listed);
    // It knows the server by now, so that it takes the next login without asking anybody.
    await client(listed);
    await switchOff(issuer);
    expect(at(listed, await issuer.proveRefused(a, document, call()))).toMatchObject({
      ok: true,
      sentence: expect.stringContaining("the pooler itself takes the value"),
    });
  });

  it("H16 H34: a pooler with a login of its own proves nothing, and is found to let the old value in", async () => {
    // With a verifier in the list PgBouncer 1.18 would try the client's keys at the server, as its own login.
    await reload(fixed, { [a]: passwordOf(document) });
    const issuer = through(fixed);
    expect(at(fixed, await issuer.prove(a, document, call()))).toMatchObject({
      ok: false,
      sentence: expect.stringContaining(`the pooler is ${own.name} at the server`),
    });
    await switchOff(issuer);
    const proofs = await issuer.proveRefused(a, document, call());
    expect(proofs[0]?.ok).toBe(true);
    expect(at(fixed, proofs)).toMatchObject({
      ok: false,
      sentence: `still accepts ${a}, as ${own.name} at the server`,
    });
    await reload(fixed, {});
    expect((await issuer.proveRefused(a, document, call())).map(({ ok }) => ok)).toEqual([true, true]);
  });

  it("H9: a pooler that leads to another database or server is the wrong one", async () => {
    await reload(astray, { [a]: await verifierOf(world, a) });
    expect(await codeOf(through(astray).prove(a, document, call()), passwordOf(document))).toBe(
      "wrong-server",
    );
  });

  it("H16: a pooler that cannot be reached is no proof of anything", async () => {
    const issuer = through({ host: "127.0.0.1", port: 1 });
    expect(await codeOf(issuer.prove(a, document, call()))).toBe("unreachable");
    await switchOff(issuer);
    expect(await codeOf(issuer.proveRefused(a, document, call()))).toBe("unreachable");
  });

  it("H34: asks the owner's question there, and leaves no connection of its own in the pool", async () => {
    await reload(listed, { [a]: await verifierOf(world, a) });
    const ask = async (rows: number) => {
      account = { ...account, canary: { query: `SELECT * FROM ${account.group}.items`, rows } };
      return at(listed, await through(listed).prove(a, document, call()));
    };
    expect((await ask(3))?.ok).toBe(true);
    expect((await ask(4))?.sentence).toBe("the canary query returned 3 rows and not 4");
    const held = "SELECT count(*)::int AS held FROM pg_stat_activity WHERE usename = $1";
    await expect.poll(async () => (await world.superuser.query(held, [a])).rows[0].held).toBe(0);
  });
});
