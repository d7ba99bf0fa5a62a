/** What the engine's own login may do and may not, on a real server; and that it can rotate itself (H15). */
import { randomBytes } from "node:crypto";
import type pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { PostgresAccount } from "../../../adapters/issuers/postgres/config.js";
import { postgresGrants } from "../../../adapters/issuers/postgres/grants.js";
import { scramVerifier } from "../../../adapters/issuers/postgres/scram.js";
import type { Issuer } from "../../../adapters/ports.js";
import { connectPg } from "../../../adapters/shared/pg.js";
import { Secret } from "../../../domain/secret.js";
import { runAdoption, undoAdoption } from "./adopting.js";
import { clientOf, type PostgresWorld, postgresWorld } from "./postgres-world.js";
import { call, changeOf, codeOf, passwordOf, tag } from "./world.js";

let world: PostgresWorld;
let account: PostgresAccount;
let engine: pg.Client;
let issuer: Issuer;
let a: string;
let b: string;

beforeAll(async () => {
  world = await postgresWorld();
});
afterAll(() => world.stop());
beforeEach(async () => {
  account = await world.account();
  [a = "", b = ""] = account.logins;
  issuer = world.issuer(account);
  engine = await world.login(world.engine.username, world.engine.password);
  return async () => {
    await engine.end().catch(() => undefined);
    await issuer.close();
  };
});

const apply = (...values: unknown[]) =>
  engine.query("SELECT rekey.apply($1, $2, $3, $4, $5, $6, $7)", values);

async function refusals(from: Issuer = issuer): Promise<string[]> {
  return (await from.preflight(call()))
    .filter(({ severity }) => severity === "refuse")
    .map(({ code }) => code);
}

