/** A user's own program: what it gets, what it may say, and that it neither outlives its run nor talks through our errors. */
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test, vi } from "vitest";
import { commandConsumer } from "../../../adapters/consumers/command.js";
import type { ObserveRequest } from "../../../adapters/ports.js";
import { Secret } from "../../../domain/secret.js";
import { formsOf } from "../../support/canaries.js";
import { attestKey, calling, testEngine } from "../../support/engine.js";
import { consumerContract } from "../consumer.js";

const program = fileURLToPath(new URL("consumer-program.mjs", import.meta.url));
const keys = [attestKey(), attestKey()];
const request: ObserveRequest = {
  installation: "test",
  credential: "orders-db",
  consumer: "orders",
  rotation: "r1",
  candidates: [
    { version: "v1", slot: "a", attestKey: new Secret(keys[0] ?? "") },
    { version: "v2", slot: "b", attestKey: new Secret(keys[1] ?? "") },
  ],
  confirmations: [],
};

const folders: string[] = [];
afterEach(async () => {
  vi.unstubAllEnvs();
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

interface Entry {
  instance: string;
  version: string | null;
  working: boolean;
  [switched: string]: unknown;
}

async function made(mode = "", settings: object = {}) {
  const folder = await mkdtemp(join(tmpdir(), "rekey-test-"));
  folders.push(folder);
  const file = join(folder, "world.json");
  const entries: Entry[] = ["one", "two", "three"].map((instance) => ({
    instance,
    version: "v1",
    working: true,
  }));
  await writeFile(file, JSON.stringify({ instances: entries, missing: [] }));
  const { deps } = await testEngine();
  const command = [process.execPath, program, file, mode];
  const consumer = commandConsumer.create(commandConsumer.config.parse({ command, ...settings }), deps);
  const change = async (edit: (world: { instances: Entry[]; [field: string]: unknown }) => void) => {
    const world = JSON.parse(await readFile(file, "utf8"));
    edit(world);
    await writeFile(file, JSON.stringify(world));
  };
  const last = async () => JSON.parse(await readFile(`${file}.last`, "utf8"));
  return { consumer, file, change, last };
}

consumerContract("command", async () => {
  const { consumer, change } = await made();
  const mark = async (field: string, value: unknown) => {
    await change((world) => Object.assign(world.instances[1] as Entry, { [field]: value }));
    return "two";
  };
  return {
    consumer,
    request: () => request,
    before: "v1",
    after: "v2",
    count: 3,
    canaries: keys,
    move: async (version) =>
      await consumer.deliver?.({ credential: "orders-db", consumer: "orders", version }, calling()),
    stay: () => mark("stays", true),
    idle: () => mark("idle", true),
    silence: async () => {
      await mark("working", false);
      return await mark("version", null);
    },
    unlist: () => change((world) => Object.assign(world, { unlisted: true })),
    close: async () => {},
  };
});

async function failureOf(
  promise: Promise<unknown>,
): Promise<{ code: string; message: string; stack: string }> {
  return await promise.then(
    () => expect.unreachable("it should have failed"),
    (error) => error,
  );
}

test("it gets the names and no key, and of the environment only what was allowed", async () => {
  vi.stubEnv("PROGRAM_SECRET", "canary-in-the-environment");
  vi.stubEnv("PROGRAM_ALLOWED", "yes");
  const { consumer, last } = await made("", { environment: ["PROGRAM_ALLOWED"] });
  await consumer.observe(request, calling());
  const { request: got, env } = await last();
  expect(got).toEqual({
    protocol: "rekey-consumer/1",
    action: "observe",
    installation: "test",
    credential: "orders-db",
    consumer: "orders",
    rotation: "r1",
    candidates: [
      { version: "v1", slot: "a" },
      { version: "v2", slot: "b" },
    ],
  });
  expect(env.PROGRAM_ALLOWED).toBe("yes");
  expect(Object.keys(env)).not.toContain("PROGRAM_SECRET");
  expect(Object.keys(env)).not.toContain("HOME");
});

test("what it printed is in no error: only the names of the fields that are wrong", async () => {
  const canary = "canary-5f81d2c39a7b";
  vi.stubEnv("PROGRAM_SECRET", canary);
  for (const mode of ["leak", "exit3"]) {
    const { consumer } = await made(mode, { environment: ["PROGRAM_SECRET"] });
    const error = await failureOf(consumer.observe(request, calling()));
    expect(error.code).toBe("proof-failed");
    const shown = `${error.message} ${error.stack} ${JSON.stringify(error)}`;
    for (const form of formsOf(canary)) expect(shown).not.toContain(form);
    if (mode === "leak") expect(error.message).toContain("instances.0.version");
  }
});

test("its exit codes have meanings", async () => {
  const codes = { 1: "proof-failed", 64: "unsupported", 75: "unreachable", 77: "not-permitted" };
  for (const [exit, code] of Object.entries(codes)) {
    const { consumer } = await made(`exit${exit}`);
    expect((await failureOf(consumer.observe(request, calling()))).code).toBe(code);
  }
});

test("a program that hangs and ignores SIGTERM is killed at its deadline, and tried a bounded number of times", async () => {
  // Long enough for it to begin on a machine that is busy.
  const { consumer, last } = await made("hang", { timeout: "3s" });
  const begun = Date.now();
  const error = await failureOf(consumer.observe(request, calling(50_000)));
  expect(error.code).toBe("unreachable");
  expect(Date.now() - begun).toBeLessThan(30_000);
  const { pid } = await last();
  await expect.poll(() => existsSync(`/proc/${pid}`)).toBe(false);
});

test("a program that writes without end is stopped", async () => {
  const { consumer, last } = await made("flood");
  expect((await failureOf(consumer.observe(request, calling()))).message).toContain("more than");
  const { pid } = await last();
  await expect.poll(() => existsSync(`/proc/${pid}`)).toBe(false);
});

test("a program that is not there is missing set-up; one that names an instance twice proves nothing", async () => {
  const { deps } = await testEngine();
  const none = commandConsumer.create(commandConsumer.config.parse({ command: ["/no/such/program"] }), deps);
  expect((await failureOf(none.observe(request, calling()))).code).toBe("missing-setup");
  const { consumer, change } = await made();
  await change((world) => world.instances.push({ instance: "one", version: "v2", working: true }));
  expect((await failureOf(consumer.observe(request, calling()))).code).toBe("proof-failed");
});

test("what it lacks is a finding", async () => {
  const { consumer, change } = await made("", { reports: true });
  await change((world) => Object.assign(world, { missing: ["right"] }));
  expect(await consumer.preflight(calling())).toEqual([
    { code: "program-lacks-right", severity: "refuse", sentence: expect.stringContaining("lacks a right") },
  ]);
});

test("the example script sends SIGHUP to the process of a pid file, and does nothing else", async () => {
  const folder = await mkdtemp(join(tmpdir(), "rekey-test-"));
  folders.push(folder);
  const script = fileURLToPath(new URL("../../../examples/commands/sighup.sh", import.meta.url));
  const pidFile = join(folder, "pid");
  await writeFile(pidFile, `${process.pid}\n`);
  const { deps } = await testEngine();
  const config = commandConsumer.config.parse({ command: [script, pidFile] });
  const consumer = commandConsumer.create(config, deps);
  const hangUps = vi.fn();
  process.on("SIGHUP", hangUps);
  try {
    await consumer.deliver?.({ credential: "orders-db", consumer: "orders", version: "v2" }, calling());
    await expect.poll(() => hangUps.mock.calls.length).toBe(1);
    expect((await failureOf(consumer.observe(request, calling()))).code).toBe("unsupported");
    expect(hangUps).toHaveBeenCalledTimes(1);
  } finally {
    process.off("SIGHUP", hangUps);
  }
});
