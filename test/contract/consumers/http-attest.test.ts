/** The attestation between the real adapter and real instances, each a process of its own with the kit in it. */
import { createHmac } from "node:crypto";
import { mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { httpAttest } from "../../../adapters/consumers/http-attest.js";
import type { ObserveRequest } from "../../../adapters/ports.js";
import { readAnswer } from "../../../adapters/shared/attestation.js";
import { Secret } from "../../../domain/secret.js";
import type { Ready } from "../../support/attest-server.js";
import { formsOf } from "../../support/canaries.js";
import { attestKey, calling, type TestEngine, testEngine } from "../../support/engine.js";
import { type Compiled, compile, type Started } from "../../support/programs.js";
import { consumerContract } from "../consumer.js";

const program = "test/support/attest-server";
const names = { credential: "orders-db", consumer: "orders" };
const password = "canary-Pw-93c1f0ab77";
const keys: Record<string, string> = { v1: attestKey(), v2: attestKey() };

let compiled: Compiled;
beforeAll(async () => {
  compiled = await compile([program]);
});
afterAll(() => compiled.close());

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function request(): ObserveRequest {
  const candidates = ["v1", "v2"].map((version) => ({
    version,
    slot: version === "v1" ? "a" : "b",
    attestKey: new Secret(keys[version] ?? ""),
  }));
  return { installation: "test", ...names, rotation: "r1", candidates, confirmations: [] };
}

/** A store with one document in it. */
async function store() {
  const folder = await mkdtemp(join(tmpdir(), "rekey-test-"));
  cleanups.push(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, "orders.json");
  const put = async (version: string, fields: object = {}) => {
    const own = { rekey_version: version, rekey_attest_key: keys[version] };
    const document = { username: "orders_a", password, ...own, ...fields };
    await writeFile(`${file}.next`, JSON.stringify(document), { mode: 0o400 });
    await rename(`${file}.next`, file);
  };
  await put("v1");
  return { file, put };
}

async function instancesOf(
  file: string,
  count: number,
  engine: TestEngine,
  env: NodeJS.ProcessEnv = {},
): Promise<Started<Ready>[]> {
  const settings = {
    STORE_FILE: file,
    ENGINE_JWK: JSON.stringify(engine.publicKey),
    CREDENTIAL: names.credential,
    CONSUMER: names.consumer,
    ...env,
  };
  const started = await Promise.all(
    Array.from({ length: count }, () => compiled.start<Ready>(program, settings)),
  );
  cleanups.push(() => Promise.all(started.map((instance) => instance.stop())));
  return started;
}

function adapter(engine: TestEngine, instances: unknown, settings: object = {}) {
  return httpAttest.create(httpAttest.config.parse({ instances, timeout: "10s", ...settings }), engine.deps);
}

function urls(started: readonly Started<Ready>[]): string[] {
  return started.map((instance) => instance.ready.url);
}

async function listening(
  listener: RequestListener,
): Promise<{ url: string; instance: string; server: Server }> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanups.push(async () => {
    server.closeAllConnections();
    server.close();
  });
  const instance = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url: `http://${instance}`, instance, server };
}

consumerContract("http-attest", async () => {
  const engine = await testEngine();
  const { file, put } = await store();
  const started = await instancesOf(file, 3, engine);
  const listed = join(file, "..", "listed.mjs");
  const list = `process.stdout.write(${JSON.stringify(JSON.stringify({ instances: urls(started) }))})`;
  await writeFile(listed, list);
  const consumer = adapter(engine, { listCommand: [process.execPath, listed] });
  const second = started[1] as Started<Ready>;
  const switched = async (path: string) => {
    await fetch(`${second.ready.url}${path}`);
    return second.ready.instance;
  };
  return {
    consumer,
    request,
    before: "v1",
    after: "v2",
    count: 3,
    canaries: [password, ...Object.values(keys)],
    move: async (version) => {
      await put(version);
      await consumer.deliver?.({ ...names, version }, calling());
    },
    stay: () => switched("/stay"),
    idle: () => switched("/idle"),
    silence: async () => {
      await second.stop();
      return second.ready.instance;
    },
    unlist: () => rm(listed),
    close: async () => {
      for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
    },
  };
});

