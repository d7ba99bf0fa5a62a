/** What a server with the most talkative log writes down while the engine rotates: everything but values. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startChild } from "../../../worker/dev/child.js";
import { type PostgresServer, startPostgres } from "../../../worker/dev/postgres.js";
import { postgresPrograms, postgresUser } from "../../../worker/dev/postgres-binaries.js";
import { formsOf } from "../../support/canaries.js";
import { type PostgresWorld, worldOn } from "./postgres-world.js";
import { call, changeOf, codeOf, passwordOf, tag } from "./world.js";

let folder: string;
let logging: PostgresServer;
let world: PostgresWorld;

/** The shared helper reads the server's output for itself, so this one writes its log to a file instead. */
async function startLogging(): Promise<PostgresServer> {
  folder = await mkdtemp(join(tmpdir(), "rekey-pg-log-"));
  const first = await startPostgres({ folder });
  await first.stop();
  const user = await postgresUser();
  const { postgres } = await postgresPrograms(user);
  const settings = [
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "fsync=off",
    "logging_collector=on",
    "log_filename=server.log",
  ];
  const child = await startChild({
    name: "PostgreSQL",
    command: postgres,
    args: ["-D", first.dataDir, "-p", String(first.port), ...settings.flatMap((setting) => ["-c", setting])],
    cwd: first.dataDir,
    user,
    ready: async () => (await logOf(first)).includes("ready to accept connections"),
    readyMsMax: 30_000,
    stopSignal: "SIGINT",
    removeAfter: folder,
  });
  return { ...first, pid: child.pid, stop: () => child.stop() };
}

function logOf(server: PostgresServer): Promise<string> {
  return readFile(join(server.dataDir, "log", "server.log"), "utf8").catch(() => "");
}

beforeAll(async () => {
  logging = await startLogging();
  world = await worldOn(logging);
  const settings = {
    log_statement: "all",
    log_min_duration_statement: "0",
    log_min_messages: "debug1",
    log_min_error_statement: "debug5",
    log_connections: "on",
    log_error_verbosity: "verbose",
    log_parameter_max_length_on_error: "-1",
  };
  for (const [name, value] of Object.entries(settings)) {
    await world.superuser.query(`ALTER SYSTEM SET ${name} = '${value}'`);
  }
  await world.superuser.query("SELECT pg_reload_conf()");
  while ((await world.superuser.query("SHOW log_statement")).rows[0]?.log_statement !== "all")
    await sleep(20);
});
afterAll(async () => {
  await world.stop();
  await rm(folder, { recursive: true, force: true });
  await rm(logging.dataDir, { recursive: true, force: true });
});

describe("the server's own log", () => {
  it("H33: shows every statement and no value, not even when a change fails", async () => {
    const account = await world.account();
    const [a = ""] = account.logins;
    const issuer = world.issuer(account);
    const document = issuer.generate(a);
    const second = issuer.generate(a);
    await issuer.enable(changeOf(a, null, tag("v1", 1)), document, call());
    await issuer.prove(a, document, call());
    await codeOf(issuer.enable(changeOf(a, null, tag("v2", 2)), second, call()), passwordOf(second));
    const off = tag("v1", 3, { state: "disabled" });
    await issuer.disable(changeOf(a, tag("v1", 1), off), call());
    await issuer.proveRefused(a, document, call());
    await issuer.destroy(changeOf(a, off, tag("v1", 4, { state: "destroyed" })), call());
    await issuer.close();
    // Another process writes the log, and all of it is there once this is.
    await world.superuser.query("SELECT 'the end of it'");
    await expect.poll(() => logOf(logging)).toContain("the end of it");
    const log = await logOf(logging);
    expect(log).toContain("rekey.apply");
    expect(log).toContain("fenced");
    // The reset that poolers send was asked for, and the question asked again after it (H13).
    expect(log).toMatch(/session_user::text AS login[\s\S]*DISCARD ALL[\s\S]*session_user::text AS login/);
    for (const canary of [document, second].map(passwordOf)) {
      for (const form of formsOf(canary)) expect(log).not.toContain(form);
    }
    expect(log).not.toMatch(/SCRAM-SHA-256\$\d+:/);
  });
});
