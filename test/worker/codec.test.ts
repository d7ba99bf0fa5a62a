/** The codec: what it seals comes back whole, under whichever key is still known, and nothing that was tampered with does. */
import { randomBytes } from "node:crypto";
import type { Payload } from "@temporalio/common";
import { expect, test } from "vitest";
import { Secret } from "../../domain/secret.js";
import { isUnsealed } from "../../domain/unsealed.js";
import { sealingCodec, viewingCodec } from "../../worker/codec.js";
import { fixedRing, followedRing } from "../../worker/codec-ring.js";
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
  const codec = sealingCodec(fixedRing([key()]));
  const empty = { metadata: {}, data: Buffer.alloc(0) };
  const opened = await codec.decode(await codec.encode([payload(), empty, {}]));
  expect(opened.map(plain)).toEqual([plain(payload()), plain(empty), plain({})]);
});

test("I6: nothing of the payload shows, and the same payload never looks the same", async () => {
  const codec = sealingCodec(fixedRing([key()]));
  const [one, two] = [await sealed(codec), await sealed(codec)];
  expect(Buffer.from(one.data ?? []).equals(Buffer.from(two.data ?? []))).toBe(false);
  const shown = JSON.stringify([plain(one)]) + Buffer.from(one.data ?? []).toString("latin1");
  expect(formsOf(canary).filter((form) => shown.includes(form))).toEqual([]);
  expect(plain(one).metadata.encoding?.toString()).toBe("binary/rekey-sealed-1");
});

test("keys rotate: the first seals, all of them open, and a former one can be left out later", async () => {
  const [former, present] = [key(), key()];
  const old = await sealed(sealingCodec(fixedRing([former])));
  const both = sealingCodec(fixedRing([present, former]));
  expect(plain((await both.decode([old]))[0] ?? {})).toEqual(plain(payload()));
  const fresh = await sealed(both);
  expect(plain((await sealingCodec(fixedRing([present])).decode([fresh]))[0] ?? {})).toEqual(
    plain(payload()),
  );
  await expect(sealingCodec(fixedRing([present])).decode([old])).rejects.toMatchObject({
    code: "missing-setup",
  });
});

test.each([
  ["the text", 40],
  ["the tag", 14],
  ["the nonce", 2],
])("a payload is refused where one bit of %s was changed", async (_, at) => {
  const codec = sealingCodec(fixedRing([key()]));
  const given = await sealed(codec);
  const data = Buffer.from(given.data ?? []);
  data[at] = (data[at] ?? 0) ^ 1;
  await expect(codec.decode([{ ...given, data }])).rejects.toThrow();
});

test.each([0, 5, 12, 27])("a payload that was cut to %i bytes is refused", async (length) => {
  const codec = sealingCodec(fixedRing([key()]));
  const given = await sealed(codec);
  const data = Buffer.from(given.data ?? []).subarray(0, length);
  await expect(codec.decode([{ ...given, data }])).rejects.toThrow();
});

test("H7: a payload that was never sealed is not opened: refused, or a mark in its place that says nothing of it", async () => {
  const unsealed = [payload(), {}, { metadata: { encoding: Buffer.from("binary/rekey-sealed-0") } }];
  for (const given of unsealed) {
    await expect(sealingCodec(fixedRing([key()])).decode([given])).rejects.toMatchObject({
      code: "not-permitted",
    });
    const [marked] = await sealingCodec(fixedRing([key()]), "mark").decode([given]);
    const value = JSON.parse(Buffer.from(marked?.data ?? []).toString());
    expect([isUnsealed(value), JSON.stringify(value).includes(canary)]).toEqual([true, false]);
  }
});

test("H7: what was sealed for one workflow is opened for no other, whatever it is said to be for", async () => {
  const ring = fixedRing([key()]);
  const [strict, marking, viewing] = [sealingCodec(ring), sealingCodec(ring, "mark"), viewingCodec(ring)];
  const of = (workflowId: string) => ({ type: "workflow", namespace: "rekey", workflowId }) as const;
  const activity = {
    type: "activity",
    namespace: "rekey",
    workflowId: "rotate/one",
    isLocal: false,
  } as const;
  const [given = {}] = await strict.encode([payload()], of("rotate/one"));
  for (const context of [of("rotate/one"), activity, of("rotate/one-2026-11-26T20:00:00Z"), undefined])
    expect((await strict.decode([given], context)).map(plain)).toEqual([plain(payload())]);
  // Who only looks is told no workflow.
  expect((await viewing.decode([given])).map(plain)).toEqual([plain(payload())]);
  for (const other of ["rotate/two", "rotate/one/e2", "rotate/one-2", "rotate/on"]) {
    await expect(strict.decode([given], of(other)), other).rejects.toMatchObject({ code: "not-permitted" });
    const [marked] = await marking.decode([given], of(other));
    expect(isUnsealed(JSON.parse(Buffer.from(marked?.data ?? []).toString())), other).toBe(true);
    // Said to be for the other one, or for none, the seal does not hold.
    const { "rekey-workflow": _, ...without } = given.metadata ?? {};
    const renamed = { ...given, metadata: { ...without, "rekey-workflow": Buffer.from(other) } };
    for (const changed of [renamed, { ...given, metadata: without }])
      await expect(strict.decode([changed], of(other)), other).rejects.toThrow();
  }
  // From before payloads were sealed for a workflow.
  const old = await sealed(strict);
  expect((await strict.decode([old], of("rotate/one"))).map(plain)).toEqual([plain(payload())]);
});