test("H10: eight replicas, one of them stale: it is seen, by name", async () => {
  const engine = await testEngine();
  const { file, put } = await store();
  const started = await instancesOf(file, 8, engine);
  const consumer = adapter(engine, urls(started));
  const stale = started[5]?.ready;
  await fetch(`${stale?.url}/stay`);
  await put("v2");
  await consumer.deliver?.({ ...names, version: "v2" }, calling());
  const seen = await consumer.observe(request(), calling());
  expect(seen.filter((entry) => entry.version === "v2")).toHaveLength(7);
  expect(seen.filter((entry) => entry.version !== "v2")).toEqual([
    expect.objectContaining({ instance: stale?.instance, version: "v1" }),
  ]);
});

test("H10: a balancer in front of the instances is no instance, whoever answers behind it", async () => {
  const engine = await testEngine();
  const { file } = await store();
  const [behind] = await instancesOf(file, 1, engine);
  const balancer = await listening(async (incoming, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const forwarded = await fetch(`${behind?.ready.url}/rekey/attest`, {
      method: "POST",
      body: Buffer.concat(chunks),
    });
    response.writeHead(forwarded.status).end(await forwarded.text());
  });
  const [seen] = await adapter(engine, [balancer.url]).observe(request(), calling());
  expect(seen).toMatchObject({ version: null, sentence: expect.stringContaining("not for it") });
});

test("H6: a stale instance cannot have its challenge answered by a fresh one", async () => {
  const engine = await testEngine();
  const stale = await store();
  const fresh = await store();
  await fresh.put("v2");
  const [other] = await instancesOf(fresh.file, 1, engine);
  // It relays the challenge as it is, and then passes the answer off as its own.
  const relay = await listening(async (incoming, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const url = `${other?.ready.url}/rekey/attest`;
    const answer = await fetch(url, { method: "POST", body: Buffer.concat(chunks) });
    const text = (await answer.text()).replaceAll(other?.ready.instance ?? "", relay.instance);
    response.writeHead(200).end(text);
  });
  const [seen] = await adapter(engine, [relay.url]).observe(request(), calling());
  expect(seen).toMatchObject({ version: null, working: false });

  // Not even where the fresh one was told, wrongly, that it goes by the stale one's name as well.
  const [confused] = await instancesOf(stale.file, 1, engine, { INSTANCE: relay.instance });
  const listed = [{ instance: "somebody-else", url: confused?.ready.url }];
  const [wrong] = await adapter(engine, listed).observe(request(), calling());
  expect(wrong).toMatchObject({ version: null, working: false });
});

test("H6: an answer is good for one question: yesterday's answer, or one for another rotation, proves nothing", async () => {
  const engine = await testEngine();
  let kept = "";
  let replaying = false;
  const { file } = await store();
  const recorder = await listening(async (incoming, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    if (!replaying) {
      const url = `${behind?.ready.url}/rekey/attest`;
      const answer = await fetch(url, { method: "POST", body: Buffer.concat(chunks) });
      kept = await answer.text();
    }
    response.writeHead(200).end(kept);
  });
  const [behind] = await instancesOf(file, 1, engine, { INSTANCE: recorder.instance });
  const consumer = adapter(engine, [recorder.url]);
  expect(await consumer.observe(request(), calling())).toMatchObject([{ version: "v1" }]);
  replaying = true;
  const again = await consumer.observe(request(), calling());
  expect(again).toMatchObject([{ version: null, sentence: expect.stringContaining("cannot prove it") }]);
  const other = await consumer.observe({ ...request(), rotation: "r2" }, calling());
  expect(other).toMatchObject([{ version: null }]);
});

