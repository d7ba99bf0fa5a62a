/** Old releases with faults of their own, on the real servers: what they do, and that it is found. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { PostgresAccount } from "../../../adapters/issuers/postgres/config.js";
import type { Issuer, SecretDocument } from "../../../adapters/ports.js";
import type { Finding } from "../../../domain/finding.js";
import { type OldRelease, oldPostgres } from "../../../worker/dev/old-postgres.js";
import { startPostgres } from "../../../worker/dev/postgres.js";
import { type PostgresWorld, worldOn } from "./postgres-world.js";
import { call, changeOf, codeOf, passwordOf, tag } from "./world.js";

const worlds = new Map<OldRelease, PostgresWorld>();
let logs: string;

beforeAll(async () => {
  const programs = await oldPostgres();
  logs = await mkdtemp(join(tmpdir(), "rekey-releases-"));
  const starting = (["17.1", "17.0", "15.9"] as const).map(async (release) => {
    const server = await startPostgres({
      programs: programs[release],
      // A worker of autovacuum that just starts has no row either.
      config: ["log_connections = on", "autovacuum = off"],
      logFile: join(logs, release),
    });
    worlds.set(release, await worldOn(server));
  });
  await Promise.all(starting);
});
afterAll(async () => {
  await Promise.all([...worlds.values()].map((world) => world.stop()));
  await rm(logs, { recursive: true, force: true });
});

interface Enabled {
  readonly world: PostgresWorld;
  readonly account: PostgresAccount;
  readonly issuer: Issuer;
  /** The login that was switched on. */
  readonly a: string;
  readonly document: SecretDocument;
}

const on = tag("v1", 1);
const off = tag("v1", 2, { state: "disabled" });

/** A fresh account on a server of that release, with its first login switched on. */
async function enabledAt(release: OldRelease): Promise<Enabled> {
  const world = worlds.get(release);
  if (world === undefined) throw new Error(`no server of ${release}`);
  const shown = (await world.superuser.query("SHOW server_version")).rows;
  expect(shown).toEqual([{ server_version: release }]);
  const account = await world.account();
  const [a = ""] = account.logins;
  const issuer = world.issuer(account);
  const document = issuer.generate(a);
  await issuer.enable(changeOf(a, null, on), document, call());
  return { world, account, issuer, a, document };
}

async function refusals(issuer: Issuer): Promise<Finding[]> {
  return (await issuer.preflight(call())).filter(({ severity }) => severity === "refuse");
}

/** As whom a session acts. */
async function acting(session: pg.Client): Promise<string> {
  return (await session.query("SELECT current_user AS who")).rows[0]?.who;
}

describe("ALTER ROLE ... SET role", () => {
  it.each(["17.1", "15.9"] as const)(
    "H13: %s ignores it at login and is refused by name",
    async (release) => {
      const { world, account, issuer, a, document } = await enabledAt(release);
      const session = await world.login(a, passwordOf(document));
      expect(await acting(session)).toBe(a);
      // Nothing but the release is in the way: the setting is stored, and the login may act as the group.
      const stored =
        "SELECT setconfig FROM pg_db_role_setting WHERE setrole = $1::regrole AND setdatabase = 0";
      expect((await world.superuser.query(stored, [a])).rows).toEqual([
        { setconfig: [expect.stringContaining(`role=${account.group}`)] },
      ]);
      await session.query(`SET ROLE ${account.group}`);
      expect(await acting(session)).toBe(account.group);
      await session.end();

      expect(await refusals(issuer)).toMatchObject([
        {
          code: "postgres-version-ignores-role",
          subject: `127.0.0.1:${world.server.port}`,
          sentence: expect.stringContaining(`PostgreSQL ${release} ignores`),
        },
      ]);
      expect(await issuer.prove(a, document, call())).toMatchObject([
        { ok: false, sentence: `after login ${a} acts as ${a} and not as ${account.group}` },
      ]);
      await issuer.close();
    },
  );

  it("H13: 17.0 forgets it at DISCARD ALL, which the refusal and the proof both say", async () => {
    const { world, account, issuer, a, document } = await enabledAt("17.0");
    const session = await world.login(a, passwordOf(document));
    expect(await acting(session)).toBe(account.group);
    await session.query("DISCARD ALL");
    expect(await acting(session)).toBe(a);
    await session.end();

    expect(await refusals(issuer)).toMatchObject([
      {
        code: "postgres-version-forgets-role",
        sentence: expect.stringMatching(/^PostgreSQL 17\.0 drops .* at DISCARD ALL/),
      },
    ]);
    expect(await issuer.prove(a, document, call())).toMatchObject([
      { ok: false, sentence: `after DISCARD ALL ${a} acts as ${a} and not as ${account.group}` },
    ]);
    await issuer.close();
  });
});