describe("the engine's own rights", () => {
  it("H15: no CREATEROLE, no way to alter a role but the function, nothing of the data", async () => {
    const forbidden = [
      `ALTER ROLE ${a} PASSWORD 'x'`,
      `ALTER ROLE ${a} LOGIN`,
      `COMMENT ON ROLE ${a} IS 'x'`,
      "CREATE ROLE another",
      `GRANT ${account.group} TO rekey_a`,
      `SET ROLE ${account.group}`,
      `SELECT * FROM ${account.group}.items`,
      "INSERT INTO rekey.managed VALUES ('postgres', 'postgres')",
      "SELECT * FROM rekey.former",
      "UPDATE rekey.marker SET marker = 'x'",
      "CREATE FUNCTION rekey.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
      "SELECT rolpassword FROM pg_authid",
    ];
    for (const sql of forbidden) {
      await expect(engine.query(sql), sql).rejects.toMatchObject({ code: "42501" });
    }
  });

  it("H15: the function takes listed logins, verifiers and expected tags, and nothing else", async () => {
    const verifier = await scramVerifier("x", randomBytes(16));
    const cases: [string, unknown[]][] = [
      ["RK002", [null, "postgres", "", "t", true, verifier, false]],
      ["RK002", [null, account.group, "", "t", true, verifier, false]],
      ["RK002", [null, `${a} `, "", "t", true, verifier, false]],
      ["RK003", [null, a, "", "t", true, "plain", false]],
      ["RK003", [null, a, "", "t", true, `${verifier}'; ALTER ROLE rekey_a SUPERUSER`, false]],
      ["RK003", [null, a, "", "t", true, `md5${"0".repeat(32)}`, false]],
      ["RK001", [null, a, "another", "t", true, verifier, false]],
      ["RK001", [null, a, null, "t", true, verifier, false]],
      ["RK004", ["postgresql/1/elsewhere/ordersdb", a, "", "t", true, verifier, false]],
    ];
    for (const [code, values] of cases) await expect(apply(...values), code).rejects.toMatchObject({ code });
    await world.superuser.query(`ALTER ROLE ${a} SUPERUSER`);
    await expect(apply(null, a, "", "t", true, verifier, false)).rejects.toMatchObject({ code: "RK005" });
    const { rows } = await world.superuser.query(
      "SELECT rolcanlogin, rolpassword, shobj_description(oid, 'pg_authid') AS tag FROM pg_authid WHERE rolname = $1",
      [a],
    );
    expect(rows).toEqual([{ rolcanlogin: false, rolpassword: null, tag: null }]);
  });

  it("names with capitals, quotes and spaces are changed as they are, and no other role is", async () => {
    const group = `Odd "Group" ${account.group}`;
    const logins = [`Odd'Login" ${a}`, `Odd\\Login ${b}`];
    const quoted = `"${group.replaceAll('"', '""')}"`;
    await world.superuser.query(`CREATE ROLE ${quoted} LOGIN PASSWORD 'x'`);
    await world.superuser.query(postgresGrants({ group, logins: logins.join(",") }));
    const odd = world.issuer({ group, logins });
    const [login = ""] = logins;
    const document = odd.generate(login);
    await odd.enable(changeOf(login, null, tag("v1", 1)), document, call());
    expect((await odd.prove(login, document, call())).map(({ sentence }) => sentence)).toEqual([
      `logged in as ${login} acting as ${group}`,
    ]);
    await odd.disable(changeOf(login, tag("v1", 1), tag("v1", 2, { state: "disabled" })), call());
    expect(await refusals(odd)).toEqual([]);
    await odd.close();
  });

  it("H15: the engine rotates its own pair, and does not switch off the login that it is using", async () => {
    const own = { group: "rekey_engine", logins: ["rekey_a", "rekey_b"] };
    let present = { username: "rekey_a", password: world.engine.password };
    const deps = {
      resolve: async (reference: string) =>
        new Secret(reference === "env:ENGINE_NAME" ? present.username : present.password),
    };
    const config = { login: { username: "env:ENGINE_NAME", password: "env:ENGINE" } };
    const self = world.issuer(own, config, deps);
    const found = (await self.survey(call())).slots;
    expect(found).toMatchObject([
      { slot: "rekey_a", enabled: true },
      { slot: "rekey_b", enabled: false },
    ]);
    const document = self.generate("rekey_b");
    await self.enable(changeOf("rekey_b", null, tag("e2", 1)), document, call());
    expect((await self.prove("rekey_b", document, call())).filter(({ ok }) => !ok)).toEqual([]);
    const off = tag("e1", 2, { state: "disabled" });
    expect(await codeOf(self.disable(changeOf("rekey_a", null, off), call()))).toBe("conflict");

    const old = present;
    present = { username: "rekey_b", password: passwordOf(document) };
    expect(await self.disable(changeOf("rekey_a", null, off), call())).toBe("applied");
    await expect(world.login(old.username, old.password)).rejects.toMatchObject({ code: "28P01" });
    // And back, so that the other tests have their engine.
    const former = { username: new Secret("rekey_a"), password: new Secret(world.engine.password) };
    await self.enable(changeOf("rekey_a", off, tag("e1", 3)), former, call());
    present = old;
    await self.disable(changeOf("rekey_b", tag("e2", 1), tag("e2", 4, { state: "disabled" })), call());
    expect(await refusals(self)).toEqual([]);
    await self.close();
  });

  it("H21: without pg_read_all_stats nothing seen is no evidence, and preflight names the grant", async () => {
    await world.superuser.query("REVOKE pg_read_all_stats FROM rekey_engine");
    try {
      expect((await issuer.survey(call())).watermarkSeen).toBe(false);
      expect(await refusals()).toEqual(["postgres-stats-unreadable"]);
    } finally {
      await world.superuser.query("GRANT pg_read_all_stats TO rekey_engine");
    }
    expect((await issuer.survey(call())).watermarkSeen).toBe(true);
  });

  it("every other right that is missing is named", async () => {
    const without = async (take: string, give: string, expected: string[]) => {
      await world.superuser.query(take);
      try {
        const fresh = world.issuer(account);
        expect(await refusals(fresh)).toEqual(expected);
        await fresh.close();
      } finally {
        await world.superuser.query(give);
      }
    };
    await without("REVOKE pg_signal_backend FROM rekey_engine", "GRANT pg_signal_backend TO rekey_engine", [
      "postgres-cannot-end-sessions",
    ]);
    const signature = "rekey.apply(text, text, text, text, boolean, text, boolean)";
    await without(
      `REVOKE EXECUTE ON FUNCTION ${signature} FROM rekey_engine`,
      `GRANT EXECUTE ON FUNCTION ${signature} TO rekey_engine`,
      ["postgres-function-missing"],
    );
    await without(
      `ALTER FUNCTION ${signature} OWNER TO rekey_engine`,
      `ALTER FUNCTION ${signature} OWNER TO postgres; ${postgresGrants()}`,
      ["postgres-function-owned", "postgres-owner-cannot-alter"],
    );
    await without("ALTER ROLE rekey_a SUPERUSER", "ALTER ROLE rekey_a NOSUPERUSER", [
      "postgres-engine-superuser",
      "postgres-function-owned",
    ]);
    await without(
      `DELETE FROM rekey.managed WHERE login = '${a}'`,
      `INSERT INTO rekey.managed VALUES ('${a}', '${account.group}')`,
      ["postgres-login-unmanaged"],
    );
    await without(
      "CREATE TEMP TABLE kept AS SELECT * FROM rekey.marker; DELETE FROM rekey.marker",
      "INSERT INTO rekey.marker SELECT * FROM kept",
      ["postgres-marker-missing"],
    );
  });

  it("a database without the SQL is told apart from one that cannot be reached", async () => {
    const elsewhere = world.issuer(account, { database: "postgres" });
    expect(await codeOf(elsewhere.survey(call()))).toBe("missing-setup");
    const nowhere = world.issuer(account, { database: "nowhere" });
    expect(await codeOf(nowhere.preflight(call()))).toBe("unsupported");
    await Promise.all([elsewhere.close(), nowhere.close()]);
  });

  it("H35: limits that the overlap would hit are refused beforehand", async () => {
    await issuer.enable(changeOf(a, null, tag("v1", 1)), issuer.generate(a), call());
    const document = issuer.generate(b);
    await issuer.enable(changeOf(b, null, tag("v2", 2)), document, call());
    const sessions = await Promise.all([1, 2, 3].map(() => world.login(b, passwordOf(document))));
    for (const login of account.logins) await world.superuser.query(`ALTER ROLE ${login} CONNECTION LIMIT 2`);
    expect(await refusals()).toEqual(["postgres-connection-limit", "postgres-connection-limit"]);
    const soon = new Date(Date.now() + 10 * 86_400_000).toISOString();
    for (const login of account.logins)
      await world.superuser.query(`ALTER ROLE ${login} CONNECTION LIMIT 9 VALID UNTIL '${soon}'`);
    expect(await refusals()).toEqual(["postgres-valid-until", "postgres-valid-until"]);
    await Promise.all(sessions.map((session) => session.end()));
  });
});

