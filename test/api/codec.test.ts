/** Temporal's remote codec: it opens for its own token and its own page, seals for nobody, and gives out no value. */
import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { Secret } from "../../domain/secret.js";
import { sealingCodec, viewingCodec } from "../../worker/codec.js";
import { fixedRing } from "../../worker/codec-ring.js";
import { formsOf } from "../support/canaries.js";
import { converter, openHouse } from "../workflows/house.js";
import { ended } from "../workflows/watch.js";
import { type Door, openDoor, servicesOf } from "./door.js";

const token = randomBytes(32).toString("base64url");
const origin = "https://temporal.example.com";
const key = new Secret(randomBytes(32).toString("base64"));
const ring = sealingCodec(fixedRing([key]));
const nothing = {} as Parameters<typeof openDoor>[0];

interface Asked {
  readonly path?: string;
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
  readonly method?: string;
}

const bearer = { Authorization: `Bearer ${token}` };

function ask(door: Door, { path = "decode", headers = bearer, body, method = "POST" }: Asked) {
  return fetch(`${door.url}/codec/${path}`, {
    method,
    headers: { "Content-Type": "application/json", "X-Namespace": "rekey", ...headers },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
}

type Opening = ReturnType<typeof viewingCodec>;
const viewing: Opening = viewingCodec(fixedRing([key]));
const opening = (codec = viewing) => ({ codec: { codec, tokens: [new Secret(token)], origin } });

async function sealed(text: string) {
  const [one] = await ring.encode([
    { metadata: { encoding: Buffer.from("json/plain") }, data: Buffer.from(JSON.stringify(text)) },
  ]);
  return written(one?.metadata, one?.data);
}

function written(
  metadata: Record<string, Uint8Array> | null | undefined,
  data: Uint8Array | null | undefined,
) {
  const text = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");
  return {
    metadata: Object.fromEntries(Object.entries(metadata ?? {}).map(([name, bytes]) => [name, text(bytes)])),
    data: text(data ?? new Uint8Array()),
  };
}

test("payloads are opened in their order, as Temporal asks for them", async () => {
  const door = await openDoor(nothing, opening());
  const body = { payloads: [await sealed("one"), await sealed("two")] };
  const answer = await ask(door, { body });
  const { payloads } = (await answer.json()) as { payloads: { data: string }[] };
  expect(answer.status).toBe(200);
  expect(payloads.map(({ data }) => JSON.parse(Buffer.from(data, "base64").toString()))).toEqual([
    "one",
    "two",
  ]);
  expect(door.lines).toEqual([expect.stringMatching(/^POST \/codec\/decode 200 \d+ ms$/)]);
});

test("what was never sealed is given back as it came, among the others", async () => {
  const door = await openDoor(nothing, opening());
  const plain = { metadata: { encoding: "anNvbi9wbGFpbg==" }, data: "InNob3duIg==" };
  const answer = await ask(door, { body: { payloads: [plain, await sealed("one")] } });
  expect(((await answer.json()) as { payloads: unknown[] }).payloads).toEqual([plain, expect.anything()]);
});

test("H7: it seals for nobody, and opens for nobody but its own token, not for that of the API", async () => {
  const door = await openDoor(nothing, opening());
  const body = { payloads: [await sealed("one")] };
  expect((await ask(door, { path: "encode", body })).status).toBe(403);
  for (const headers of [{}, { Authorization: `Bearer ${door.token}` }, { Authorization: "Bearer x" }])
    for (const path of ["decode", "encode"])
      expect((await ask(door, { path, body, headers })).status).toBe(401);
});

test("without a token of its own there is no such route", async () => {
  const door = await openDoor(nothing);
  expect((await ask(door, { body: { payloads: [] } })).status).toBe(404);
});

test("only its page may ask from a browser, and a preflight is answered without a token", async () => {
  const door = await openDoor(nothing, opening());
  const asks = { "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization" };
  const preflight = (from: string) => ask(door, { method: "OPTIONS", headers: { Origin: from, ...asks } });
  const ours = await preflight(origin);
  expect([ours.status, ours.headers.get("access-control-allow-origin")]).toEqual([204, origin]);
  expect(ours.headers.get("access-control-allow-headers")?.toLowerCase()).toContain("authorization");
  expect(ours.headers.get("access-control-allow-credentials")).toBeNull();
  for (const from of ["https://elsewhere.example.com", "null", `${origin}.example.org`])
    expect((await preflight(from)).headers.get("access-control-allow-origin")).toBeNull();
});

test("what is no list of payloads, or is sealed with another key, is refused in our words", async () => {
  const door = await openDoor(nothing, opening());
  const stranger = sealingCodec(fixedRing([new Secret(randomBytes(32).toString("base64"))]));
  const [foreign] = await stranger.encode([{ data: Buffer.from("canary") }]);
  const bodies: [unknown, number][] = [
    ["no JSON", 400],
    [{}, 400],
    [{ payloads: [{ data: "not base64!" }] }, 400],
    [{ payloads: [written(foreign?.metadata, foreign?.data)] }, 503],
    ["x".repeat(8 * 1024 * 1024 + 1), 413],
  ];
  for (const [body, status] of bodies) {
    const answer = await ask(door, { body });
    expect([String(body).slice(0, 20), answer.status]).toEqual([String(body).slice(0, 20), status]);
    expect(await answer.text()).not.toContain("canary");
  }
});

test("I6: of a whole rotation's history it gives out names and references, and no value", async () => {
  const house = await openHouse();
  const handle = await house.start();
  await ended(handle);
  const [codec] = converter().payloadCodecs ?? [];
  if (codec === undefined) throw new Error("the house has no codec");
  const door = await openDoor(await servicesOf(house), opening(codec));
  const found: object[] = [];
  const collect = (value: unknown): void => {
    if (typeof value !== "object" || value === null || value instanceof Uint8Array) return;
    const { metadata, data } = value as { metadata?: Record<string, Uint8Array>; data?: Uint8Array };
    if (metadata?.["rekey-key"] !== undefined) found.push(written(metadata, data));
    else for (const inner of Object.values(value)) collect(inner);
  };
  collect((await handle.fetchHistory()).events);
  const answer = await ask(door, { body: { payloads: found } });
  const { payloads } = (await answer.json()) as { payloads: { data: string }[] };
  const text = payloads.map(({ data }) => Buffer.from(data, "base64").toString()).join("\n");
  expect(text).toContain("orders_b");
  const values = house.world.values();
  expect(values.length).toBeGreaterThanOrEqual(3);
  expect(values.flatMap(formsOf).filter((form) => text.includes(form))).toEqual([]);
});