test("H6: what an instance merely says is not believed: version, working and since are under the seal", async () => {
  const engine = await testEngine();
  const { file } = await store();
  const changes: Record<string, (answer: Record<string, unknown>) => object> = {
    honest: (answer) => answer,
    version: (answer) => ({ ...answer, version: "v2" }),
    working: (answer) => ({ ...answer, working: !answer.working }),
    since: (answer) => ({ ...answer, since: 1 }),
    unsealed: (answer) => ({ ...answer, mac: null }),
    secretKeyed: (answer) => ({
      ...answer,
      mac: createHmac("sha256", password).update("rekey-attest/1").digest("base64url"),
    }),
    shapeless: () => ({ version: "v1" }),
  };
  let change: (answer: Record<string, unknown>) => object = (answer) => answer;
  const liar = await listening(async (incoming, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const url = `${behind?.ready.url}/rekey/attest`;
    const answer = await fetch(url, { method: "POST", body: Buffer.concat(chunks) });
    response.end(JSON.stringify(change((await answer.json()) as Record<string, unknown>)));
  });
  const [behind] = await instancesOf(file, 1, engine, { INSTANCE: liar.instance });
  const consumer = adapter(engine, [liar.url]);
  for (const [name, lie] of Object.entries(changes)) {
    change = lie;
    const [seen] = await consumer.observe(request(), calling());
    expect([name, seen?.version]).toEqual([name, name === "honest" ? "v1" : null]);
    if (name !== "honest") expect(seen?.working).toBe(false);
  }
});

test("a version that the engine did not generate has no key, and is not attested", async () => {
  const engine = await testEngine();
  const { file, put } = await store();
  const started = await instancesOf(file, 1, engine);
  const consumer = adapter(engine, urls(started));
  const candidates = [{ version: "v1", slot: "a" }];
  const [keyless] = await consumer.observe({ ...request(), candidates }, calling());
  expect(keyless).toMatchObject({ version: null, sentence: expect.stringContaining("no key") });
  await put("v1", { rekey_attest_key: undefined });
  await consumer.deliver?.({ ...names, version: "v1" }, calling());
  const [unsealed] = await consumer.observe(request(), calling());
  // That it works is only its word, and good for a baseline: without a version it never counts as adopted (H39).
  const sentence = expect.stringContaining("key to attest");
  expect(unsealed).toMatchObject({ version: null, working: true, sentence });
});

test("H6: preflight refuses an endpoint that answers what nobody signed, and one that is not there", async () => {
  const engine = await testEngine();
  const open = await listening((_, response) => response.end("{}"));
  const absent = await listening((_, response) => response.writeHead(404).end());
  const gone = await listening(() => {});
  gone.server.close();
  const codes = async (url: string) =>
    (await adapter(engine, [url]).preflight(calling())).map(({ code, severity }) => `${code} ${severity}`);
  expect(await codes(open.url)).toEqual(["answers-unsigned refuse"]);
  expect(await codes(absent.url)).toEqual(["no-attestation refuse"]);
  expect(await codes(gone.url)).toEqual(["instance-silent warn"]);
});

test("an engine that the instance does not know, and a caller that it does not accept, are refused and told apart", async () => {
  const engine = await testEngine();
  const stranger = await testEngine();
  const { file } = await store();
  const guarded = await instancesOf(file, 1, engine, { BEARER: "caller-token-1" });
  engine.secrets.set("env:CALLER", "caller-token-1");
  stranger.secrets.set("env:CALLER", "caller-token-1");
  const sentence = async (from: TestEngine, settings: object) =>
    (await adapter(from, urls(guarded), settings).observe(request(), calling()))[0]?.sentence;
  expect(await sentence(engine, { bearer: "env:CALLER" })).toContain("holds v1");
  expect(await sentence(stranger, { bearer: "env:CALLER" })).toContain("does not know the engine's key");
  expect(await sentence(engine, {})).toContain("does not accept us");
  expect((await adapter(engine, urls(guarded)).preflight(calling())).map((found) => found.code)).toEqual([
    "caller-refused",
  ]);
});

test("H6: an instance that is asked too often says so and nothing else", async () => {
  const engine = await testEngine();
  const { file } = await store();
  const started = await instancesOf(file, 1, engine, { BURST: "2" });
  const consumer = adapter(engine, urls(started));
  const sentences = [];
  for (let i = 0; i < 4; i++) sentences.push((await consumer.observe(request(), calling()))[0]?.sentence);
  expect(sentences.slice(0, 2)).toEqual(Array(2).fill(expect.stringContaining("holds v1")));
  expect(sentences.at(-1)).toContain("too often");
});