test("a mark is taken for one wherever it stands, and what a program of ours sends is not", () => {
  expect([{}, null, "document", { by: "bob" }, ["x"]].map(isUnsealed)).toEqual(Array(5).fill(false));
});

test("no key, and a key of another length, are refused with what to do", () => {
  expect(() => sealingCodec(fixedRing([]))).toThrow(expect.objectContaining({ code: "missing-setup" }));
  const short = new Secret(randomBytes(16).toString("base64"));
  expect(() => sealingCodec(fixedRing([short]))).toThrow(expect.objectContaining({ code: "bad-input" }));
});

/** A ring that follows a list of texts, on a clock of the test's. */
async function following(...first: readonly Secret[]) {
  const source = { texts: first, fails: false, reads: 0, now: 0, warned: [] as string[] };
  const ring = await followedRing({
    read: async () => {
      source.reads += 1;
      if (source.fails) throw new Error("a text that may quote anything");
      return source.texts;
    },
    now: () => source.now,
    warn: (sentence) => source.warned.push(sentence),
  });
  return { source, codec: sealingCodec(ring) };
}

test("a ring rotates while processes run: added behind, then put first, then the old one taken away", async () => {
  const [former, fresh] = [key(), key()];
  const [one, other] = [await following(former), await following(former)];
  const exchange = async () => {
    const given = await sealed(one.codec);
    expect((await other.codec.decode([given])).map(plain)).toEqual([plain(payload())]);
    return given;
  };
  const old = await exchange();
  // Everybody can open with it before anybody seals with it.
  for (const { source } of [one, other]) source.texts = [former, fresh];
  one.source.now += 10_000;
  await exchange();
  for (const { source } of [one, other]) source.texts = [fresh, former];
  one.source.now += 10_000;
  other.source.now += 1_000;
  const newer = await exchange();
  expect(newer.metadata?.["rekey-key"]).not.toEqual(old.metadata?.["rekey-key"]);
  expect((await other.codec.decode([old])).map(plain)).toEqual([plain(payload())]);
  for (const { source } of [one, other]) source.texts = [fresh];
  for (const { source } of [one, other]) source.now += 10_000;
  await exchange();
  await expect(other.codec.decode([old])).rejects.toMatchObject({ code: "missing-setup" });
});

test("whoever meets a key that it has not heard of looks again at once, and not for every payload", async () => {
  const [former, fresh] = [key(), key()];
  const { source, codec } = await following(former);
  const newer = await sealed(sealingCodec(fixedRing([fresh])));
  const strange = await sealed(sealingCodec(fixedRing([key()])));
  source.texts = [former, fresh];
  source.now += 1_000;
  expect((await codec.decode([newer])).map(plain)).toEqual([plain(payload())]);
  const { reads } = source;
  for (let i = 0; i < 20; i++) await expect(codec.decode([strange])).rejects.toThrow("No codec key");
  expect(source.reads).toBe(reads);
});

test("keys that cannot be read again stay as they were, and it is said without quoting anything", async () => {
  const { source, codec } = await following(key());
  const given = await sealed(codec);
  source.fails = true;
  source.now += 10_000;
  expect((await codec.decode([given])).map(plain)).toEqual([plain(payload())]);
  expect(source.warned).toEqual([
    "The codec's keys could not be read again, and stay as they are: Their place cannot be read.",
  ]);
});

test("one text may hold several keys, one a line", async () => {
  const [former, fresh] = [key(), key()];
  const both = new Secret(`${fresh.reveal()}\n${former.reveal()}\n`);
  const old = await sealed(sealingCodec(fixedRing([former])));
  const ring = sealingCodec(fixedRing([both]));
  expect((await ring.decode([old, await sealed(ring)])).map(plain)).toEqual([
    plain(payload()),
    plain(payload()),
  ]);
});
