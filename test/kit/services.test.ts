/** The three example services, each a process of its own, against a real PostgreSQL and under load while their credential changes. */
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { httpAttest } from "../../adapters/consumers/http-attest.js";
import { Secret } from "../../domain/secret.js";
import { postgresServer, type SharedPostgres, vaultServer } from "../setup/servers.js";
import { formsOf } from "../support/canaries.js";
import { attestKey, calling, type TestEngine, testEngine } from "../support/engine.js";
import { type Compiled, compile, type Started } from "../support/programs.js";

const mark = randomBytes(4).toString("hex");
const database = `kit_${mark}`;
const services = ["poll-service", "sighup-service", "pool-service"] as const;
type Name = (typeof services)[number];

/** Two logins of one group, as the engine keeps them. */
const versions = {
  v1: { username: `a_${mark}`, password: `canary-${randomBytes(9).toString("hex")}`, key: attestKey() },
  v2: { username: `b_${mark}`, password: `canary-${randomBytes(9).toString("hex")}`, key: attestKey() },
};
type Version = keyof typeof versions;

interface Ready {
  readonly port: number;
  readonly attestUrl: string;
  readonly instance: string;
  readonly pid: number;
}

let postgres: SharedPostgres;
let engine: TestEngine;
let compiled: Compiled;
let folder: string;
let file: string;
const running = {} as Record<Name, Started<Ready>>;

async function sql(text: string, where = "postgres"): Promise<void> {
  const client = new pg.Client({ connectionString: postgres.url(where).reveal() });
  await client.connect();
  await client.query(text).finally(() => client.end());
}

function documentOf(version: Version): string {
  const { username, password, key } = versions[version];
  return JSON.stringify({ username, password, rekey_version: version, rekey_attest_key: key });
}

async function put(version: Version): Promise<void> {
  await writeFile(`${file}.next`, documentOf(version), { mode: 0o400 });
  await rename(`${file}.next`, file);
}

function environment(name: Name, more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  return {
    SERVICE: name,
    CREDENTIAL: "orders-db",
    STORE_FILE: file,
    PGPORT: String(postgres.port),
    PGDATABASE: database,
    ENGINE_JWK: JSON.stringify(engine.publicKey),
    POLL_MS: "100",
    PID_FILE: join(folder, `${name}.pid`),
    WORK_SQL:
      "insert into visits (service) values (current_setting('application_name')) returning session_user as login",
    ...more,
  };
}

async function get(name: Name, path: string): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(`http://${running[name].ready.instance}${path}`);
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

function hangUp(): void {
  process.kill(running["sighup-service"].ready.pid, "SIGHUP");
}

async function allOn(version: Version, names: readonly Name[] = services): Promise<void> {
  for (const name of names)
    await expect.poll(async () => (await get(name, "/stats")).body).toMatchObject({ version });
}

/** Asks each service 50 times a second until stopped. Counts by login, and all that was not a success. */
function load() {
  const logins = Object.fromEntries(services.map((name) => [name, new Set<string>()]));
  const failures: unknown[] = [];
  const pending = new Set<Promise<void>>();
  let answered = 0;
  const ask = async (name: Name) => {
    const { status, body } = await get(name, "/work").catch((error: Error) => ({
      status: 0,
      body: { error: error.message } as Record<string, unknown>,
    }));
    if (status !== 200) failures.push({ name, status, body });
    else logins[name]?.add(String(body.login));
    answered++;
  };
  const timer = setInterval(() => {
    for (const name of services) {
      const one = ask(name).finally(() => pending.delete(one));
      pending.add(one);
    }
  }, 20);
  return {
    /** Until so many more have been answered, however long this machine takes for them. */
    more: async (count: number) => {
      const enough = answered + count;
      await expect.poll(() => answered).toBeGreaterThanOrEqual(enough);
    },
    stop: async () => {
      clearInterval(timer);
      await Promise.all(pending);
      return { failures, logins };
    },
  };
}

