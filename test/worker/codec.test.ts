/** The codec: what it seals comes back whole, under whichever key is still known, and nothing that was tampered with does. */
import { randomBytes } from "node:crypto";
import type { Payload } from "@temporalio/common";
import { expect, test } from "vitest";
import { Secret } from "../../domain/secret.js";
import { sealingCodec } from "../../worker/codec.js";
import { formsOf } from "../support/canaries.js";

const key = () => new Secret(randomBytes(32).toString("base64"));
const canary = "canary-orders-database-of-payments";

function payload(): Payload {
  return {
    metadata: { encoding: Buffer.from("json/plain"), kind: Buffer.from([0, 255, 128]) },
    data: Buffer.from(JSON.stringify({ name: canary })),
  };
}

async function sealed(codec: ReturnType<typeof sealingCodec>, given = payload()): Promise<Payload> {
  const [first] = await codec.encode([given]);
  if (first === undefined) throw new Error("nothing came out");
  return first;
}

function plain({ metadata, data }: Payload) {
  const entries = Object.entries(metadata ?? {}).map(([name, bytes]) => [name, Buffer.from(bytes)]);
  return { metadata: Object.fromEntries(entries), data: Buffer.from(data ?? []) };
}

test("what was sealed opens again, metadata and data alike, also when both are empty", async () => {
  const codec = sealingCodec([key()]);
  const empty = { metadata: {}, data: Buffer.alloc(0) };
  const opened = await codec.decode(await codec.encode([payload(), empty, {}]));
  expect(opened.map(plain)).toEqual([plain(payload()), plain(empty), plain({})]);
});

test("I6: nothing of the payload shows, and the same payload never looks the same", async () => {
  const codec = sealingCodec([key()]);
  const [one, two] = [await sealed(codec), await sealed(codec)];
  expect(Buffer.from(one.data ?? []).equals(Buffer.from(two.data ?? []))).toBe(false);
  const shown = JSON.stringify([plain(one)]) + Buffer.from(one.data ?? []).toString("latin1");
  expect(formsOf(canary).filter((form) => shown.includes(form))).toEqual([]);
  expect(plain(one).metadata.encoding?.toString()).toBe("binary/rekey-sealed-1");
});

test("keys rotate: the first seals, all of them open, and a former one can be left out later", async () => {
  const [former, present] = [key(), key()];
  const old = await sealed(sealingCodec([former]));
  const both = sealingCodec([present, former]);
  expect(plain((await both.decode([old]))[0] ?? {})).toEqual(plain(payload()));
  const fresh = await sealed(both);
  expect(plain((await sealingCodec([present]).decode([fresh]))[0] ?? {})).toEqual(plain(payload()));
  await expect(sealingCodec([present]).decode([old])).rejects.toMatchObject({ code: "missing-setup" });
});

test.each([
  ["the text", 40],
  ["the tag", 14],
  ["the nonce", 2],
])("a payload is refused where one bit of %s was changed", async (_, at) => {
  const codec = sealingCodec([key()]);
  const given = await sealed(codec);
  const data = Buffer.from(given.data ?? []);
  data[at] = (data[at] ?? 0) ^ 1;
  await expect(codec.decode([{ ...given, data }])).rejects.toThrow();
});

test.each([0, 5, 12, 27])("a payload that was cut to %i bytes is refused", async (length) => {
  const codec = sealingCodec([key()]);
  const given = await sealed(codec);
  const data = Buffer.from(given.data ?? []).subarray(0, length);
  await expect(codec.decode([{ ...given, data }])).rejects.toThrow();
});

test("a payload that was never sealed is read as it is, so that the codec can be switched on while rotations run", async () => {
  expect(await sealingCodec([key()]).decode([payload()])).toEqual([payload()]);
});

test("no key, and a key of another length, are refused with what to do", () => {
  expect(() => sealingCodec([])).toThrow(expect.objectContaining({ code: "missing-setup" }));
  const short = new Secret(randomBytes(16).toString("base64"));
  expect(() => sealingCodec([short])).toThrow(expect.objectContaining({ code: "bad-input" }));
});
