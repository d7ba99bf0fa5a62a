/** Versions that were read: kept by place and reader, the same in whatever order they are told, and told of the rotation's places. */
import fc from "fast-check";
import { expect, it } from "vitest";
import type { Claim, Thing, VersionRead } from "../../domain/discovery/said.js";
import { type Database, read as inspect } from "../../inventory/database.js";
import { sql } from "../../inventory/orm.js";
import {
  keepLiveVersions,
  type LiveVersion,
  otherReadsAt,
  versionsAt,
} from "../../inventory/version-reads.js";
import { migratedDatabase } from "./database.js";
import { day, house, look, t0 } from "./readings.js";

const place = (path: string): Thing => ({ is: "place", store: "secrets", place: { path } });
const reader = (name: string): Thing => ({ is: "reader", name, traits: { entity: name } });
const claim = (name: string, versions: readonly VersionRead[], path = "orders"): Claim => ({
  ...{ record: "log", known: "read", type: "uses", sentence: "It read it." },
  ...{ from: reader(name), to: place(path), versions },
  seen: { first: t0, last: t0, count: 1 },
});
const read = (version: string, first: number, last = first): VersionRead => ({ version, first, last });

/** One look at the places of which it tells. */
const keep = (db: Database, credential: string, live: readonly LiveVersion[]) =>
  keepLiveVersions(db, credential, live, live);

/** The nodes that places of the estate are on the map. */
async function nodes(db: Awaited<ReturnType<typeof house>>) {
  const { rows } = await inspect(db, (tx) =>
    tx.execute<{ node: string; path: string }>(
      sql`select node, body -> 'place' ->> 'path' as path from rekey_inventory.things where body ->> 'is' = 'place'`,
    ),
  );
  return new Map(rows.map(({ node, path }) => [path, node]));
}

it("H21: who read which version of a place last is told of it, and of no other place and no time before", async () => {
  const db = await house();
  await look(db, [claim("a", [read("3", t0), read("4", t0 + day)]), claim("b", [read("3", t0 + 2 * day)])], {
    ...{ at: t0 + 3 * day, shows: "log" },
  });
  await look(db, [claim("c", [read("1", t0 + 2 * day)], "billing"), claim("d", [])], {
    ...{ at: t0 + 4 * day, shows: "log" },
  });
  const at = await nodes(db);
  const places = [{ place: "main", node: at.get("orders") ?? "" }];
  const told = async (since: number) =>
    (await otherReadsAt(db, places, [], since)).map(
      (one) => `${one.reader} ${one.storeVersion} ${one.lastAt}`,
    );
  expect(await told(t0)).toEqual([`a 3 ${t0}`, `a 4 ${t0 + day}`, `b 3 ${t0 + 2 * day}`]);
  expect(await told(t0 + 1)).toEqual([`a 4 ${t0 + day}`, `b 3 ${t0 + 2 * day}`]);
  // Whoever reads what is live there reads nothing old.
  const live: LiveVersion[] = places.map((one) => ({ ...one, storeVersion: "3", version: null, seenAt: t0 }));
  expect((await otherReadsAt(db, places, live, t0)).map(({ storeVersion }) => storeVersion)).toEqual(["4"]);
  // Two places that are one, each by its own name.
  const two = [...places, { place: "con_1", node: at.get("orders") ?? "" }];
  expect((await otherReadsAt(db, two, [], t0 + 2 * day)).map(({ place: where }) => where)).toEqual([
    "main",
    "con_1",
  ]);
});

it("is the same in whatever order parts and sources tell it, and however often", {
  timeout: 60_000,
}, async () => {
  const db = await house();
  let round = 0;
  const seen = fc.record({
    version: fc.constantFrom("1", "2", "older"),
    first: fc.nat(9),
    lasts: fc.nat(4),
  });
  const kept = async (parts: readonly (readonly VersionRead[])[]) => {
    round += 1;
    for (const [index, versions] of parts.entries())
      await look(db, [claim("a", versions, `place-${round}`)], {
        ...{ at: t0 + 9 * day + round * 100 + index, shows: "log" },
      });
    const { rows } = await inspect(db, (tx) =>
      tx.execute(sql`
        select version, r.first_seen, r.last_seen from rekey_inventory.version_reads r
        join rekey_inventory.things t on t.id = r.thing
        where t.body -> 'place' ->> 'path' = ${`place-${round}`} order by 1`),
    );
    return rows;
  };
  await fc.assert(
    fc.asyncProperty(fc.array(seen, { minLength: 1, maxLength: 6 }), fc.nat(6), async (list, cut) => {
      const reads = list.map(({ version, first, lasts }) => read(version, t0 + first, t0 + first + lasts));
      const plain = await kept([reads]);
      expect(plain.length).toBe(new Set(list.map(({ version }) => version)).size);
      expect(await kept([reads.slice(cut), reads.slice(0, cut)])).toEqual(plain);
      expect(await kept([reads.toReversed(), reads])).toEqual(plain);
    }),
    { numRuns: 15 },
  );
});

