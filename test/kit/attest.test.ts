/** The endpoint that anybody can reach: whom it answers, how often, and that its answers are good for nothing else. */
import { createHmac, generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { inspect } from "node:util";
import { jwtVerify } from "jose";
import { afterEach, expect, test, vi } from "vitest";
import {
  type Answer,
  type AttestOptions,
  attestHandler,
  attestor,
  bearer,
  sealedText,
  watch,
} from "../../kit/index.js";
import { formsOf } from "../support/canaries.js";
import { documentOf, keys, MemoryStore } from "./documents.js";

const engine = generateKeyPairSync("ed25519");
const publicJwk = engine.publicKey.export({ format: "jwk" });

const closings: (() => unknown)[] = [];
afterEach(async () => {
  vi.useRealTimers();
  for (const close of closings.splice(0)) await close();
});

async function made(options: Partial<AttestOptions> = {}) {
  const store = new MemoryStore();
  const watched = await watch({ load: store.load, intervalMs: 0 });
  closings.push(() => watched.close());
  const all: AttestOptions = {
    watch: watched,
    keys: publicJwk,
    credential: "orders-db",
    consumer: "orders",
    instance: "10.0.0.1:8080",
    ...options,
  };
  return { store, watched, options: all, attest: attestor(all) };
}

function claims(changes: object = {}) {
  const iat = Math.floor(Date.now() / 1000);
  return {
    typ: "rekey-attest/1",
    installation: "prod",
    credential: "orders-db",
    consumer: "orders",
    instance: "10.0.0.1:8080",
    rotation: "r1",
    nonce: randomBytes(24).toString("base64url"),
    iat,
    exp: iat + 60,
    ...changes,
  };
}

function jws(payload: unknown, header: object = { alg: "EdDSA" }, key = engine.privateKey): string {
  const input = [header, payload].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"));
  return `${input.join(".")}.${sign(null, Buffer.from(input.join(".")), key).toString("base64url")}`;
}

test("a challenge of our engine is answered, sealed with the key beside the value", async () => {
  const { attest, watched } = await made();
  watched.reportWorking(watched.current);
  const asked = claims();
  const { status, body } = await attest(jws(asked));
  expect(status).toBe(200);
  const answer = body as Answer;
  expect(answer).toMatchObject({
    version: "v1",
    instance: asked.instance,
    working: true,
    since: watched.since,
  });
  const lines = [
    ...["rekey-attest/1", "prod", "orders-db", "orders", "10.0.0.1:8080", "r1", asked.nonce, asked.exp],
    ...["v1", "working", watched.since],
  ];
  const mac = createHmac("sha256", keys.v1 ?? "").update(lines.join("\n"));
  expect(answer.mac).toBe(mac.digest("base64url"));
});

test("the test vector of docs/attestation.md", async () => {
  const { readFile } = await import("node:fs/promises");
  const page = await readFile(new URL("../../docs/attestation.md", import.meta.url), "utf8");
  const vector = JSON.parse(/```json vector\n([\s\S]*?)```/.exec(page)?.[1] ?? "");
  const text = sealedText(vector.challenge, vector.answer);
  expect(text).toBe(vector.sealedText);
  const mac = createHmac("sha256", vector.attestKey).update(text).digest("base64url");
  expect(mac).toBe(vector.answer.mac);
});

test("H6: a nonce that is a token's signing input is refused, and no answer is ever a token's signature", async () => {
  const { attest, store, watched } = await made();
  // The worst case: the credential itself is an HMAC key that signs tokens.
  const header = Buffer.from('{"alg":"HS256"}').toString("base64url");
  const input = `${header}.${Buffer.from('{"sub":"admin"}').toString("base64url")}`;
  expect(await attest(jws(claims({ nonce: input })))).toEqual({ status: 400, body: { error: "malformed" } });

  for (const nonce of [input.replace(".", "_"), randomBytes(24).toString("base64url")]) {
    const { mac } = (await attest(jws(claims({ nonce })))).body as Answer;
    for (const key of [watched.current.password, keys.v1 ?? ""]) {
      const secret = new TextEncoder().encode(key);
      await expect(jwtVerify(`${input}.${mac}`, secret)).rejects.toThrow();
      expect(mac).not.toBe(createHmac("sha256", key).update(nonce).digest("base64url"));
      expect(mac).not.toBe(createHmac("sha256", key).update(input).digest("base64url"));
    }
  }
  expect(store.reads).toBe(1);
});

test("H6: never keyed with the secret: the answer does not change with the value, only with the key beside it", async () => {
  vi.useFakeTimers({ now: 1_800_000_000_000, toFake: ["Date"] });
  const asked = claims();
  const macOf = async (fields: object) => {
    const { attest, store, watched } = await made();
    store.put("v2", fields);
    await watched.reload();
    return ((await attest(jws(asked))).body as Answer).mac;
  };
  const one = await macOf({ password: "orders2023" });
  expect(one).toMatch(/^[\w-]{43}$/);
  expect(await macOf({ password: "something else" })).toBe(one);
  expect(await macOf({ rekey_attest_key: keys.v1 })).not.toBe(one);
  // A password set as the key by mistake seals nothing, so it cannot be guessed from an answer.
  const password = keys.v3;
  expect(await macOf({ password, rekey_attest_key: password })).toBeNull();
});

test("H6: what our engine did not sign is not answered, however it is dressed up", async () => {
  const { attest } = await made();
  const stranger = generateKeyPairSync("ed25519").privateKey;
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const good = jws(claims());
  const [head = "", payload = "", signature = ""] = good.split(".");
  const hmacInput = `${part({ alg: "HS256" })}.${part(claims())}`;
  const hmac = createHmac("sha256", Buffer.from(publicJwk.x ?? "", "base64url")).update(hmacInput);
  const tokens = {
    "another key": jws(claims(), { alg: "EdDSA" }, stranger),
    "key in the header": jws(claims(), { alg: "EdDSA", jwk: publicJwk }, stranger),
    "no signature": `${part({ alg: "none" })}.${part(claims())}.`,
    "public key as HMAC key": `${hmacInput}.${hmac.digest("base64url")}`,
    "critical header": jws(claims(), { alg: "EdDSA", crit: ["b64"], b64: false }),
    "changed payload": `${head}.${part(claims({ rotation: "r2" }))}.${signature}`,
    "cut signature": `${head}.${payload}.${signature.slice(0, 40)}`,
  };
  for (const [name, token] of Object.entries(tokens)) {
    expect([name, (await attest(token)).status]).toEqual([name, 401]);
  }
  for (const token of [
    "",
    "{}",
    "a.b",
    "a.b.c",
    `${good}.x`,
    "x".repeat(5000),
    jws(null),
    jws([]),
    jws({}),
  ]) {
    expect((await attest(token)).status).toBe(400);
  }
});

test("H6: a challenge is for one instance, once, and not for long", async () => {
  const { attest } = await made({ installation: "prod" });
  const now = Math.floor(Date.now() / 1000);
  const refusals = {
    "not-for-me": [
      { instance: "10.0.0.2:8080" },
      { consumer: "billing" },
      { credential: "billing-db" },
      { installation: "staging" },
    ],
    expired: [
      { iat: now - 200, exp: now - 100 },
      { iat: now + 100, exp: now + 160 },
      { iat: now, exp: now + 3600 },
    ],
    malformed: [
      { typ: "rekey-attest/2" },
      { typ: undefined },
      { nonce: "short" },
      { nonce: `${"n".repeat(40)}\n` },
      { rotation: "r1\nv2" },
      { exp: "soon" },
      { iat: now, exp: now - 1 },
    ],
  };
  for (const [error, changes] of Object.entries(refusals)) {
    for (const change of changes) expect((await attest(jws(claims(change)))).body).toEqual({ error });
  }
  const once = jws(claims());
  expect((await attest(once)).status).toBe(200);
  expect(await attest(once)).toEqual({ status: 409, body: { error: "replayed" } });
});

test("the engine's key may rotate: any of several is good, by list or by JWK set", async () => {
  const next = generateKeyPairSync("ed25519");
  const nextJwk = next.publicKey.export({ format: "jwk" });
  for (const both of [[publicJwk, nextJwk], { keys: [publicJwk, nextJwk] }]) {
    const { attest } = await made({ keys: both });
    expect((await attest(jws(claims()))).status).toBe(200);
    expect((await attest(jws(claims(), { alg: "Ed25519" }, next.privateKey))).status).toBe(200);
  }
  const { options } = await made();
  const p256 = generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey.export({ format: "jwk" });
  const privateJwk = engine.privateKey.export({ format: "jwk" });
  for (const wrong of [[], p256, privateJwk])
    expect(() => attestor({ ...options, keys: wrong })).toThrow(TypeError);
});

test("H6: one caller's flood is refused before it costs a signature, and does not keep out another", async () => {
  // Nothing is allowed anew while this runs, however long that takes.
  const { attest } = await made({ perSecond: 0.001, burst: 3 });
  const statuses = [];
  for (let i = 0; i < 5; i++) statuses.push((await attest("a.b.c", "10.9.9.9")).status);
  expect(statuses).toEqual([400, 400, 400, 429, 429]);
  expect((await attest(jws(claims()), "10.1.1.1")).status).toBe(200);
});

test("memory stays bounded: ten thousand callers, and the ones that wait are not forgiven", async () => {
  const { RateLimit, Nonces } = await import("../../kit/limit.js");
  const limit = new RateLimit(1, 1);
  for (let i = 0; i < 10_000; i++) limit.allows(`caller ${i}`, 0);
  expect(inspect(limit, { showHidden: true })).not.toContain("caller 1'");
  expect(limit.allows("caller 9999", 0)).toBe(false);
  expect(limit.allows("caller 9999", 1_000)).toBe(true);
  const nonces = new Nonces();
  for (let i = 0; i < 10_000; i++) expect(nonces.take(`n${i}`, 1_000, 0)).toBe("fresh");
  expect(nonces.take("one more", 1_000, 0)).toBe("full");
  expect(nonces.take("n0", 1_000, 999)).toBe("used");
  expect(nonces.take("one more", 2_000, 1_000)).toBe("fresh");
});

test("a document without a version, or without a fit key, is answered for without a seal", async () => {
  const { attest, store, watched } = await made();
  store.document = { username: "orders", password: "from before the first rotation" };
  await watched.reload();
  expect((await attest(jws(claims()))).body).toMatchObject({ version: null, mac: null, working: false });
});

test("a signed nudge makes it look at its store, and a plain one does not", async () => {
  const { attest, store, watched } = await made();
  store.put("v2");
  const nudge = claims({ typ: "rekey-reload/1", rotation: undefined });
  expect((await attest(jws(nudge, { alg: "EdDSA" }, generateKeyPairSync("ed25519").privateKey))).status).toBe(
    401,
  );
  expect(watched.current.version).toBe("v1");
  expect(await attest(jws(nudge))).toEqual({ status: 200, body: { reloaded: true } });
  expect(watched.current.version).toBe("v2");
  store.gate = new Promise(() => {});
  const slow = claims({ typ: "rekey-reload/1" });
  expect(await attest(jws(slow))).toEqual({ status: 202, body: { reloaded: false } });
});

test("over HTTP: method, caller and size are checked first, and nothing shows a value", async () => {
  const { options, store } = await made();
  const server = createServer(attestHandler({ ...options, authorize: bearer(() => "caller-token") }));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closings.push(
    () => server.closeAllConnections(),
    () => server.close(),
  );
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}/`;
  const authorization = "Bearer caller-token";
  const send = async (init: RequestInit) => {
    const response = await fetch(url, init);
    return { status: response.status, text: await response.text(), headers: response.headers };
  };
  const answers = [
    await send({ headers: { authorization } }),
    await send({ method: "POST", body: jws(claims()) }),
    await send({ method: "POST", headers: { authorization: "Bearer caller-toke" }, body: jws(claims()) }),
    await send({ method: "POST", headers: { authorization }, body: "x".repeat(5000) }),
    await send({ method: "POST", headers: { authorization }, body: jws(claims()) }),
  ];
  expect(answers.map((answer) => answer.status)).toEqual([405, 401, 401, 413, 200]);
  expect(answers.at(-1)?.headers.get("cache-control")).toBe("no-store");
  const { password } = documentOf("v1");
  for (const secret of [password ?? "", keys.v1 ?? ""]) {
    for (const form of formsOf(secret)) for (const answer of answers) expect(answer.text).not.toContain(form);
  }
  expect(store.reads).toBe(1);

  // A caller that never finishes its request does not hold the server.
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  socket.write(
    "POST / HTTP/1.1\r\nhost: x\r\nauthorization: Bearer caller-token\r\ncontent-length: 100\r\n\r\nhalf",
  );
  await new Promise((resolve) => socket.once("close", resolve));
});

test("an `authorize` that fails lets nobody in and shows nothing", async () => {
  const { options } = await made();
  const authorize = () => {
    throw new Error("canary-directory-password");
  };
  const server = createServer(attestHandler({ ...options, authorize }));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closings.push(
    () => server.closeAllConnections(),
    () => server.close(),
  );
  const { port } = server.address() as AddressInfo;
  const response = await fetch(`http://127.0.0.1:${port}/`, { method: "POST", body: jws(claims()) });
  expect([response.status, await response.text()]).toEqual([500, '{"error":"internal"}']);
});
