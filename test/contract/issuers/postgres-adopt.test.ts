/** An existing login becomes a pair on a real server while it is in use, and back again without a trace. */
import type pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { adoptionStatus, planAdoption } from "../../../adapters/issuers/postgres/adopt.js";
import { readAdoption } from "../../../adapters/issuers/postgres/adopt-run.js";
import type { PostgresAccount } from "../../../adapters/issuers/postgres/config.js";
import type { PairNames } from "../../../adapters/issuers/postgres/pair.js";
import { connectPg, type PgSession } from "../../../adapters/shared/pg.js";
import { formatTag } from "../../../domain/fence.js";
import { Secret } from "../../../domain/secret.js";
import { runAdoption, undoAdoption } from "./adopting.js";
import { database, type PostgresWorld, postgresWorld } from "./postgres-world.js";
import { call, changeOf, codeOf, passwordOf, tag } from "./world.js";

let world: PostgresWorld;
let account: PostgresAccount;
let pair: PairNames;
let dba: PgSession;
let group: string;
let a: string;
let b: string;

beforeAll(async () => {
  world = await postgresWorld();
  await world.superuser.query("CREATE DATABASE reports");
});
afterAll(() => world.stop());

/** A login as it is found: settings, limits, a comment, row security, default privileges, a schema of its own name. */
beforeEach(async () => {
  account = await world.account({ logins: 3, pair: false });
  group = account.group;
  [a = "", b = ""] = account.logins;
  pair = { group, logins: account.logins };
  await world.superuser.query(`
    COMMENT ON ROLE ${group} IS 'owned by team orders';
    ALTER ROLE ${group} CONNECTION LIMIT 40 CREATEDB VALID UNTIL '2099-01-01';
    ALTER ROLE ${group} SET statement_timeout = '1234ms';
    ALTER ROLE ${group} SET search_path = "$user", 'Odd, "Path"', public;
    ALTER ROLE ${group} IN DATABASE reports SET work_mem = '9MB';
    ALTER ROLE ${group} SET app.note = 'it''s; DROP TABLE x';
    CREATE TABLE ${group}.docs AS SELECT v AS id, CASE v WHEN 3 THEN 'stranger' ELSE '${group}' END AS tenant
      FROM generate_series(1, 3) AS v;
    GRANT SELECT ON ${group}.docs TO ${group};
    ALTER TABLE ${group}.docs ENABLE ROW LEVEL SECURITY;
    CREATE POLICY mine ON ${group}.docs FOR SELECT TO ${group} USING (tenant = current_user);
    GRANT USAGE ON SCHEMA ${group} TO ${group};
    CREATE ROLE reader_${group};
    ALTER DEFAULT PRIVILEGES FOR ROLE ${group} IN SCHEMA ${group} GRANT SELECT ON TABLES TO reader_${group}`);
  const { host, port, user, password } = world.server;
  dba = await connectPg(
    { host, port, database },
    { username: user, password, applicationName: "rekey/probe/dba" },
    call(),
  );
  return () => dba.end();
});

/** Everything in the catalogs that an adoption could leave behind, roles by name. */
async function snapshot(): Promise<unknown> {
  const parts = {
    roles: `SELECT rolname, rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin, rolreplication, rolbypassrls,
              rolconnlimit, rolvaliduntil, rolpassword, shobj_description(oid, 'pg_authid') AS comment FROM pg_authid ORDER BY 1`,
    members: `SELECT roleid::regrole::text AS role, member::regrole::text AS member, grantor::regrole::text AS grantor,
                admin_option, inherit_option, set_option FROM pg_auth_members ORDER BY 1, 2, 3`,
    settings: `SELECT setdatabase, setrole::regrole::text AS role, setconfig FROM pg_db_role_setting ORDER BY 1, 2`,
    owners: `SELECT oid::regclass::text AS name, relowner::regrole::text AS owner, relacl::text FROM pg_class
             WHERE relnamespace::regnamespace::text LIKE 'orders%' ORDER BY 1`,
    defaults: "SELECT defaclrole::regrole::text AS role, defaclacl::text FROM pg_default_acl ORDER BY 1, 2",
    policies: "SELECT tablename, policyname, roles::text, qual FROM pg_policies ORDER BY 1, 2",
    managed: "SELECT * FROM rekey.managed ORDER BY 1",
    former: "SELECT * FROM rekey.former ORDER BY 1",
    made: "SELECT * FROM rekey.made ORDER BY 1",
  };
  const taken: Record<string, unknown> = {};
  for (const [name, sql] of Object.entries(parts)) taken[name] = (await world.superuser.query(sql)).rows;
  return taken;
}

