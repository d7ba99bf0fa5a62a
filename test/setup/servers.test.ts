/**
 * The development servers are the ground that every other test stands on: they must really be ready when we
 * say so, carry the settings that we promise, and be gone when they are stopped.
 */

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client, Connection } from "@temporalio/client";
import pg from "pg";
import { afterEach, expect, test } from "vitest";
import { findBinary } from "../../worker/dev/binaries.js";
import { startChild } from "../../worker/dev/child.js";
import { temporalPin, vaultPin } from "../../worker/dev/pins.js";
import { accepts } from "../../worker/dev/ports.js";
import { startPostgres } from "../../worker/dev/postgres.js";
import { reachable } from "../../worker/dev/postgres-binaries.js";
import { startTemporal } from "../../worker/dev/temporal-server.js";
import { startVault } from "../../worker/dev/vault-server.js";
import { postgresServer, temporalServer, vaultServer } from "./servers.js";

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function folder(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), "rekey-test-"));
  cleanups.push(() => rm(made, { recursive: true, force: true }));
  return made;
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function eventually(check: () => boolean): Promise<boolean> {
  for (let i = 0; i < 1000 && !check(); i++) await new Promise((resolve) => setTimeout(resolve, 50));
  return check();
}

async function query(connectionString: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: 60_000 });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

test("Temporal: namespace and search attributes answer at once, state outlives a restart, stop leaves nothing", async () => {
  const program = await findBinary(temporalPin);
  const dbFile = join(await folder(), "temporal.db");
  const first = await startTemporal({ program, dbFile });
  cleanups.push(() => first.stop());
  const connection = await Connection.connect({ address: first.address });
  const client = new Client({ connection, namespace: first.namespace });
  await client.workflow.start("nobodyRunsThis", { taskQueue: "none", workflowId: "kept" });
  const { customAttributes } = await connection.operatorService.listSearchAttributes({
    namespace: first.namespace,
  });
  expect(Object.keys(customAttributes ?? {})).toEqual(
    expect.arrayContaining(["RekeyPhase", "RekeyEmergency"]),
  );
  await connection.close();
  await first.stop();
  expect(alive(first.pid)).toBe(false);

  const second = await startTemporal({ program, dbFile });
  cleanups.push(() => second.stop());
  const again = await Connection.connect({ address: second.address });
  cleanups.push(() => again.close());
  const handle = new Client({ connection: again, namespace: second.namespace }).workflow.getHandle("kept");
  expect((await handle.describe()).status.name).toBe("RUNNING");
});

test("PostgreSQL: SCRAM with a random password, settings as asked, temporary data gone after stop", async () => {
  const server = await startPostgres({ config: ["wal_level = logical", "log_line_prefix = '%p '"] });
  cleanups.push(() => server.stop());
  expect(await query(server.url().reveal(), "SHOW wal_level")).toEqual([{ wal_level: "logical" }]);
  expect(await query(server.url().reveal(), "SELECT system_user AS s")).toEqual([
    { s: "scram-sha-256:postgres" },
  ]);
  const wrong = server.url().reveal().replace(server.password.reveal(), "wrong");
  await expect(query(wrong, "SELECT 1")).rejects.toMatchObject({ code: "28P01" });
  await server.stop();
  expect(alive(server.pid)).toBe(false);
  expect(existsSync(server.dataDir)).toBe(false);
});

test("PostgreSQL: a kept folder keeps data and password; two servers run side by side", async () => {
  const kept = await folder();
  // Where root starts it, another user runs it and has to get in.
  await chmod(kept, 0o755);
  const first = await startPostgres({ folder: join(kept, "pg") });
  cleanups.push(() => first.stop());
  const other = await startPostgres();
  cleanups.push(() => other.stop());
  expect(other.port).not.toBe(first.port);
  expect(other.password.equals(first.password)).toBe(false);
  await query(first.url().reveal(), "CREATE DATABASE kept");
  await first.stop();
  const second = await startPostgres({ folder: join(kept, "pg") });
  cleanups.push(() => second.stop());
  expect(second.password.equals(first.password)).toBe(true);
  expect(second.dataDir).toBe(join(kept, "pg", "data"));
  expect(await query(second.url("kept").reveal(), "SELECT 1 AS one")).toEqual([{ one: 1 }]);
});

