/** Whose a value is and where it lies, by its keyed hash, in a real database. */
import { expect, it } from "vitest";
import type { Claim, Copy, Thing } from "../../domain/discovery/said.js";
import { keepFingerprint } from "../../inventory/fingerprints.js";
import { keepLive } from "../../inventory/live-values.js";
import { recordVersions } from "../../inventory/versions.js";
import { whereaboutsOf } from "../../inventory/whereabouts.js";
import { at, dayMs, house, seen, use } from "./findings-house.js";
import { t0 } from "./world.js";

const hmac = "hmac-of-what-leaked";
const copy = (path: string, more: Partial<Copy> = {}): Copy => {
  return { record: path, at: at(path), mark: hmac, literal: true, seen, sentence: `In ${path}.`, ...more };
};

async function credentials(sql: Awaited<ReturnType<typeof house>>["sql"]): Promise<Record<string, string>> {
  const rows = await sql<{ id: string; name: string }>(
    "select id, name from rekey_inventory.entries where section = 'credentials'",
  );
  return Object.fromEntries(rows.map(({ id, name }) => [name, id]));
}

it("a value is known by the versions that had it, whatever became of them, and by what was live; the gravest first", async () => {
  const { db, sql, apply } = await house();
  await apply();
  const { "orders-db": orders = "", "billing-db": billing = "" } = await credentials(sql);
  const of = async () =>
    (await whereaboutsOf(db, [hmac])).credentials.map(({ credential, version, is }) => [
      credential,
      version,
      is,
    ]);
  expect(await of()).toEqual([]);
  expect((await whereaboutsOf(db, [hmac])).unproved).toEqual(["billing-db", "orders-db"]);
  const lives = {
    planned: "live",
    active: "live",
    retiring: "retired",
    disabled: "dead",
    destroyed: "dead",
  } as const;
  for (const [life, is] of Object.entries(lives)) {
    const standings = [{ id: "ver_1", slot: "a", life: life as keyof typeof lives }];
    await recordVersions(db, { credential: orders, by: null, at: t0, standings });
    await keepFingerprint(db, { version: "ver_1", credential: orders, hmac, at: t0 });
    expect(await of()).toEqual([["orders-db", "ver_1", is]]);
  }
  // The same value was live at another one: replaced by hand there, it is one that nobody has seen refused.
  await keepLive(db, { credential: billing, hmacs: [hmac], at: t0 });
  expect((await of())[0]).toEqual(["billing-db", null, "live"]);
  await keepLive(db, { credential: billing, hmacs: ["another"], at: t0 + 400 * dayMs });
  expect(await of()).toEqual([
    ["billing-db", null, "retired"],
    ["orders-db", "ver_1", "dead"],
  ]);
  // Seen live as well, and yet of the version: told once.
  await keepLive(db, { credential: orders, hmacs: [hmac], at: t0 });
  expect(await of()).toHaveLength(2);
  // An address and the password in it: two values of one version are told once, as are two that were live.
  await keepFingerprint(db, { version: "ver_1", credential: orders, hmac: "address", at: t0 + 1 });
  const both = async (...more: string[]) =>
    (await whereaboutsOf(db, [hmac, "address", ...more])).credentials.map(({ credential, is }) => [
      credential,
      is,
    ]);
  expect(await both()).toEqual(await of().then((all) => all.map(([name, , is]) => [name, is])));
  expect(await both("another")).toContainEqual(["billing-db", "live"]);
  expect(await both("another")).toHaveLength(2);
  expect(await whereaboutsOf(db, [hmac])).toMatchObject({
    unproved: [],
    credentials: [{ owners: ["payments"], since: t0, hasLeft: false }, { credential: "orders-db" }],
  });
  await apply((estate) => {
    const { "billing-db": _, ...left } = estate.credentials;
    return { ...estate, credentials: left };
  });
  expect((await whereaboutsOf(db, [hmac])).credentials[0]).toMatchObject({
    credential: "billing-db",
    hasLeft: true,
  });
});

it("places are told with who reads them or what they stand in, and those where it is gone stay with their end", async () => {
  const { db, apply, reading } = await house();
  await apply();
  const worker: Thing = { is: "reader", name: "worker", traits: { workload: "compose shop/worker" } };
  const inside: Claim = {
    ...use,
    from: at("all.env#DB"),
    type: "stored-in",
    to: at("all.env"),
    known: "declared",
  };
  const right: Claim = { ...use, from: worker, type: "can-read", to: at("all.env"), known: "potential" };
  const claims = [inside, right, { ...use, to: at("all.env#DB") }];
  const copies = [
    copy("all.env#DB"),
    copy("12ab:old.env", { past: true }),
    copy("other.env", { mark: "another" }),
  ];
  await reading({ claims, copies: [...copies, copy("masked.env", { mark: "" })] }, t0);
  const found = await whereaboutsOf(db, [hmac]);
  expect(found.places).toMatchObject([
    { name: "repository shop 12ab:old.env", literal: true, past: true, readers: [], endedAt: null },
    {
      ...{ name: "repository shop all.env#DB", past: false, sentence: "In all.env#DB.", endedAt: null },
      ...{ sources: ["sessions"], owners: ["payments"], firstSeen: t0, lastSeen: t0 },
      readers: [
        { name: "psql from 10.0.0.9", type: "identity", uses: true, owners: [] },
        { name: "worker (workload compose shop/worker)", type: "identity", uses: false, owners: [] },
      ],
    },
  ]);
  expect(found.sources).toEqual([
    { name: "sessions", kind: "fake", readSince: t0, readUntil: t0, values: 2, hidden: 1 },
  ]);
  expect(JSON.stringify(found)).not.toMatch(/hmac-of|another/);
  await reading({ claims, copies: copies.slice(1) }, t0 + dayMs);
  expect((await whereaboutsOf(db, [hmac])).places.map(({ name, endedAt }) => [name, endedAt])).toEqual([
    ["repository shop 12ab:old.env", null],
    ["repository shop all.env#DB", t0 + dayMs],
  ]);
});

it("a source that was never read has looked at nothing", async () => {
  const { db, apply } = await house();
  await apply();
  expect((await whereaboutsOf(db, [hmac])).sources).toEqual([
    { name: "sessions", kind: "fake", readSince: null, readUntil: null, values: 0, hidden: 0 },
  ]);
});