/** What a session may see and what becomes of what it makes. */
async function behaviour(client: pg.Client, table: string): Promise<unknown> {
  await client.query(`CREATE TABLE ${group}.${table} (id int)`);
  const { rows } = await client.query(
    `SELECT current_user AS acting, (SELECT count(*)::int FROM ${group}.docs) AS visible,
            (SELECT relowner::regrole::text FROM pg_class WHERE relname = $1) AS owner,
            has_table_privilege('reader_${group}', '${group}.' || $1, 'SELECT') AS readable,
            current_schemas(false)::text AS schemas, current_setting('statement_timeout') AS timeout,
            current_setting('app.note') AS note, current_setting('search_path') AS path`,
    [table],
  );
  await client.query(`DROP TABLE ${group}.${table}`);
  return rows[0];
}

describe("adoption", () => {
  it("plans every step in words, with its undo, from a server where nothing was done", async () => {
    const plan = planAdoption(await readAdoption(dba, pair, call()), pair);
    expect(plan.findings).toEqual([]);
    expect(plan.steps.map(({ id, done }) => [id, done])).toEqual(
      ["logins", "settings", "membership", "act-as-group", "register", "move", "former-off"].map((id) => [
        id,
        false,
      ]),
    );
    for (const step of plan.steps) {
      expect(step.sentence).toMatch(/^[A-Z].*\.$/s);
      expect(step.undoSentence).toMatch(/^[A-Z].*\.$/s);
      expect(step.run !== "").toBe(step.by === "administrator");
      expect(step.undo !== "").toBe(step.by === "administrator");
    }
  });

  it("H14: the pair sees, owns and is granted what the former login was, row security and settings included", async () => {
    const former = await world.login(group, `former-${group}`);
    const before = await behaviour(former, "probe");
    expect(before).toMatchObject({ acting: group, visible: 2, owner: group, readable: true });
    const ran = await runAdoption(dba, pair, call());
    expect(ran.map(({ id }) => id)).toEqual(["logins", "settings", "membership", "act-as-group", "register"]);
    // In use all the while: the open session, and new ones.
    expect(await behaviour(former, "probe")).toEqual(before);
    const again = await world.login(group, `former-${group}`);
    expect(await behaviour(again, "probe")).toEqual(before);

    const issuer = world.issuer(account);
    const document = issuer.generate(a);
    await issuer.enable(changeOf(a, null, tag("v1", 1)), document, call());
    expect((await issuer.prove(a, document, call())).filter((proof) => !proof.ok)).toEqual([]);
    const member = await world.login(a, passwordOf(document));
    expect(await behaviour(member, "probe")).toEqual(before);
    const { rows } = await world.superuser.query(
      `SELECT rolname, rolconnlimit, rolcreatedb, rolvaliduntil = '2099-01-01' AS until,
              (SELECT count(*)::int FROM pg_db_role_setting s WHERE s.setrole = r.oid) AS settings
       FROM pg_roles r WHERE rolname = ANY ($1) ORDER BY 1`,
      [[...account.logins]],
    );
    for (const row of rows)
      expect(row).toMatchObject({ rolconnlimit: 40, rolcreatedb: true, until: true, settings: 2 });
    expect(rows).toHaveLength(3);
    await Promise.all([former, again, member].map((client) => client.end()));
    await issuer.close();
  });

  it("H14: going back leaves the catalogs exactly as they were", async () => {
    const before = await snapshot();
    await runAdoption(dba, pair, call());
    expect(await snapshot()).not.toEqual(before);
    const undone = await undoAdoption(dba, pair, call());
    expect(undone.map(({ id }) => id)).toEqual([
      "register",
      "act-as-group",
      "membership",
      "settings",
      "logins",
    ]);
    expect(await snapshot()).toEqual(before);
    // Once more from the end: everything was done by then, and a rotation has been there.
    await runAdoption(dba, pair, call());
    const issuer = world.issuer(account);
    const document = issuer.generate(a);
    await issuer.enable(changeOf(a, null, tag("v1", 1)), document, call());
    await runAdoption(dba, pair, call());
    expect(adoptionStatus(await readAdoption(dba, pair, call()), pair)).toMatchObject({
      adopted: true,
      next: null,
    });
    await expect(world.login(group, `former-${group}`)).rejects.toMatchObject({ code: "28P01" });
    expect(await codeOf(undoAdoption(dba, pair, call()))).toBe("refused-by-policy");
    await (await world.login(group, `former-${group}`)).end();
    await issuer.disable(changeOf(a, tag("v1", 1), tag("v1", 2, { state: "disabled" })), call());
    await undoAdoption(dba, pair, call());
    expect(await snapshot()).toEqual(before);
    await issuer.close();
  });

  it("H36: a role that was there before is neither taken for a login of the pair nor dropped by going back", async () => {
    const [, , c = ""] = account.logins;
    await world.superuser.query(
      `CREATE ROLE ${c} NOLOGIN CREATEDB; ALTER ROLE ${c} SET work_mem = '9MB'; COMMENT ON ROLE ${c} IS 'for the night shift'`,
    );
    const before = await snapshot();
    const { findings } = planAdoption(await readAdoption(dba, pair, call()), pair);
    expect(findings).toMatchObject([{ code: "postgres-name-taken", subject: c }]);
    expect(await codeOf(runAdoption(dba, pair, call()))).toBe("refused-by-policy");
    expect(await undoAdoption(dba, pair, call())).toEqual([]);
    expect(await snapshot()).toEqual(before);
    // Adopted without it; then somebody makes a role of a name that the adoption had made.
    const two = { group, logins: [a, b] };
    await runAdoption(dba, two, call());
    await world.superuser.query(
      `DELETE FROM rekey.managed WHERE login = '${b}'; DROP ROLE ${b}; CREATE ROLE ${b} NOLOGIN; ALTER ROLE ${b} SET work_mem = '8MB'`,
    );
    await undoAdoption(dba, two, call());
    const { rows } = await world.superuser.query(
      `SELECT r.rolname, s.setconfig FROM pg_roles r LEFT JOIN pg_db_role_setting s ON s.setrole = r.oid
       WHERE r.rolname = ANY ($1) ORDER BY 1`,
      [[a, b, c]],
    );
    expect(rows).toEqual([
      { rolname: b, setconfig: ["work_mem=8MB"] },
      { rolname: c, setconfig: ["work_mem=9MB"] },
    ]);
  });

  it("each undo of the pair's set-up is refused while somebody uses the pair", async () => {
    await runAdoption(dba, pair, call());
    const issuer = world.issuer(account);
    await issuer.enable(changeOf(a, null, tag("v1", 1)), issuer.generate(a), call());
    const { steps } = planAdoption(await readAdoption(dba, pair, call()), pair);
    const before = await snapshot();
    for (const { id, undo, by } of steps) {
      if (by === "engine" || id === "former-off") continue;
      const tried = dba.script(`BEGIN;\n${undo}\nCOMMIT;`, call());
      expect([id, await codeOf(tried)]).toEqual([id, "refused-by-policy"]);
      await dba.script("ROLLBACK;", call());
    }
    expect(await snapshot()).toEqual(before);
    await issuer.close();
  });

  it("switches the former login off only when nobody is connected and the pair is on", async () => {
    await runAdoption(dba, pair, call());
    const status = () => readAdoption(dba, pair, call()).then((view) => adoptionStatus(view, pair));
    expect(await status()).toMatchObject({ next: "move", adopted: false });
    const last = planAdoption(await readAdoption(dba, pair, call()), pair).steps.at(-1);
    expect(await codeOf(dba.script(last?.run ?? "", call()))).toBe("refused-by-policy");
    const issuer = world.issuer(account);
    await issuer.enable(changeOf(a, null, tag("v1", 1)), issuer.generate(a), call());
    const former = await world.login(group, `former-${group}`);
    expect(await codeOf(dba.script(last?.run ?? "", call()))).toBe("conflict");
    expect(await runAdoption(dba, pair, call())).toEqual([]);
    await former.end();
    await expect.poll(async () => (await status()).next).toBe("former-off");
    expect((await runAdoption(dba, pair, call())).map(({ id }) => id)).toEqual(["former-off"]);
    expect(await status()).toMatchObject({ adopted: true });
    expect(await runAdoption(dba, pair, call())).toEqual([]);
    await issuer.close();
  });

  it("the former login is a slot until it is gone, so that the first rotation can leave it and return to it", async () => {
    await runAdoption(dba, pair, call());
    const issuer = world.issuer(account);
    const present = { username: new Secret(group), password: new Secret(`former-${group}`) };
    expect(issuer.slotOf(present)).toBe(group);
    expect((await issuer.prove(group, present, call())).every((proof) => proof.ok)).toBe(true);
    const shown = async () => (await issuer.survey(call())).slots.find(({ slot }) => slot === group);
    // The comment of the team stands where the tag will.
    expect(await shown()).toEqual({ slot: group, tag: "owned by team orders", enabled: true });
    const off = tag("v0", 2, { state: "disabled" });
    const first = { ...changeOf(group, null, off), expect: "owned by team orders" };
    await issuer.enable(changeOf(b, null, tag("v1", 1)), issuer.generate(b), call());
    await issuer.disable(first, call());
    expect(await shown()).toEqual({ slot: group, tag: formatTag(off), enabled: false });
    expect((await issuer.proveRefused(group, present, call())).every((proof) => proof.ok)).toBe(true);
    // H12: its password was overwritten, so switching it on again needs the stored value, which only Rekey has.
    expect(await codeOf(undoAdoption(dba, pair, call()))).toBe("refused-by-policy");
    expect((await shown())?.enabled).toBe(false);
    await issuer.enable(changeOf(group, off, tag("v0", 3)), present, call());
    expect((await issuer.prove(group, present, call())).every((proof) => proof.ok)).toBe(true);
    await issuer.disable(changeOf(group, tag("v0", 3), tag("v0", 4, { state: "disabled" })), call());
    await issuer.destroy(
      changeOf(group, tag("v0", 4, { state: "disabled" }), tag("v0", 5, { state: "destroyed" })),
      call(),
    );
    expect(await shown()).toBeUndefined();
    await issuer.close();
  });

  it("refuses a superuser, a missing login, a name that is somebody's, and a server without the SQL", async () => {
    const codes = async (other: PairNames) =>
      planAdoption(await readAdoption(dba, other, call()), other).findings.map(({ code }) => code);
    expect(await codes({ ...pair, group: "postgres" })).toEqual(["postgres-former-superuser"]);
    expect(await codes({ ...pair, group: "nobody" })).toEqual(["postgres-former-missing"]);
    expect(await codes({ ...pair, logins: [a, world.engine.username] })).toEqual(["postgres-name-taken"]);
    expect(await codeOf(runAdoption(dba, { ...pair, group: "postgres" }, call()))).toBe("refused-by-policy");
    const { host, port, user, password } = world.server;
    const elsewhere = await connectPg(
      { host, port, database: "reports" },
      { username: user, password, applicationName: "rekey/probe/dba" },
      call(),
    );
    expect((await readAdoption(elsewhere, pair, call())).installed).toBe(false);
    await elsewhere.end();
  });
});
