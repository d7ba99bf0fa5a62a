/** What `rekey find` answers about a value that leaked, word for word, and that the value itself goes nowhere. */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Whereabouts } from "../../inventory/whereabouts.js";
import { emptyWorld, now, runIn, type Surroundings } from "./fakes.js";
import { expectGolden } from "./golden.js";

const value = "Canary-9Vq2xT7mKd4b";
const day = 86_400_000;
const asking = ["find", "--value-from", "stdin"];

const sources: Whereabouts["sources"] = [
  {
    ...{ name: "files", kind: "env-files", values: 214, hidden: 3 },
    ...{ readSince: now - 40 * day, readUntil: now - day },
  },
  { name: "audit", kind: "vault-audit", values: 0, hidden: 0, readSince: null, readUntil: null },
];
const places: Whereabouts["places"] = [
  {
    ...{
      name: "repository shop .env#DB_PASSWORD",
      literal: true,
      past: false,
      verified: false,
      endedAt: null,
    },
    sentence: "A password of DB_PASSWORD in .env.",
    ...{ sources: ["files"], owners: ["platform"], firstSeen: now - 9 * day, lastSeen: now - day },
    readers: [
      { name: "checkout", type: "consumer", uses: true, owners: ["payments"] },
      { name: "compose shop/cron", type: "identity", uses: false, owners: [] },
    ],
  },
  {
    ...{
      name: "repository shop 12ab:.env:generic:3",
      literal: true,
      past: true,
      verified: true,
      endedAt: now - day,
    },
    sentence: "A value that the rule generic found in .env line 3 of commit 12ab.",
    ...{ sources: ["leaks"], owners: ["platform"], firstSeen: now - 90 * day, lastSeen: now - 8 * day },
    readers: [],
  },
];
const live = {
  ...{ credential: "orders-db", owners: ["orders-team"], version: "ver_3", hasLeft: false },
  ...({ is: "live", since: now - 20 * day } as const),
};

async function golden(name: string, found: Partial<Whereabouts>, argv = asking, around: Surroundings = {}) {
  const nothing = { credentials: [], places: [], sources, unproved: [] };
  const world = emptyWorld({ whereabouts: { ...nothing, ...found } });
  const ran = await runIn(world, argv, { stdin: `${value}\n`, ...around });
  expectGolden(name, argv, ran);
  expect(JSON.stringify([world.calls, ran])).not.toContain(value);
  expect(JSON.stringify(ran)).not.toContain("hmac-of");
  return ran;
}

test("a value of a credential: which version, where else, who reads it there, whom to call, and what to do next", async () => {
  await golden("find", { credentials: [live], places });
  await golden("find-json", { credentials: [live], places }, [...asking, "--json"]);
});

test("a value that is two credentials', one of which has left, is told of both", async () => {
  const gone = { ...live, credential: "old-db", version: null, is: "retired", hasLeft: true } as const;
  await golden("find-shared", { credentials: [live, gone] });
  await golden("find-left", { credentials: [gone] });
});

test("C29: in an address, a line or a document what stands there is looked for, too", async () => {
  const address = `postgres://orders:${encodeURIComponent(`${value}/9`)}@db.example.com/orders`;
  const pasted = (stdin: string, found: Partial<Whereabouts> = { credentials: [live], places }) => ({
    world: emptyWorld({ whereabouts: { credentials: [], places: [], sources, unproved: [], ...found } }),
    stdin,
  });
  const inside = `hmac-of-${value.length + 2}-characters`;
  for (const [text, hashes] of [
    [`${address}\n`, [`hmac-of-${address.length}-characters`, inside]],
    [`DB_PASS="${value}/9"`, [`hmac-of-${value.length + 12}-characters`, inside]],
    [JSON.stringify({ password: `${value}/9`, host: "db" }), ["hmac-of-48-characters", inside]],
  ] as const) {
    const { world, stdin } = pasted(text);
    const ran = await runIn(world, asking, { stdin });
    expect(world.calls).toEqual([["whereabouts", hashes]]);
    expect(JSON.stringify([world.calls, ran])).not.toContain(value);
    expect(ran.stdout).toContain("It is, or has in it, a value of orders-db, and live");
  }
  await golden("find-address", { credentials: [live], places }, asking, { stdin: address });
  await golden("find-address-nobody", {}, asking, { stdin: address });
  await golden("find-address-json", { places }, [...asking, "--json"], { stdin: address });
  await golden("find-address-common", {}, asking, { stdin: "postgres://orders:postgres@db/orders" });
});

test("a dead value asks for no rotation", async () => {
  await golden("find-dead", { credentials: [{ ...live, is: "dead" }], places });
});

test("what nobody knows is told with what that is worth", async () => {
  await golden("find-nobody", { unproved: ["billing-db", "orders-db"] });
  await golden("find-no-sources", { sources: [] });
  await golden("find-places-only", { places });
});

test("H40: the value comes from standard input, a file or a variable, and is refused without being repeated", async () => {
  const file = join(mkdtempSync(join(tmpdir(), "rekey-find-")), "leak of today.txt");
  writeFileSync(file, `${value}\n`);
  const world = emptyWorld({
    whereabouts: { credentials: [live], places: [], sources, unproved: [] },
  });
  const from = (given: string) => runIn(world, ["find", "--value-from", given], { env: { LEAKED: value } });
  for (const given of [file, `file:${file}`]) {
    const { code, stdout } = await from(given);
    expect([code, stdout]).toEqual([0, expect.stringContaining(`--value-from '${given}'`)]);
  }
  expect(await from("env:LEAKED")).toMatchObject({ code: 0 });
  for (const given of [value, `env:${value}`, `file:${value}`]) {
    const ran = await from(given);
    expect(ran.code).toBe(2);
    expect(ran.stdout + ran.stderr).not.toContain(value);
  }
});

test.each(["pa55wrd", "password123", "changeme-please", "my-secret-password", "REDACTED-1234567"])(
  "%s is refused as no mark is made of it",
  async (common) => {
    const ran = await runIn(emptyWorld(), asking, { stdin: common });
    expect([ran.code, ran.stderr]).toEqual([2, expect.stringContaining("too short, or too common")]);
    expect(ran.stderr).not.toContain(common);
  },
);

test("without a place to read it from, it says which there are", async () => {
  await golden("find-from-nowhere", {}, ["find"]);
});
