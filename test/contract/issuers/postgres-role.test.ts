/** As whom a login acts, on a real server: four ways in which it silently may not act as its group, and what finds them. */
import { readFile, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { PostgresAccount } from "../../../adapters/issuers/postgres/config.js";
import type { Issuer, SecretDocument } from "../../../adapters/ports.js";
import { type PostgresWorld, postgresWorld } from "./postgres-world.js";
import { call, changeOf, codeOf, passwordOf, tag } from "./world.js";

let world: PostgresWorld;
let account: PostgresAccount;
let issuer: Issuer;
let document: SecretDocument;
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
  document = issuer.generate(a);
  await issuer.enable(changeOf(a, null, tag("v1", 1)), document, call());
  return () => issuer.close();
});

async function sentence(): Promise<string> {
  const [proof] = await issuer.prove(a, document, call());
  if (proof?.ok !== false) throw new Error("was proved");
  return proof.sentence;
}

async function codes(from: Issuer = issuer): Promise<string[]> {
  const findings = await from.preflight(call());
  return findings.filter(({ severity }) => severity !== "info").map(({ code }) => code);
}

const dba = (sql: string) => world.superuser.query(sql);

describe("who the login acts as", () => {
  it("H13: a login that took its own role setting away is not proved, and preflight names it", async () => {
    const session = await world.login(a, passwordOf(document));
    await session.query(`SET ROLE NONE`);
    await session.query(`ALTER ROLE ${a} RESET role`);
    await session.end();
    expect(await sentence()).toContain(`acts as ${a} and not as ${account.group}`);
    expect(await codes()).toContain("postgres-role-setting");
  });

  it("H13: a membership that may not be assumed, is passed on, or is missing is not proved", async () => {
    const { group } = account;
    await dba(`GRANT ${group} TO ${a} WITH SET FALSE`);
    expect(await sentence()).toContain(`acts as ${a}`);
    expect(await codes()).toContain("postgres-membership-options");
    await dba(`GRANT ${group} TO ${a} WITH SET TRUE, ADMIN TRUE`);
    expect(await sentence()).toContain("differs from its sibling: memberships");
    expect(await codes()).toContain("postgres-membership-options");
    await dba(`REVOKE ${group} FROM ${a}`);
    expect(await sentence()).toContain(`acts as ${a}`);
    expect(await codes()).toContain("postgres-membership-missing");
  });

  it("H13: what a session with role=none made is found and named with its mend", async () => {
    await dba(`GRANT CREATE ON SCHEMA public TO ${account.group}`);
    const session = await world.login(a, passwordOf(document), { options: "-c role=none" });
    expect((await session.query("SELECT current_user AS who")).rows).toEqual([{ who: a }]);
    await session.query(`CREATE TABLE public.strayed_${a} (id int)`);
    await session.end();
    const findings = await issuer.preflight(call());
    const found = findings.find(({ code }) => code === "postgres-login-owns-objects");
    expect(found).toMatchObject({ severity: "warn", subject: a });
    expect(found?.sentence).toContain("ordersdb");
    await dba(`REASSIGN OWNED BY ${a} TO ${account.group}`);
    expect(await codes()).not.toContain("postgres-login-owns-objects");
  });

  it("H13: a setting for one database that hides the group's is noticed", async () => {
    await dba(`ALTER ROLE ${a} IN DATABASE ordersdb SET role = 'none'`);
    expect(await sentence()).toContain(`acts as ${a}`);
    expect(await codes()).toContain("postgres-role-setting");
  });

  it("H34: what one login has and its sibling lacks is named, and no value of a setting with it", async () => {
    expect(await codes()).not.toContain("postgres-logins-differ");
    await dba(`ALTER ROLE ${b} SET app.token = 'canary-setting'`);
    await dba(`ALTER ROLE ${b} CONNECTION LIMIT 7`);
    await dba(`GRANT SELECT ON ${account.group}.items TO ${b}`);
    const said = await sentence();
    expect(said).toContain("app.token");
    expect(said).toContain("connection limit");
    expect(said).toContain(`table ${account.group}.items`);
    expect(said).not.toContain("canary-setting");
    const findings = await issuer.preflight(call());
    expect(findings.map(({ code }) => code)).toContain("postgres-logins-differ");
    expect(JSON.stringify(findings)).not.toContain("canary-setting");
  });

  it("H14: the owner's canary query is asked as the new login, read only, and its rows are counted", async () => {
    const with_ = async (query: string, rows: number) => {
      const other = world.issuer({ ...account, canary: { query, rows } });
      const [proof] = await other.prove(a, document, call());
      await other.close();
      return proof;
    };
    const { group } = account;
    expect(await with_(`SELECT * FROM ${group}.items`, 3)).toMatchObject({ ok: true });
    expect(await with_(`SELECT * FROM ${group}.items`, 2)).toMatchObject({
      ok: false,
      sentence: "the canary query returned 3 rows and not 2",
    });
    expect(await with_(`DELETE FROM ${group}.items RETURNING id`, 3)).toMatchObject({ ok: false });
    expect(await with_("SELECT 1) AS x; DELETE FROM items; SELECT (1", 1)).toMatchObject({
      ok: false,
      sentence: "the canary query failed",
    });
    expect((await dba(`SELECT count(*)::int AS n FROM ${group}.items`)).rows).toEqual([{ n: 3 }]);
  });

  it("H12: a disabled login that somebody switches on by hand accepts neither our value nor the attacker's", async () => {
    const session = await world.login(a, passwordOf(document));
    await session.query("SET ROLE NONE");
    await session.query(`ALTER ROLE ${a} PASSWORD 'attackers'`);
    await issuer.disable(changeOf(a, tag("v1", 1), tag("v1", 2, { state: "disabled" })), call());
    await dba(`ALTER ROLE ${a} LOGIN`);
    for (const password of ["attackers", passwordOf(document)]) {
      await expect(world.login(a, password)).rejects.toMatchObject({ code: "28P01" });
    }
    await session.end().catch(() => undefined);
  });

  it("H36: a destroyed login stands there without any password", async () => {
    const stored = async () =>
      (await dba(`SELECT rolpassword FROM pg_authid WHERE rolname = '${a}'`)).rows[0]?.rolpassword;
    expect(await stored()).toMatch(/^SCRAM-SHA-256\$/);
    const gone = tag("v1", 2, { state: "destroyed" });
    await issuer.destroy(changeOf(a, tag("v1", 1), gone), call());
    expect(await stored()).toBeNull();
  });

  it("H9: a refusal by the network rules is no proof that a value is refused", async () => {
    const { rows } = await dba("SHOW hba_file");
    const before = await readFile(rows[0]?.hba_file, "utf8");
    await writeFile(rows[0]?.hba_file, `host all ${a} 127.0.0.1/32 reject\n${before}`);
    await dba("SELECT pg_reload_conf()");
    try {
      await expect
        .poll(() => issuer.proveRefused(a, document, call()))
        .toMatchObject([{ ok: false, sentence: expect.stringContaining("pg_hba.conf") }]);
      expect(await sentence()).toContain("pg_hba.conf");
    } finally {
      await writeFile(rows[0]?.hba_file, before);
      await dba("SELECT pg_reload_conf()");
    }
  });

  it("H34: a line of pg_hba.conf that names the group and not its members is found where the file may be read", async () => {
    const { group } = account;
    const { rows } = await dba("SHOW hba_file");
    const before = await readFile(rows[0]?.hba_file, "utf8");
    const opened = "GRANT %s ON %s TO rekey_engine";
    for (const [right, what] of [
      ["SELECT", "pg_hba_file_rules"],
      ["EXECUTE", "FUNCTION pg_hba_file_rules()"],
    ] as const) {
      await dba(opened.replace("%s", right).replace("%s", what));
    }
    try {
      await writeFile(rows[0]?.hba_file, `host ordersdb ${group} 127.0.0.1/32 scram-sha-256\n${before}`);
      expect(await codes()).toContain("postgres-hba-names-login");
      await writeFile(rows[0]?.hba_file, `host ordersdb +${group} 127.0.0.1/32 scram-sha-256\n${before}`);
      expect(await codes()).not.toContain("postgres-hba-names-login");
    } finally {
      await writeFile(rows[0]?.hba_file, before);
      await dba("REVOKE SELECT ON pg_hba_file_rules FROM rekey_engine");
      await dba("REVOKE EXECUTE ON FUNCTION pg_hba_file_rules() FROM rekey_engine");
    }
  });

  it("H35: no free connection is neither a proof nor a refusal", async () => {
    await dba(`ALTER ROLE ${a} CONNECTION LIMIT 0`);
    expect(await codeOf(issuer.prove(a, document, call()))).toBe("unreachable");
    expect(await codeOf(issuer.proveRefused(a, document, call()))).toBe("unreachable");
  });
});
