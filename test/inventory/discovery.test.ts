/** What sources say, kept: each part once, whoever it turns out to be about, until a whole reading no longer has it. */
import { describe, expect, it } from "vitest";
import type { Claim, Copy, ReaderThing, ScanPart, Thing } from "../../domain/discovery/said.js";
import { timesText } from "../../domain/discovery/times.js";
import type { Shapes } from "../../domain/estate/shapes.js";
import type { Estate } from "../../domain/estate/types.js";
import { Adjacency } from "../../domain/graph/reach.js";
import { usersOf } from "../../domain/graph/use.js";
import { sightingsOf } from "../../inventory/baseline.js";
import type { Database } from "../../inventory/database.js";
import { read } from "../../inventory/database.js";
import { applyEstate, entryNamed } from "../../inventory/estate.js";
import { loadMap, loadUsers } from "../../inventory/graph-load.js";
import { declaredIn } from "../../inventory/rematch.js";
import { beginScan, breakOff, endScan, notePart } from "../../inventory/scans.js";
import { settingsDigest } from "../../inventory/source-settings.js";
import { watchedBy } from "../../inventory/watching.js";
import { migratedDatabase } from "./database.js";
import { newId, sampleEstate } from "./world.js";

const t0 = 1_700_000_000_000;
const hour = 60 * 60_000;
const day = 24 * hour;

/** The sample's kinds are made up, and so is what they make of an account. */
/** The settings by which everything here is read. */
const fake = { kind: "fake" };
const shapes: Shapes = {
  shownAs: (_, { account }) =>
    Object.values(account).flatMap((value) => (typeof value === "string" ? [value] : [])),
  placeKey: (_, __, place) => String(place.path),
  seesUse: () => true,
  deliveredWithinMs: () => 0,
};

const psql: ReaderThing = {
  is: "reader",
  name: "psql from 10.0.0.9",
  traits: { applicationName: "psql", address: "10.0.0.9" },
};
const shop: Thing = { is: "reader", name: "checkout", traits: { applicationName: "checkout" } };

function claim(from: Thing, to: Thing, more: Partial<Claim> = {}): Claim {
  return {
    ...{ record: "sessions", known: "session", from, type: "uses", to, sentence: "It is connected." },
    seen: { first: t0, last: t0 + 1_000, count: 1 },
    ...more,
  };
}

function part(cursor: string, claims: readonly Claim[], copies: readonly Copy[] = []): ScanPart {
  return {
    records: claims.length,
    claims,
    copies,
    listed: [],
    malformed: [],
    covered: null,
    gaps: [],
    cursor,
  };
}

async function house(change: (estate: Estate) => Estate = (estate) => estate) {
  const { db } = await migratedDatabase();
  let now = t0;
  const apply = async (estate: Estate) => {
    now += 1;
    await applyEstate(db, { estate, digest: `d${now}`, by: "ann", now, newId, shapes });
  };
  const sample = change(sampleEstate());
  await apply(sample);
  const orders = await entryNamed(db, "credentials", "orders-db");
  const account: Thing = {
    is: "account",
    issuer: String(orders.body.issuer),
    account: shapes.shownAs(sample, orders.body as never)[0] ?? "",
  };
  return { db, apply, sample, orders: orders.id, account };
}

function begin(db: Database, shows: "now" | "log", now: number, source = "src_1") {
  return beginScan(db, { source, shows, settings: settingsDigest(fake), now, newId: () => newId("scn") });
}

/** A whole reading of these parts. */
async function readThrough(
  db: Database,
  parts: readonly ScanPart[],
  { shows = "now", at = t0 + 5_000 }: { shows?: "now" | "log"; at?: number } = {},
) {
  const begun = await begin(db, shows, at);
  const ref = { id: begun.id, source: "src_1", shows, settings: settingsDigest(fake) } as const;
  let cursor = begun.cursorAfter;
  const declared = await read(db, (tx) => declaredIn(tx, shapes));
  for (const one of parts) {
    await notePart(db, ref, cursor, one, declared, at);
    cursor = one.cursor;
  }
  return endScan(db, ref, at + 1_000);
}