describe("a session that hides where the server lists nobody without a name", () => {
  /** Backends that hold a lock and have no row; on 17 and older, the only trace of one that hides. */
  const unlisted =
    "SELECT pid FROM pg_locks WHERE locktype = 'virtualxid' AND pid NOT IN (SELECT pid FROM pg_stat_activity)";

  /** Passes the login check and then hides for `seconds`. Resolves once it hides. */
  async function hide({ world, a, document }: Enabled, seconds: number) {
    const options = `-c post_auth_delay=${seconds}`;
    const coming = world.login(a, passwordOf(document), { options }).catch((error: Error) => error);
    const log = () => readFile(join(logs, "17.0"), "utf8");
    await expect.poll(log).toContain(`connection authorized: user=${a} `);
    const listed =
      "SELECT FROM pg_stat_activity WHERE backend_type = 'client backend' AND (usename = $1 OR usesysid IS NULL)";
    expect((await world.superuser.query(listed, [a])).rowCount).toBe(0);
    expect((await world.superuser.query(unlisted)).rowCount).toBe(1);
    return { coming };
  }

  async function authenticationTimeout({ superuser }: PostgresWorld, value: string): Promise<void> {
    await superuser.query(`ALTER SYSTEM SET authentication_timeout = '${value}'`);
    await superuser.query("SELECT pg_reload_conf()");
    const shown = async () => (await superuser.query("SHOW authentication_timeout")).rows[0];
    await expect.poll(shown).toEqual({ authentication_timeout: value });
  }

  /** Either the login failed, or it came up and the session is dead by now. */
  async function expectDead(coming: Promise<pg.Client | Error>): Promise<void> {
    const client = await coming;
    if (!(client instanceof Error)) await expect(client.query("SELECT 1")).rejects.toThrow();
  }

  it("H4: 17.0 has no row for it, and the disable is done only when it was found and is gone", async () => {
    const enabled = await enabledAt("17.0");
    const { world, issuer, a, document } = enabled;
    const { coming } = await hide(enabled, 600);
    expect((await issuer.survey(call())).sessions).toMatchObject([{ slot: null, count: 1 }]);
    expect(await codeOf(issuer.disable(changeOf(a, on, off), call(1_000)))).toBe("unreachable");
    expect((await world.superuser.query(unlisted)).rowCount).toBe(1);

    await authenticationTimeout(world, "3s");
    expect(await issuer.disable(changeOf(a, on, off), call())).toBe("already");
    expect((await world.superuser.query(unlisted)).rowCount).toBe(0);
    await expectDead(coming);
    await authenticationTimeout(world, "1min");
    expect((await issuer.survey(call())).sessions).toEqual([]);
    expect(await issuer.proveRefused(a, document, call())).toMatchObject([{ ok: true }]);
    await issuer.close();
  });

  it("H4: on 17.0 one that surfaces while it is waited for is ended as what it is", async () => {
    const enabled = await enabledAt("17.0");
    const { issuer, a } = enabled;
    const { coming } = await hide(enabled, 5);
    expect(await issuer.disable(changeOf(a, on, off), call())).toBe("applied");
    await expectDead(coming);
    expect((await issuer.survey(call())).sessions).toEqual([]);
    await issuer.close();
  });
});

describe("an engine with CREATEROLE", () => {
  /** Gives the engine CREATEROLE and lets it try to run programs as the server. */
  async function tried({ world, issuer }: Enabled) {
    await world.superuser.query("ALTER ROLE rekey_a CREATEROLE");
    const engine = await world.login(world.engine.username, world.engine.password);
    const outcome = await engine
      .query("GRANT pg_execute_server_program TO rekey_a")
      .then(() =>
        engine.query("CREATE TEMP TABLE said (line text); COPY said FROM PROGRAM 'echo from the shell'"),
      )
      .then(async () => (await engine.query("SELECT line FROM said")).rows[0]?.line)
      .catch((error: { code?: string }) => error.code);
    const findings = (await issuer.preflight(call())).filter(({ code }) => code.includes("createrole"));
    await engine.end();
    await world.superuser.query("ALTER ROLE rekey_a NOCREATEROLE");
    return { outcome, findings };
  }

  it("H15: on 15 it runs programs as the server, and is refused", async () => {
    const enabled = await enabledAt("15.9");
    const { outcome, findings } = await tried(enabled);
    expect(outcome).toBe("from the shell");
    expect(findings).toMatchObject([
      { code: "postgres-engine-createrole", severity: "refuse", subject: "rekey_a" },
    ]);
    await enabled.issuer.close();
  });

  it("H15: from 16 on it cannot, and is warned of", async () => {
    const enabled = await enabledAt("17.0");
    const { outcome, findings } = await tried(enabled);
    expect(outcome).toBe("42501");
    expect(findings).toMatchObject([{ code: "postgres-engine-createrole", severity: "warn" }]);
    await enabled.issuer.close();
  });
});