test("PostgreSQL: a folder that its user cannot enter is noticed before the server is started", async () => {
  const closed = join(await folder(), "closed");
  await mkdir(join(closed, "inner"), { recursive: true });
  const { uid, gid } = await stat(closed);
  const [owner, group, other] = [
    { uid, gid: gid + 1 },
    { uid: uid + 1, gid },
    { uid: uid + 1, gid: gid + 1 },
  ] as const;
  await chmod(join(closed, ".."), 0o755);
  for (const [mode, expected] of [
    [0o755, [true, true, true]],
    [0o750, [true, true, false]],
    [0o700, [true, false, false]],
  ] as const) {
    await chmod(closed, mode);
    const path = join(closed, "inner", "postgres");
    const found = await Promise.all([owner, group, other].map((user) => reachable(path, user)));
    // The folder inside is open to all; only the one above it differs.
    expect(found).toEqual(expected);
  }
});

test("Vault: a random root token works, another is refused, stop leaves nothing", async () => {
  const server = await startVault(await findBinary(vaultPin));
  cleanups.push(() => server.stop());
  const write = (token: string): Promise<Response> =>
    fetch(`${server.address}/v1/secret/data/x`, {
      method: "POST",
      headers: { "X-Vault-Token": token },
      body: JSON.stringify({ data: { a: 1 } }),
    });
  expect((await write(server.token.reveal())).status).toBe(200);
  expect((await write("another")).status).toBe(403);
  await server.stop();
  expect(alive(server.pid)).toBe(false);
});

test("a server ends when its parent is killed, and its temporary folder goes too", async () => {
  const script = `
    import { startPostgres } from ${JSON.stringify(new URL("../../dist/worker/dev/postgres.js", import.meta.url))};
    const server = await startPostgres();
    process.stdout.write(server.pid + " " + server.dataDir + "\\n");
    setInterval(() => undefined, 1000);`;
  const parent = spawn(process.execPath, ["--input-type=module", "-e", script]);
  cleanups.push(async () => parent.kill("SIGKILL"));
  let line = "";
  parent.stdout.on("data", (chunk: Buffer) => {
    line += chunk.toString();
  });
  expect(await eventually(() => line.includes("\n"))).toBe(true);
  const [pid, dataDir] = line.trim().split(" ");
  expect(alive(Number(pid))).toBe(true);
  parent.kill("SIGKILL");
  expect(await eventually(() => !alive(Number(pid)))).toBe(true);
  expect(await eventually(() => !existsSync(dataDir ?? ""))).toBe(true);
});

test("a server that ends while starting, or is never ready, is an error and not left running", async () => {
  const base = { name: "the server", command: "sh", stopSignal: "SIGTERM" } as const;
  const ended = startChild({
    ...base,
    args: ["-c", "echo reason >&2; exit 1"],
    ready: () => false,
    readyMsMax: 30_000,
  });
  await expect(ended).rejects.toMatchObject({
    code: "missing-setup",
    message: "the server ended while starting: reason",
  });
  let pid = "";
  const late = startChild({
    ...base,
    args: ["-c", "echo $$; trap '' TERM; while :; do sleep 0.1; done"],
    ready: (output) => {
      pid = output.trim();
      return false;
    },
    // Time enough to say its number.
    readyMsMax: 3_000,
    stopMsMax: 300,
  });
  await expect(late).rejects.toMatchObject({
    code: "missing-setup",
    message: expect.stringContaining("not ready"),
  });
  expect(alive(Number(pid))).toBe(false);
});

test("the shared servers answer", async () => {
  const postgres = await postgresServer();
  expect(await query(postgres.url().reveal(), "SELECT 1 AS one")).toEqual([{ one: 1 }]);
  const temporal = await temporalServer();
  expect(await accepts(Number(temporal.address.split(":")[1]))).toBe(true);
  const vault = await vaultServer();
  expect((await fetch(`${vault.address}/v1/sys/health`)).status).toBe(200);
});