async function users(db: Database, credential: string) {
  const graph = await loadUsers(db, credential);
  return usersOf(new Adjacency(graph), credential).map(({ node, known, edge }) => ({
    name: node.name,
    type: node.type,
    known,
    count: edge.evidence.filter(({ source }) => source === "src_1").map(({ count }) => count)[0] ?? 0,
  }));
}

describe("what a source says", () => {
  it("is on the map, and whom nobody claims is named", async () => {
    const { db, orders, account } = await house();
    const thrice = claim(psql, account, { seen: { first: t0, last: t0, count: 3 } });
    await readThrough(db, [part("1", [thrice])], { shows: "log" });
    expect(await users(db, orders)).toContainEqual({
      name: "psql from 10.0.0.9",
      type: "identity",
      known: "session",
      count: 3,
    });
  });

  it("C24: says in which guises, at which hours and days, and how often", async () => {
    const { db, orders, account } = await house();
    const thursday = Date.UTC(2026, 0, 1, 3);
    const at = (first: number, last: number, count: number) => ({ seen: { first, last, count } });
    const elsewhere: Thing = { ...psql, traits: { applicationName: "psql", address: "10.0.0.10" } };
    await readThrough(
      db,
      [
        part("1", [claim(psql, account, at(thursday, thursday, 1))]),
        part("2", [
          claim(psql, account, at(thursday + day, thursday + day + hour, 4)),
          claim(elsewhere, account, at(thursday, thursday, 1)),
          claim(shop, account, { known: "declared" }),
        ]),
      ],
      { shows: "log", at: thursday + 2 * day },
    );
    const found = (await sightingsOf(db, orders)).filter(({ source }) => source === "src_1");
    expect(found.map(({ traits, count, times }) => [traits, count, timesText(times)])).toEqual([
      [psql.traits, 5, "03:00-04:59 on thu-fri"],
      [elsewhere.traits, 1, "03:00-03:59 on thu"],
    ]);
  });

  it("is counted once, also when a part is kept by two", async () => {
    const { db, orders, account } = await house();
    const begun = await begin(db, "log", t0);
    const ref = { id: begun.id, source: "src_1", shows: "log", settings: settingsDigest(fake) } as const;
    const declared = await read(db, (tx) => declaredIn(tx, shapes));
    await notePart(db, ref, null, part("1", [claim(psql, account)]), declared, t0);
    // The answer was lost, and it is kept again; or somebody else reads on from there.
    await notePart(db, ref, null, part("1", [claim(psql, account)]), declared, t0);
    await expect(
      notePart(db, ref, null, part("3", [claim(psql, account)]), declared, t0),
    ).rejects.toMatchObject({
      code: "conflict",
    });
    await notePart(db, ref, "1", part("2", [claim(psql, account)]), declared, t0);
    expect((await users(db, orders)).find(({ name }) => name.startsWith("psql"))?.count).toBe(2);
  });

  it("goes on where it broke off, and a log from where it ended", async () => {
    const { db } = await house();
    const first = await begin(db, "log", t0);
    const ref = { id: first.id, source: "src_1", shows: "log", settings: settingsDigest(fake) } as const;
    const declared = await read(db, (tx) => declaredIn(tx, shapes));
    await notePart(db, ref, null, part("1", []), declared, t0);
    await breakOff(db, first.id, "It went away.", t0 + 1);
    const rules = { windowMs: day, lookBackMs: 2 * day, pauseMs: day, now: t0 + 1 };
    expect(await watchedBy(db, [{ id: "src_1", body: fake, isBusy: true }], rules)).toMatchObject([
      { wholeAt: null, since: null },
    ]);
    const again = await begin(db, "log", t0 + 9);
    expect(again).toMatchObject({ id: first.id, cursorAfter: "1", failure: null });
    await endScan(db, ref, t0 + 10);
    const next = await begin(db, "log", t0 + 20);
    expect(next).toMatchObject({ cursorBefore: "1", cursorAfter: "1" });
    expect(next.id).not.toBe(first.id);
  });

  it("ends when a whole reading of what is there now does not have it any more; of a log it stays", async () => {
    for (const shows of ["now", "log"] as const) {
      const { db, orders, account } = await house();
      await readThrough(db, [part("1", [claim(psql, account, { known: "declared" })])], { shows });
      await readThrough(db, [part("2", [])], { shows, at: t0 + 60_000 });
      const names = (await users(db, orders)).map(({ name }) => name);
      expect(names.includes("psql from 10.0.0.9")).toBe(shows === "log");
    }
  });

  it("ends of whom the source takes for the engine since, and of nobody else", async () => {
    const { db, orders, account } = await house();
    const other: ReaderThing = { is: "reader", name: "export", traits: { applicationName: "export" } };
    const log = { shows: "log" } as const;
    await readThrough(db, [part("1", [claim(psql, account), claim(other, account)])], log);
    const strangers = async () =>
      (await users(db, orders)).filter(({ type }) => type === "identity").map(({ name }) => name);
    expect(await strangers()).toEqual(["export", "psql from 10.0.0.9"]);
    await readThrough(db, [{ ...part("2", []), own: [psql] }], { ...log, at: t0 + 60_000 });
    expect(await strangers()).toEqual(["export"]);
    // Told of as a reader again it is one again.
    await readThrough(db, [part("3", [claim(psql, account)])], { ...log, at: t0 + 120_000 });
    expect(await strangers()).toEqual(["export", "psql from 10.0.0.9"]);
  });

  it("is a use also where it is of a copy: at its place, or in what is filled from there", async () => {
    // What is written there, and how, is no part of where it is.
    const { db, orders, sample } = await house((estate) => {
      const { "orders-db": credential, ...others } = estate.credentials;
      if (credential === undefined) throw new Error("the sample has no orders-db");
      const place = { ...credential.place, fields: { username: "db_user" } };
      return { ...estate, credentials: { ...others, "orders-db": { ...credential, place } } };
    });
    const path = String(sample.credentials["orders-db"]?.place.path);
    const kept: Thing = { is: "place", store: "secrets", place: { path } };
    const at = (path: string): Thing => ({ is: "location", scope: "cluster prod", path });
    const pod = (name: string): Thing => ({ is: "reader", name, traits: { workload: name } });
    await readThrough(db, [
      part("1", [
        claim(pod("reads the place"), kept, { known: "read" }),
        claim(at("shop/db"), kept, { type: "depends-on", known: "declared" }),
        claim(at("shop/db#password"), at("shop/db"), { type: "stored-in", known: "declared" }),
        claim(at("shop/db"), at("shop/*"), { type: "stored-in", known: "declared" }),
        claim(at("shop/other"), at("shop/*"), { type: "stored-in", known: "declared" }),
        claim(pod("uses a key"), at("shop/db#password"), { known: "declared" }),
        claim(pod("may read all"), at("shop/*"), { type: "can-read", known: "potential" }),
        claim(pod("uses a neighbour"), at("shop/other"), { known: "declared" }),
      ]),
    ]);
    const strangers = (await users(db, orders)).filter(({ type }) => type === "identity");
    expect(strangers.map(({ name }) => name)).toEqual(["may read all", "reads the place", "uses a key"]);
  });

  it("does not end by a reading with a gap: hidden is not absent", async () => {
    const { db, orders, account } = await house();
    await readThrough(db, [part("1", [claim(psql, account)])]);
    const blind = { ...part("1", []), gaps: ["One node did not answer."] };
    await readThrough(db, [blind], { at: t0 + 60_000 });
    expect((await users(db, orders)).map(({ name }) => name)).toContain("psql from 10.0.0.9");
  });

  it("comes back under its id with what was known of it", async () => {
    const { db, orders, account } = await house();
    const firstSeen = async () =>
      [...(await loadUsers(db, orders)).nodes.values()].find(({ name }) => name.startsWith("psql"))
        ?.firstSeen;
    await readThrough(db, [part("1", [claim(psql, account)])]);
    const before = await firstSeen();
    await readThrough(db, [part("1", [])], { at: t0 + 60_000 });
    await readThrough(db, [part("1", [claim(psql, account)])], { at: t0 + 120_000 });
    expect(await firstSeen()).toBe(before);
  });

  it("is a consumer's from the moment in which the estate claims it, and nobody's when it no longer does", async () => {
    const { db, apply, sample, orders, account } = await house();
    await readThrough(db, [part("1", [claim(psql, account)])], { shows: "log" });
    const [name = "", consumer] = Object.entries(sample.consumers)[0] ?? [];
    if (consumer === undefined) throw new Error("the sample has no consumer");
    const claiming = { ...consumer, match: { applicationName: ["psql"], address: [] } };
    await apply({ ...sample, consumers: { ...sample.consumers, [name]: claiming } });
    const claimed = await users(db, orders);
    expect(claimed.some(({ type }) => type === "identity")).toBe(false);
    expect(claimed).toContainEqual(expect.objectContaining({ name, known: "session", count: 1 }));
    await apply(sample);
    expect(await users(db, orders)).toContainEqual(
      expect.objectContaining({ name: "psql from 10.0.0.9", type: "identity" }),
    );
    expect(await users(db, orders)).not.toContainEqual(expect.objectContaining({ name, known: "session" }));
  });

  it("moves also what has ended, and stays ended there", async () => {
    const { db, apply, sample, orders, account } = await house();
    await readThrough(db, [part("1", [claim(psql, account)])]);
    await readThrough(db, [part("1", [])], { at: t0 + 80 * day });
    const [consumer] = Object.values(sample.consumers);
    if (consumer === undefined) throw new Error("the sample has no consumer");
    const claiming = { ...consumer, match: { applicationName: ["psql"], address: [] } };
    // It is on no edge of this credential yet.
    await apply({ ...sample, consumers: { ...sample.consumers, stranger: claiming } });
    await apply(sample);
    expect((await users(db, orders)).map(({ known }) => known)).toEqual(["declared", "declared"]);
  });

  it("is not kept by an estate that is no longer in force, and not ended by an older reading", async () => {
    const { db, apply, sample, account } = await house();
    const begun = await begin(db, "now", t0);
    const ref = { id: begun.id, source: "src_1", shows: "now", settings: settingsDigest(fake) } as const;
    const declared = await read(db, (tx) => declaredIn(tx, shapes));
    await apply(sample);
    await expect(
      notePart(db, ref, null, part("1", [claim(psql, account)]), declared, t0),
    ).rejects.toMatchObject({
      code: "conflict",
    });
    await endScan(db, ref, t0 + 1);
    await expect(endScan(db, ref, t0 + 2)).rejects.toMatchObject({ code: "conflict" });
  });

  it("that two consumers claim is nobody's, and says so", async () => {
    const { db, orders, account } = await house((estate) => ({
      ...estate,
      consumers: Object.fromEntries(
        Object.entries(estate.consumers).map(([name, consumer]) => [
          name,
          { ...consumer, match: { applicationName: ["psql"], address: [] } },
        ]),
      ),
    }));
    await readThrough(db, [part("1", [claim(psql, account)])]);
    expect(await users(db, orders)).toContainEqual(expect.objectContaining({ type: "identity" }));
  });

  it("an account that is declared later is that credential from then on", async () => {
    const { db, apply, sample, account } = await house((estate) => {
      const { "orders-db": _, ...credentials } = estate.credentials;
      return estate.credentials["orders-db"] ? estate : { ...estate, credentials };
    });
    const { "orders-db": left, ...credentials } = sample.credentials;
    if (left === undefined) throw new Error("the sample has no orders-db");
    await apply({ ...sample, credentials });
    await readThrough(db, [part("1", [claim(shop, account)])]);
    const strangers = [...(await loadMap(db)).nodes.values()].filter(
      ({ type, name }) => type === "credential" && name.includes(" at "),
    );
    expect(strangers).toHaveLength(1);
    await apply(sample);
    const { id } = await entryNamed(db, "credentials", "orders-db");
    expect(await users(db, id)).toContainEqual(
      expect.objectContaining({ name: "checkout", known: "session" }),
    );
    expect([...(await loadMap(db)).nodes.keys()]).not.toContain(strangers[0]?.id);
  });
});