test("an instance that is listed twice is proven by nothing, and slow instances do not hold up the others", async () => {
  const engine = await testEngine();
  const { file } = await store();
  const [one, two] = await instancesOf(file, 2, engine);
  const slow = await Promise.all([1, 2, 3].map(() => listening(() => {})));
  const listed = [one?.ready.url, two?.ready.url, two?.ready.url, ...slow.map(({ url }) => url)];
  const begun = Date.now();
  const seen = await adapter(engine, listed, { timeout: "2s" }).observe(request(), calling(30_000));
  // Each is given its time twice: one after the other they would need 12 s.
  expect(Date.now() - begun).toBeLessThan(10_000);
  expect(seen).toMatchObject([
    { instance: one?.ready.instance, version: "v1" },
    { instance: two?.ready.instance, version: null, sentence: expect.stringContaining("listed twice") },
    ...slow.map(({ instance }) => ({
      ...{ instance, version: null },
      sentence: expect.stringContaining("in time"),
    })),
  ]);
});

test("a redirect is not followed, an endless answer is broken off, and neither's text is repeated", async () => {
  const engine = await testEngine();
  const canary = "canary-e2b7705d13c9";
  const { file } = await store();
  const [real] = await instancesOf(file, 1, engine);
  const redirecting = await listening((_, response) => {
    response.writeHead(307, { location: `${real?.ready.url}/rekey/attest` }).end(canary);
  });
  const endless = await listening((_, response) => {
    response.writeHead(200);
    const more = () =>
      void (response.destroyed || response.write(canary.repeat(500), () => setImmediate(more)));
    more();
  });
  const failing = await listening((_, response) => response.writeHead(500).end(`{"error":"${canary}"}`));
  const told = [redirecting.url, endless.url, failing.url];
  const seen = await adapter(engine, told).observe(request(), calling());
  expect(seen.map((entry) => entry.version)).toEqual([null, null, null]);
  for (const form of formsOf(canary)) expect(JSON.stringify(seen)).not.toContain(form);
});

test("the listing can come from the platform: an address that answers it, or a name that resolves to all", async () => {
  const engine = await testEngine();
  const { file } = await store();
  const started = await instancesOf(file, 2, engine);
  engine.secrets.set("env:LIST", "list-token");
  const platform = await listening((incoming, response) => {
    const known = incoming.headers.authorization === "Bearer list-token";
    const instances = started.map(({ ready }) => ({ instance: ready.instance, url: ready.url }));
    response.writeHead(known ? 200 : 403).end(JSON.stringify({ instances }));
  });
  const listUrl = `${platform.url}/instances`;
  const seen = await adapter(engine, { listUrl, bearer: "env:LIST" }).observe(request(), calling());
  expect(seen.map((entry) => entry.version)).toEqual(["v1", "v1"]);
  await expect(adapter(engine, { listUrl }).observe(request(), calling())).rejects.toMatchObject({
    code: "unreachable",
  });

  const port = Number(started[0]?.ready.instance.split(":")[1]);
  const byName = adapter(engine, { dns: "localhost", port, scheme: "http" });
  const resolved = await byName.observe(request(), calling());
  expect(resolved.find((entry) => entry.instance === `127.0.0.1:${port}`)).toMatchObject({ version: "v1" });
  const nowhere = adapter(engine, { dns: "no-such-host.invalid", port, scheme: "http" });
  await expect(nowhere.observe(request(), calling())).rejects.toMatchObject({ code: "unreachable" });
});

test("the engine's half fits the test vector of docs/attestation.md", async () => {
  const page = await readFile(new URL("../../../docs/attestation.md", import.meta.url), "utf8");
  const vector = JSON.parse(/```json vector\n([\s\S]*?)```/.exec(page)?.[1] ?? "");
  const { version } = vector.answer;
  const candidates = [{ version, slot: "a", attestKey: new Secret(vector.attestKey) }];
  const seen = readAnswer(JSON.stringify(vector.answer), vector.challenge, candidates);
  expect(seen).toMatchObject({ instance: vector.challenge.instance, version, working: true });
});

test("settings that name a balancer's worth of nothing, or hold a secret, are refused", () => {
  const refused = [
    { instances: [] },
    { instances: ["ftp://127.0.0.1"] },
    { instances: ["http://127.0.0.1:1"], path: "rekey" },
    { instances: ["http://127.0.0.1:1"], bearer: "a-literal-token" },
    { instances: ["http://127.0.0.1:1"], timeout: 2000 },
    { instances: { dns: "orders" } },
  ];
  for (const settings of refused) expect(httpAttest.config.safeParse(settings).success).toBe(false);
});