describe("a server without a superuser", () => {
  it("the function belongs to a role with ADMIN OPTION on the logins, and a whole life of a version works", async () => {
    await world.superuser.query("CREATE DATABASE managed");
    await world.superuser.query(`
      CREATE ROLE dba LOGIN CREATEROLE PASSWORD 'dba';
      GRANT pg_read_all_stats, pg_signal_backend TO dba WITH ADMIN OPTION;
      GRANT ALL ON DATABASE managed TO dba`);
    const { host, port } = world.server;
    const dba = await clientOf({ host, port, database: "managed", user: "dba", password: "dba" });
    await dba.query("CREATE ROLE shop LOGIN PASSWORD 'shop'");
    const password = randomBytes(24).toString("base64url");
    const script = postgresGrants({
      owner: "rekey_owner",
      engine: "managed_engine",
      engineLogins: "managed_a,managed_b",
      verifier: await scramVerifier(password, randomBytes(16)),
      group: "shop",
      logins: "shop_a,shop_b,shop_c",
    });
    await dba.query(script);
    await dba.query(script);
    const shop = { group: "shop", logins: ["shop_a", "shop_b", "shop_c"] };
    const config = { database: "managed", login: { username: "managed_a", password: "env:ENGINE" } };
    const managed = world.issuer(shop, config, { resolve: async () => new Secret(password) });
    expect(managed.traits.capacity).toBe(3);
    expect(await refusals(managed)).toEqual([]);
    const document = managed.generate("shop_c");
    await managed.enable(changeOf("shop_c", null, tag("v1", 1)), document, call());
    expect((await managed.prove("shop_c", document, call())).filter(({ ok }) => !ok)).toEqual([]);
    const off = tag("v1", 2, { state: "disabled" });
    const session = await clientOf({
      host,
      port,
      database: "managed",
      user: "shop_c",
      password: passwordOf(document),
    });
    await managed.disable(changeOf("shop_c", tag("v1", 1), off), call());
    await expect(session.query("SELECT 1")).rejects.toThrow();
    await managed.destroy(changeOf("shop_c", off, tag("v1", 3, { state: "destroyed" })), call());
    expect((await managed.proveRefused("shop_c", document, call())).every(({ ok }) => ok)).toBe(true);
    const { rows } = await world.superuser.query(
      "SELECT rolname, rolcanlogin, rolsuper FROM pg_roles WHERE rolname IN ('rekey_owner', 'managed_engine') ORDER BY 1",
    );
    expect(rows).toEqual([
      { rolname: "managed_engine", rolcanlogin: false, rolsuper: false },
      { rolname: "rekey_owner", rolcanlogin: false, rolsuper: false },
    ]);
    // Each right of the function's owner that is missing is named, with its mend, and is really needed.
    const without = async (take: string, give: string, expected: string) => {
      await world.superuser.query(take);
      try {
        const fresh = world.issuer(shop, config, { resolve: async () => new Secret(password) });
        expect(await refusals(fresh)).toEqual([expected]);
        const change = fresh.enable(changeOf("shop_b", null, tag("v2", 1)), fresh.generate("shop_b"), call());
        expect(await codeOf(change)).toBe("not-permitted");
        await fresh.close();
      } finally {
        await world.superuser.query(give);
      }
    };
    await without(
      "ALTER ROLE rekey_owner NOCREATEROLE",
      "ALTER ROLE rekey_owner CREATEROLE",
      "postgres-owner-cannot-alter",
    );
    await without(
      "REVOKE ADMIN OPTION FOR shop_b FROM rekey_owner GRANTED BY dba",
      "GRANT shop_b TO rekey_owner WITH ADMIN TRUE, INHERIT FALSE, SET FALSE GRANTED BY dba",
      "postgres-owner-lacks-admin",
    );
    expect(await refusals(managed)).toEqual([]);
    await managed.close();
    await dba.end();
  });

  it("adopts a login and goes back, by an administrator who is no superuser", async () => {
    const { host, port } = world.server;
    const login = { username: "dba", password: new Secret("dba"), applicationName: "rekey/probe/dba" };
    const dba = await connectPg({ host, port, database: "managed" }, login, call());
    await dba.script("CREATE ROLE depot LOGIN PASSWORD 'depot'", call());
    const roles = async () =>
      (
        await world.superuser.query(
          `SELECT (SELECT json_agg(r ORDER BY r.rolname) FROM pg_authid r) AS roles,
                  (SELECT json_agg(m ORDER BY m.oid) FROM pg_auth_members m) AS members`,
        )
      ).rows[0];
    const before = await roles();
    const pair = { group: "depot", logins: ["depot_a", "depot_b"] };
    await runAdoption(dba, pair, call());
    const password = new Secret("engine-of-managed");
    const config = { database: "managed", login: { username: "managed_a", password: "env:ENGINE" } };
    await world.superuser.query(`ALTER ROLE managed_a PASSWORD '${password.reveal()}'`);
    const managed = world.issuer(pair, config, { resolve: async () => password });
    const document = managed.generate("depot_a");
    await managed.enable(changeOf("depot_a", null, tag("v1", 1)), document, call());
    expect((await managed.prove("depot_a", document, call())).filter(({ ok }) => !ok)).toEqual([]);
    expect((await runAdoption(dba, pair, call())).map(({ id }) => id)).toEqual(["former-off"]);
    // Its password was not readable, so it stayed; the way back switches it on with it.
    const off = tag("v1", 2, { state: "disabled" });
    expect(await codeOf(undoAdoption(dba, pair, call()))).toBe("refused-by-policy");
    await managed.disable(changeOf("depot_a", tag("v1", 1), off), call());
    await undoAdoption(dba, pair, call());
    const { members, roles: after } = await roles();
    const withoutEngine = (list: { rolname: string }[]) =>
      list.filter(({ rolname }) => rolname !== "managed_a");
    expect(withoutEngine(after)).toEqual(withoutEngine(before.roles));
    expect(members).toEqual(before.members);
    await Promise.all([managed.close(), dba.end()]);
  });
});