it("is let go when it is older than anybody asks, with a reading of its source", async () => {
  const db = await house();
  const long = 400 * day;
  await look(db, [claim("a", [read("3", t0), read("4", t0 + 2)])], { at: t0 + 3, shows: "log" });
  const at = await nodes(db);
  const places = [{ place: "main", node: at.get("orders") ?? "" }];
  const told = async () => (await otherReadsAt(db, places, [], t0)).map(({ storeVersion }) => storeVersion);
  await look(db, [], { at: t0 + 1 + long, shows: "log", source: "src_2" });
  expect(await told()).toEqual(["3", "4"]);
  await look(db, [], { at: t0 + 1 + long, shows: "log" });
  expect(await told()).toEqual(["4"]);
});

it("what stood under a number is kept from the first look on, and forgotten where the store counts anew", async () => {
  const { db } = await migratedDatabase();
  const live = (storeVersion: string, version: string | null, seenAt: number): LiveVersion => ({
    ...{ place: "main", node: "loc_1", storeVersion, version, seenAt },
  });
  const known = async () =>
    (await versionsAt(db, "crd_1", [{ place: "main", node: "loc_1" }])).map(
      ({ storeVersion, version, seenAt }) => `${storeVersion} ${version} ${seenAt - t0}`,
    );
  await keep(db, "crd_1", [live("9", null, t0)]);
  await keep(db, "crd_1", [live("9", null, t0 + 5)]);
  await keep(db, "crd_1", [live("10", "ver_1", t0 + 6), { ...live("3", "ver_1", t0), node: "loc_2" }]);
  expect(await known()).toEqual(["10 ver_1 6", "9 null 0"]);
  // Somebody removed the document and made it anew: there is no nine and no ten.
  await keep(db, "crd_1", [live("1", "ver_1", t0 + 7)]);
  await keep(db, "crd_1", [live("2", "ver_2", t0 + 8)]);
  expect(await known()).toEqual(["1 ver_1 7", "2 ver_2 8"]);
  // Once more, and as often as nobody looked.
  await keep(db, "crd_1", [live("2", "ver_3", t0 + 9)]);
  await keep(db, "crd_1", [live("2", "ver_3", t0 + 10)]);
  expect(await known()).toEqual(["1 ver_1 7", "2 ver_3 9"]);
});

it("names that no store counts by are all kept, whichever is live", async () => {
  const { db } = await migratedDatabase();
  const live = (storeVersion: string, version: string | null, seenAt: number): LiveVersion => ({
    ...{ place: "main", node: "loc_1", storeVersion, version, seenAt },
  });
  await keep(db, "crd_1", [live("bb", "ver_1", t0)]);
  await keep(db, "crd_1", [live("aa", "ver_2", t0 + 1)]);
  await keep(db, "crd_1", [live("bb", "ver_1", t0 + 2)]);
  expect(
    (await versionsAt(db, "crd_1", [{ place: "main", node: "loc_1" }])).map(
      ({ storeVersion, seenAt }) => `${storeVersion} ${seenAt - t0}`,
    ),
  ).toEqual(["aa 1", "bb 0"]);
});

it("two credentials that have had one document have versions of their own under the same numbers", async () => {
  const { db } = await migratedDatabase();
  const live = (storeVersion: string, version: string): LiveVersion => ({
    ...{ place: "main", node: "loc_1", storeVersion, version, seenAt: t0 },
  });
  const known = async (credential: string) =>
    (await versionsAt(db, credential, [{ place: "main", node: "loc_1" }])).map(
      ({ storeVersion, version }) => `${storeVersion} ${version}`,
    );
  await keep(db, "crd_1", [live("1", "ver_1")]);
  await keep(db, "crd_2", [live("1", "ver_2")]);
  await keep(db, "crd_1", [live("2", "ver_1")]);
  await keep(db, "crd_2", [live("2", "ver_2")]);
  expect(await known("crd_1")).toEqual(["1 ver_1", "2 ver_1"]);
  expect(await known("crd_2")).toEqual(["1 ver_2", "2 ver_2"]);
});