/** Until a statement like that runs in the services' database. */
async function untilRuns(like: string): Promise<void> {
  const client = new pg.Client({ connectionString: postgres.url(database).reveal() });
  await client.connect();
  const running =
    "select 1 from pg_stat_activity where datname = $1 and state = 'active' and pid <> pg_backend_pid() and query like $2";
  try {
    await expect.poll(async () => (await client.query(running, [database, like])).rowCount).toBe(1);
  } finally {
    await client.end();
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

beforeAll(async () => {
  postgres = await postgresServer();
  engine = await testEngine();
  compiled = await compile(services.map((name) => `examples/services/${name}`));
  folder = await mkdtemp(join(tmpdir(), "rekey-test-"));
  file = join(folder, "orders.json");
  await sql(`create database ${database}`);
  await sql(`create role g_${mark} nologin`);
  for (const { username, password } of Object.values(versions)) {
    await sql(`create role ${username} login password '${password}' in role g_${mark}`);
  }
  await sql("create table visits (service text not null, at timestamptz default now())", database);
  await sql(`grant insert, select on visits to g_${mark}`, database);
  await put("v1");
  for (const name of services) {
    running[name] = await compiled.start<Ready>(`examples/services/${name}`, environment(name));
  }
});

afterAll(async () => {
  await compiled?.close();
  await sql(`drop database if exists ${database} with (force)`);
  for (const { username } of Object.values(versions)) await sql(`drop role if exists ${username}`);
  await sql(`drop role if exists g_${mark}`);
  await rm(folder, { recursive: true, force: true });
});

test("I1: no request fails while three services at 50 a second each go over to the new login and back", async () => {
  const { more, stop } = load();
  await more(75);
  for (const version of ["v2", "v1", "v2", "v1"] as const) {
    await put(version);
    hangUp();
    await allOn(version);
    await more(45);
  }
  const { failures, logins } = await stop();
  expect(failures).toEqual([]);
  for (const name of services) {
    expect(logins[name]).toEqual(new Set([versions.v1.username, versions.v2.username]));
    const { body } = await get(name, "/stats");
    expect(body).toMatchObject({ failed: 0, changes: 4, troubles: 0, working: true, refusing: false });
  }
});

test("each attests to what it holds, and nobody is left on the old login once the pool is swapped", async () => {
  const urls = services.map((name) => `http://${running[name].ready.instance}`);
  expect(running["poll-service"].ready.attestUrl).toBe(`${urls[0]}/rekey/attest`);
  const candidates = Object.entries(versions).map(([version, { key }]) => ({
    version,
    slot: version,
    attestKey: new Secret(key),
  }));
  for (const [index, name] of services.entries()) {
    const consumer = httpAttest.create(httpAttest.config.parse({ instances: [urls[index]] }), engine.deps);
    const names = { credential: "orders-db", consumer: name };
    const request = { installation: "test", ...names, rotation: "r1", candidates, confirmations: [] };
    await put("v2");
    await consumer.deliver?.({ ...names, version: "v2" }, calling());
    expect((await get(name, "/work")).body).toMatchObject({ ok: true, login: versions.v2.username });
    expect(await consumer.observe(request, calling())).toMatchObject([{ version: "v2", working: true }]);
  }
  const client = new pg.Client({ connectionString: postgres.url(database).reveal() });
  await client.connect();
  try {
    const held = "select application_name from pg_stat_activity where usename = $1";
    await expect.poll(async () => (await client.query(held, [versions.v1.username])).rows).toEqual([]);
    const pooled = "select distinct application_name as name from pg_stat_activity where usename = $1";
    expect((await client.query(pooled, [versions.v2.username])).rows).toContainEqual({
      name: "pool-service",
    });
  } finally {
    await client.end();
  }
});

test("a service that is told not to move stays on the old login, works, and moves when it may", async () => {
  const name = "pool-service";
  const refuse = (on: boolean) =>
    fetch(`http://${running[name].ready.instance}/demo/refuse`, {
      method: "POST",
      body: JSON.stringify({ on }),
    });
  await refuse(true);
  await put("v1");
  hangUp();
  await allOn("v1", ["poll-service", "sighup-service"]);
  await pause(300);
  expect((await get(name, "/stats")).body).toMatchObject({ version: "v2", refusing: true });
  expect((await get(name, "/work")).body).toMatchObject({ ok: true, login: versions.v2.username });
  await refuse(false);
  await allOn("v1");

  const stubborn = await compiled.start<Ready>(
    `examples/services/${name}`,
    environment(name, { REFUSE_TO_MOVE: "1" }),
  );
  const stats = await fetch(`http://${stubborn.ready.instance}/stats`);
  expect(await stats.json()).toMatchObject({ version: "v1", refusing: true });
  await stubborn.stop();
});

test("a password that changed between the read and the connection costs no request", async () => {
  const changed = `canary-${randomBytes(9).toString("hex")}`;
  await sql(`alter role ${versions.v1.username} password '${changed}'`);
  versions.v1.password = changed;
  // The file is new, and the service on SIGHUP was not told.
  await put("v1");
  expect(await get("sighup-service", "/work")).toMatchObject({ status: 200, body: { ok: true } });
});

test("I6: nothing that they print or answer holds a value", async () => {
  const texts = services.flatMap((name) => running[name].output);
  for (const name of services) {
    for (const path of ["/stats", "/healthz", "/work", "/nowhere"]) {
      texts.push(JSON.stringify((await get(name, path)).body));
    }
  }
  for (const { password, key } of Object.values(versions)) {
    for (const form of [...formsOf(password), ...formsOf(key)]) expect(texts.join("\n")).not.toContain(form);
  }
});

test("with Vault as their store they do the same", async () => {
  const vault = await vaultServer();
  const path = `services-${mark}`;
  const write = async (version: Version) => {
    const response = await fetch(`${vault.address}/v1/secret/data/${path}`, {
      method: "POST",
      headers: { "x-vault-token": vault.token.reveal() },
      body: `{"data":${documentOf(version)}}`,
    });
    expect(response.status).toBe(200);
  };
  await write("v1");
  const { STORE_FILE: _, ...rest } = environment("poll-service");
  const where = { VAULT_ADDR: vault.address, VAULT_TOKEN: vault.token.reveal(), VAULT_PATH: path };
  const service = await compiled.start<Ready>("examples/services/poll-service", { ...rest, ...where });
  const login = async () => {
    const response = await fetch(`http://${service.ready.instance}/work`);
    return ((await response.json()) as { login: string }).login;
  };
  expect(await login()).toBe(versions.v1.username);
  await write("v2");
  await expect.poll(login).toBe(versions.v2.username);
  expect(await service.stop()).toBe(0);
});

test("they end cleanly: at SIGTERM with what runs finished, and when whoever started them is gone", async () => {
  const slow = await compiled.start<Ready>(
    "examples/services/pool-service",
    environment("pool-service", { WORK_SQL: "select session_user as login from pg_sleep(2)" }),
  );
  const inFlight = fetch(`http://${slow.ready.instance}/work`);
  await untilRuns("%pg_sleep(2)%");
  const code = slow.stop();
  expect((await inFlight).status).toBe(200);
  const answeredAt = Date.now();
  expect(await code).toBe(0);
  // Sooner than a connection that is kept open and idle would let it.
  expect(Date.now() - answeredAt).toBeLessThan(4_000);
  const pidFile = join(folder, "sighup-service.pid");
  expect(await readFile(pidFile, "utf8")).toBe(`${running["sighup-service"].ready.pid}\n`);
  expect(await running["sighup-service"].stop()).toBe(0);
  await expect(readFile(pidFile)).rejects.toMatchObject({ code: "ENOENT" });

  // A parent that is killed outright cannot tell its children.
  const parent = spawn(process.execPath, ["-e", parentProgram(running["poll-service"].child)], {
    env: { PATH: process.env.PATH, ...environment("poll-service") },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const line = await new Promise<string>((resolve) =>
    parent.stdout.once("data", (chunk: Buffer) => resolve(chunk.toString())),
  );
  const orphan = (JSON.parse(line) as Ready).pid;
  parent.kill("SIGKILL");
  await expect.poll(() => isRunning(orphan)).toBe(false);
});

/** A program that starts the same service as `child` runs, and passes its first line on. */
function parentProgram(child: ChildProcess): string {
  const args = JSON.stringify(child.spawnargs.slice(1));
  return `
    const child = require("node:child_process").spawn(process.execPath, ${args});
    child.stdout.once("data", (chunk) => process.stdout.write(chunk));
    setInterval(() => {}, 1000);`;
}