describe("the SQL for the DBA", () => {
  it("can be run again, changes nothing then, and keeps the engine's password and the marker", async () => {
    const state = async () =>
      (
        await world.superuser.query(`SELECT (SELECT json_agg(r ORDER BY r.rolname) FROM pg_authid r) AS roles,
          (SELECT json_agg(s ORDER BY s.setrole, s.setdatabase) FROM pg_db_role_setting s) AS settings,
          (SELECT marker FROM rekey.marker) AS marker, (SELECT json_agg(m ORDER BY m.login) FROM rekey.managed m) AS managed,
          (SELECT json_agg(p.proacl::text ORDER BY p.proname) FROM pg_proc p WHERE pronamespace = 'rekey'::regnamespace) AS rights`)
      ).rows[0];
    const before = await state();
    const verifier = await scramVerifier("another", randomBytes(16));
    await world.superuser.query(postgresGrants({ environment: "other", verifier }));
    await world.superuser.query(postgresGrants({ group: account.group, logins: account.logins.join(",") }));
    expect(await state()).toEqual(before);
  });

  it("H14: gives the logins of an account its group's settings", async () => {
    const { group, logins } = await world.account({ pair: false });
    await world.superuser.query(`ALTER ROLE ${group} SET statement_timeout = '1234ms';
      ALTER ROLE ${group} IN DATABASE postgres SET search_path = "$user", audit`);
    await world.superuser.query(postgresGrants({ group, logins: logins.join(",") }));
    const { rows } = await world.superuser.query(
      `SELECT s.setrole::regrole::text AS role, d.datname, c AS setting
       FROM pg_db_role_setting s LEFT JOIN pg_database d ON d.oid = s.setdatabase, unnest(s.setconfig) AS c
       WHERE s.setrole::regrole::text = ANY ($1) ORDER BY 1, 2, 3`,
      [[...logins]],
    );
    expect(rows).toEqual(
      logins.flatMap((role) => [
        { role, datname: "postgres", setting: 'search_path="$user", audit' },
        { role, datname: null, setting: `role=${group}` },
        { role, datname: null, setting: "statement_timeout=1234ms" },
      ]),
    );
  });

  it("refuses options that it does not know, a password for a verifier, and lists that are no pair", () => {
    expect(() => postgresGrants({ enigne: "x" })).toThrow("Unknown option enigne");
    expect(() => postgresGrants({ verifier: "plain" })).toThrow("never a password");
    expect(() => postgresGrants({ group: "orders", logins: "orders_a" })).toThrow("two logins");
    expect(() => postgresGrants({ group: "orders", logins: "orders_a,orders_a" })).toThrow("two logins");
    expect(() => postgresGrants({ logins: "orders_a,orders_b" })).toThrow("needs the option");
    expect(() => postgresGrants({ group: "x".repeat(64), logins: "a,b" })).toThrow("63 bytes");
  });

  it("H36: has no path that drops what a login owns", async () => {
    const { readdir, readFile } = await import("node:fs/promises");
    const folder = new URL("../../../adapters/issuers/postgres/", import.meta.url);
    const files = (await readdir(folder)).map((name) => new URL(name, folder));
    const sources = await Promise.all(files.map((file) => readFile(file, "utf8")));
    expect(files.length).toBeGreaterThan(10);
    for (const source of sources) expect(source).not.toMatch(/DROP\s+OWNED|CASCADE/i);
    expect(postgresGrants({ group: "orders", logins: "orders_a,orders_b" })).not.toMatch(/\bDROP\b/i);
  });
});
