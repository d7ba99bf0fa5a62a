/** What was seen fades by its age: not because one look did not meet it, and at the same moment by the database as by the rule. */

import fc from "fast-check";
import { expect, it } from "vitest";
import type { Copy } from "../../domain/discovery/said.js";
import type { Estate } from "../../domain/estate/types.js";
import { shownFor, silenceMsMax, useWindowMs } from "../../domain/graph/current.js";
import type { EvidenceKind } from "../../domain/graph/types.js";
import { type Database, read } from "../../inventory/database.js";
import { applyEstate, entryNamed } from "../../inventory/estate.js";
import { sql } from "../../inventory/orm.js";
import { declaredIn } from "../../inventory/rematch.js";
import { beginScan, notePart } from "../../inventory/scans.js";
import { settingsDigest } from "../../inventory/source-settings.js";
import { watchedBy } from "../../inventory/watching.js";
import { asked, day, fake, house, look, shapes, t0, use } from "./readings.js";
import { newId, sampleEstate } from "./world.js";

/** The evidence that stands, by reader. */
async function standing(db: Database) {
  const { rows } = await read(db, (tx) =>
    tx.execute<{ name: string; count: string }>(sql`
      select n.name, v.count from rekey_inventory.graph_evidence v
      join rekey_inventory.graph_nodes n on n.id = v.from_id
      where v.source = 'src_1' and v.ended_at is null order by n.name`),
  );
  return Object.fromEntries(rows.map(({ name, count }) => [name, Number(count)]));
}

it("C21: a nightly job is still a user when one look, and the next, did not see it", async () => {
  const db = await house();
  await look(db, [use("nightly", t0), use("written", t0, { known: "declared" })], { at: t0 });
  await look(db, [], { at: t0 + day });
  expect(await standing(db)).toEqual({ nightly: 1 });
  await look(db, [use("nightly", t0 + 2 * day)], { at: t0 + 2 * day });
  expect(await standing(db)).toEqual({ nightly: 2 });
  await look(db, [], { at: t0 + 2 * day + shownFor * useWindowMs });
  expect(await standing(db)).toEqual({ nightly: 2 });
  await look(db, [], { at: t0 + 2 * day + shownFor * useWindowMs + 1 });
  expect(await standing(db)).toEqual({});
  await look(db, [use("nightly", t0 + 90 * day)], { at: t0 + 90 * day });
  expect(await standing(db)).toEqual({ nightly: 3 });
});

it("what was seen ends when the rule says so, whatever its kind, count and interval", {
  timeout: 60_000,
}, async () => {
  const db = await house();
  const sighting = fc.record({
    known: fc.constantFrom<EvidenceKind>("read", "session", "declared", "potential"),
    count: fc.integer({ min: 1, max: 4 }),
    spanDays: fc.integer({ min: 0, max: 400 }),
    silentDays: fc.integer({ min: 0, max: 700 }),
  });
  let round = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(sighting, { minLength: 1, maxLength: 20 }), async (list) => {
      round += 1;
      const now = t0 + round * 1_000;
      const claims = list.map(({ known, count, spanDays, silentDays }, index) => {
        const last = now - silentDays * day;
        const seen = { first: last - spanDays * day, last, count };
        return use(`r${round}-${index}`, last, { known, seen });
      });
      await look(db, claims, { at: now, shows: "log" });
      const names = Object.keys(await standing(db)).filter((name) => name.startsWith(`r${round}-`));
      const wanted = claims.filter(({ known, seen }) => {
        const sighting = { kind: known, count: seen.count, firstSeen: seen.first, lastSeen: seen.last };
        const isUse = known === "read" || known === "session";
        return !isUse || now - seen.last <= shownFor * silenceMsMax(sighting, useWindowMs, 0);
      });
      expect(names.sort()).toEqual(wanted.map(({ from }) => ("name" in from ? from.name : "")).sort());
    }),
    { numRuns: 20 },
  );
});

it("a log that is read by other settings is read from its beginning, and counted anew", async () => {
  const db = await house();
  const thrice = use("app", t0, { known: "read", seen: { first: t0, last: t0, count: 3 } });
  expect(await look(db, [thrice], { at: t0, shows: "log" })).toBeNull();
  expect(await look(db, [thrice], { at: t0 + 1, shows: "log" })).toBe(`${t0}`);
  expect(await standing(db)).toEqual({ app: 6 });
  expect(await look(db, [thrice], { at: t0 + 2, shows: "log", settings: "other" })).toBeNull();
  expect(await standing(db)).toEqual({ app: 3 });
});

it("looks that follow upon each other say since when; a pause that is too long begins anew", async () => {
  const db = await house();
  const rules = { windowMs: 30 * day, lookBackMs: 60 * day, pauseMs: 2 * day };
  for (const at of [0, 1, 5, 6, 7]) await look(db, [], { at: t0 + at * day });
  const [found] = await watchedBy(db, [asked("src_1")], { ...rules, now: t0 + 8 * day });
  expect(found).toMatchObject({ since: t0 + 5 * day, wholeAt: t0 + 7 * day, gaps: [], unreadable: 0 });
  expect(found?.begunAt).toBe(t0 + 7 * day);
});

it("looks at who is connected say how many there were, how far apart, and since when they were close but for a twentieth", async () => {
  const db = await house();
  const rules = { windowMs: 30 * day, lookBackMs: 60 * day, pauseMs: 2 * day };
  const minute = 60_000;
  const glimpsed = async (
    source: string,
    at: readonly number[],
    isBusy = true,
    shows: "now" | "log" = "now",
  ) => {
    for (const minutes of at) await look(db, [], { at: t0 + minutes * minute, source, shows });
    const [found] = await watchedBy(db, [asked(source, fake, isBusy)], { ...rules, now: t0 + day });
    return found?.glimpses;
  };
  expect(await glimpsed("src_close", [0, 15, 30, 40])).toEqual({
    count: 4,
    apartMs: 15 * minute,
    closeSince: t0,
  });
  // Late by 5 of 100 minutes, and by 6 of 101; from the look behind the pause on by nothing.
  expect(await glimpsed("src_share", [0, 15, 35, 50, 65, 80, 95, 100])).toEqual({
    ...{ count: 8, apartMs: 20 * minute, closeSince: t0 },
  });
  expect(await glimpsed("src_late", [0, 15, 36, 51, 66, 81, 96, 101])).toMatchObject({
    ...{ apartMs: 21 * minute, closeSince: t0 + 36 * minute },
  });
  expect(await glimpsed("src_far", [0, 1_000, 2_000])).toMatchObject({
    ...{ count: 3, apartMs: 1_000 * minute, closeSince: t0 + 2_000 * minute },
  });
  // Only those that follow upon each other count.
  expect(await glimpsed("src_again", [0, 5, 5_000, 5_010])).toEqual({
    ...{ count: 2, apartMs: 10 * minute, closeSince: t0 + 5_000 * minute },
  });
  expect(await glimpsed("src_quiet", [0, 15], false)).toBeUndefined();
  expect(await glimpsed("src_log", [0, 15], true, "log")).toBeUndefined();
  expect(await glimpsed("src_none", [])).toBeUndefined();
});

it("of what is there now the last whole look tells what is missing; of a log, everything within the window", async () => {
  const malformed = [{ where: "line 1", why: "It is no JSON." }];
  for (const [shows, missing] of [
    ["now", { gaps: [], unreadable: 0 }],
    ["log", { gaps: ["It was replaced."], unreadable: 1 }],
  ] as const) {
    const db = await house();
    const covered = { from: t0 - 9 * day, until: t0 };
    await look(db, [], { at: t0, shows, more: { gaps: ["It was replaced."], malformed, covered } });
    await look(db, [], { at: t0 + day, shows });
    const rules = { windowMs: 2 * day, lookBackMs: 4 * day, pauseMs: 2 * day };
    const [found] = await watchedBy(db, [asked("src_1")], { ...rules, now: t0 + 1.5 * day });
    expect(found).toMatchObject({ ...missing, since: shows === "log" ? t0 - 9 * day : t0 });
    const [later] = await watchedBy(db, [asked("src_1"), asked("src_2")], { ...rules, now: t0 + 2.5 * day });
    expect(later).toMatchObject({ gaps: [], unreadable: 0, wholeAt: t0 + day });
  }
});

it("readings by other settings are worth nothing: what it reads now was not looked at", async () => {
  const db = await house();
  const rules = { windowMs: 30 * day, lookBackMs: 2 * 30 * day, pauseMs: 2 * day, now: t0 + 3 * day };
  for (const at of [0, 1, 2]) {
    const covered = { from: t0 - 20 * day, until: t0 + at * day };
    await look(db, [], { at: t0 + at * day, shows: "log", more: { gaps: ["A gap."], covered } });
  }
  const other = asked("src_1", { ...fake, store: "another" });
  expect(await watchedBy(db, [other], rules)).toEqual([
    {
      source: "src_1",
      wholeAt: null,
      failure: null,
      failedAt: null,
      begunAt: null,
      since: null,
      silentSince: null,
      silentLog: null,
      reachesTo: undefined,
      logs: [],
      gaps: [],
      lacking: [],
      unreadable: 0,
    },
  ]);
  // Who answers for it, how often it is read, and how late it may be, changes nothing of what was read.
  const same = asked("src_1", { ...fake, owner: "ada", every: "1h", deliveredWithin: 1, exceptions: [] });
  expect(await watchedBy(db, [same], rules)).toMatchObject([
    { wholeAt: t0 + 2 * day, since: t0 - 20 * day, gaps: ["A gap."] },
  ]);
});

it("a log is silent since its newest record, or since it was first read without one; what is there now never is", async () => {
  const db = await house();
  const rules = { windowMs: 30 * day, lookBackMs: 2 * 30 * day, pauseMs: 2 * day, now: t0 + 9 * day };
  const silent = async (id: string) => (await watchedBy(db, [asked(id)], rules))[0]?.silentSince;
  const covered = { from: t0 - 9 * day, until: t0 - day };
  await look(db, [], { at: t0, source: "src_log", shows: "log", more: { covered } });
  for (const source of ["src_log", "src_empty"]) {
    await look(db, [], { at: t0 + day, source, shows: "log" });
    await look(db, [], { at: t0 + 8 * day, source, shows: "log" });
  }
  await look(db, [], { at: t0, source: "src_now" });
  expect([await silent("src_log"), await silent("src_empty"), await silent("src_now")]).toEqual([
    t0 - day,
    t0 + day,
    null,
  ]);
});

it("a clock that is ahead makes no log newer than when it was read", async () => {
  const db = await house();
  const rules = { windowMs: 30 * day, lookBackMs: 60 * day, pauseMs: 2 * day, now: t0 + 9 * day };
  const ahead = { from: t0 - day, until: t0 + 400 * day };
  await look(db, [], { at: t0, shows: "log", more: { covered: ahead } });
  await look(db, [], { at: t0 + 9 * day, shows: "log" });
  expect(await watchedBy(db, [asked("src_1")], rules)).toMatchObject([{ silentSince: t0 }]);
  // Nor does it hide that nothing was written since.
  const covered = { from: t0 + 8 * day, until: t0 + 9 * day };
  await look(db, [], { at: t0 + 9 * day + 1, shows: "log", more: { covered } });
  expect(await watchedBy(db, [asked("src_1")], rules)).toMatchObject([
    { since: t0 + 8 * day, silentSince: t0 + 9 * day },
  ]);
});

it("nobody has watched where a log has no record for longer than a pause, in whatever order it was read", async () => {
  const rules = { windowMs: 90 * day, lookBackMs: 180 * day, pauseMs: 7 * day, now: t0 };
  const ranges = [
    [-60, -40],
    [-41, -33],
    // Here the device was off.
    [-25, -20],
    [-24, -1],
  ] as const;
  for (const order of [ranges, ranges.toReversed()]) {
    const db = await house();
    for (const [index, [from, until]] of order.entries()) {
      const covered = { from: t0 + from * day, until: t0 + until * day };
      await look(db, [], { at: t0 - 1_000 + index, shows: "log", more: { covered } });
    }
    await look(db, [], { at: t0, shows: "log" });
    const found = async (pauseMs: number, isBusy = true) =>
      (await watchedBy(db, [asked("src_1", fake, isBusy)], { ...rules, pauseMs }))[0];
    expect(await found(7 * day)).toMatchObject({ since: t0 - 25 * day, silentSince: t0 - day });
    expect(await found(8 * day)).toMatchObject({ since: t0 - 60 * day });
    // A program of somebody's own had nothing to say meanwhile.
    expect(await found(7 * day, false)).toMatchObject({ since: t0 - 60 * day, silentSince: null });
  }
});

it("what a reading of a log had read before it broke off was watched: the next one goes on behind it", async () => {
  const db = await house();
  const rules = { windowMs: 30 * day, lookBackMs: 60 * day, pauseMs: 2 * day, now: t0 + 2 * day };
  const settings = settingsDigest(fake);
  const ref = { source: "src_1", shows: "log", settings } as const;
  const { id } = await beginScan(db, { ...ref, now: t0, newId: () => newId("scn") });
  const said = { records: 1, claims: [], copies: [], listed: [], malformed: [], gaps: [], cursor: "c" };
  const covered = { from: t0 - 20 * day, until: t0 - 19 * day };
  const declared = await read(db, (tx) => declaredIn(tx, shapes));
  await notePart(db, { id, ...ref }, null, { ...said, covered }, declared, t0);
  const rest = { from: t0 - 19 * day, until: t0 + day };
  await look(db, [], { at: t0 + day, shows: "log", more: { covered: rest } });
  expect(await watchedBy(db, [asked("src_1")], rules)).toMatchObject([
    { wholeAt: t0 + day, since: t0 - 20 * day },
  ]);
  // That one was begun is no look where it has read nothing.
  await look(db, [], { at: t0 - 9 * day, source: "src_empty", shows: "log" });
  await beginScan(db, { ...ref, source: "src_empty", now: t0, newId: () => newId("scn") });
  expect(await watchedBy(db, [asked("src_empty")], rules)).toMatchObject([{ since: t0 - 9 * day }]);
});

it("what a source said that has left the estate counts for a window more, and then ends", async () => {
  const db = await house();
  const source = { kind: "fake", owner: "payments" };
  const apply = (sources: Estate["sources"], at: number) =>
    applyEstate(db, {
      estate: { ...sampleEstate(), sources },
      ...{ digest: newId("d"), by: "ann", now: at, newId, shapes },
    });
  await apply({ gone: source, kept: source }, t0 - day);
  const [gone, kept] = [await entryNamed(db, "sources", "gone"), await entryNamed(db, "sources", "kept")];
  const copy: Copy = {
    ...{ record: "r", at: { is: "location", scope: "s", path: "p" }, mark: "m", literal: true },
    ...{ sentence: "It is there.", seen: { first: t0, last: t0, count: 1 } },
  };
  await look(db, [use("written", t0, { known: "declared" }), use("seen", t0)], {
    ...{ at: t0, source: gone.id, more: { copies: [copy] } },
  });
  const left = async () => {
    const { rows } = await read(db, (tx) =>
      tx.execute<{ name: string }>(sql`
        select n.name from rekey_inventory.graph_edges e join rekey_inventory.graph_nodes n on n.id = e.from_id
        where e.type = 'uses' and e.ended_at is null and n.type = 'identity'
        union all select mark from rekey_inventory.marks where ended_at is null order by 1`),
    );
    return rows.map(({ name }) => name);
  };
  await apply({ kept: source }, t0 + day);
  const all = await left();
  expect(all).toHaveLength(3);
  await look(db, [], { at: t0 + day + useWindowMs, source: kept.id });
  expect(await left()).toEqual(all);
  await look(db, [], { at: t0 + day + useWindowMs + 1, source: kept.id });
  expect(await left()).toEqual([expect.stringMatching(/^seen/)]);
  await look(db, [], { at: t0 + shownFor * useWindowMs + 1, source: kept.id });
  expect(await left()).toEqual([]);
});

it("a log that is read anew is read from its beginning and counted anew, once for each word, and a look is begun again", async () => {
  const db = await house();
  const thrice = use("app", t0, { known: "read", seen: { first: t0, last: t0, count: 3 } });
  await look(db, [thrice], { at: t0, shows: "log" });
  expect(await look(db, [thrice], { at: t0 + 1, shows: "log", anew: "once" })).toBeNull();
  expect(await standing(db)).toEqual({ app: 3 });
  // Whoever asked is answered late, and asks again: it goes on.
  expect(await look(db, [thrice], { at: t0 + 2, shows: "log", anew: "once" })).toBe(`${t0 + 1}`);
  expect(await look(db, [thrice], { at: t0 + 3, shows: "log" })).toBe(`${t0 + 2}`);
  expect(await standing(db)).toEqual({ app: 9 });
  expect(await look(db, [thrice], { at: t0 + 4, shows: "log", anew: "twice" })).toBeNull();
  expect(await standing(db)).toEqual({ app: 3 });
  const begin = (now: number, anew?: string) =>
    beginScan(db, { source: "src_2", shows: "now", settings: "so", now, anew, newId: () => newId("scn") });
  const broken = await begin(t0);
  expect((await begin(t0 + 1)).id).toBe(broken.id);
  expect((await begin(t0 + 2, "once")).id).not.toBe(broken.id);
});

it("what could not be read is made up for by reading it anew, what is lost is not, and what is no longer there was not watched", async () => {
  const db = await house();
  const watched = async (now: number) => {
    const rules = { windowMs: 35 * day, lookBackMs: 70 * day, pauseMs: 7 * day, now };
    return (await watchedBy(db, [asked("src_1")], rules))[0];
  };
  const malformed = [{ where: "line 1", why: "It is no JSON." }];
  const gaps = ["It was emptied.", "A clock was wrong."];
  const covered = { from: t0 - 40 * day, until: t0 };
  const torn = { covered, malformed, gaps, gapsAgain: ["A clock was wrong."] };
  await look(db, [], { at: t0, shows: "log", more: torn });
  await look(db, [], { at: t0 + day, shows: "log" });
  const before = { since: t0 - 40 * day, unreadable: 1, gaps };
  expect(await watched(t0 + day)).toMatchObject(before);
  // Until it is read to its end, nothing is better than it was.
  const how = { source: "src_1", shows: "log", settings: settingsDigest(fake), anew: "once" } as const;
  await beginScan(db, { ...how, now: t0 + 2 * day, newId: () => newId("scn") });
  expect(await watched(t0 + 2 * day)).toMatchObject(before);
  const whole = { covered: { from: t0 - 5 * day, until: t0 + 2 * day } };
  await look(db, [], { at: t0 + 2 * day, shows: "log", anew: "once", more: whole });
  const after = { since: t0 - 5 * day, unreadable: 0, gaps: ["It was emptied."] };
  expect(await watched(t0 + 2 * day)).toMatchObject({ ...after, silentSince: t0 + 2 * day });
  expect(await watched(t0 + 36 * day)).toMatchObject({ unreadable: 0, gaps: [] });
  // What was put back since reaches further than the round before.
  const more = { covered: { from: t0 - 30 * day, until: t0 + 3 * day } };
  await look(db, [], { at: t0 + 3 * day, shows: "log", anew: "twice", more });
  expect(await watched(t0 + 3 * day)).toMatchObject({ since: t0 - 30 * day });
});

it("reading it anew makes no log less silent, and no look at what is there now begin anew", async () => {
  const db = await house();
  const rules = { windowMs: 35 * day, lookBackMs: 70 * day, pauseMs: 7 * day, now: t0 + 6 * day };
  for (const source of ["src_log", "src_now"] as const) {
    const shows = source === "src_log" ? "log" : "now";
    await look(db, [], { at: t0, source, shows });
    await look(db, [], { at: t0 + 5 * day, source, shows, anew: "once" });
  }
  expect(await watchedBy(db, [asked("src_log"), asked("src_now")], rules)).toMatchObject([
    { source: "src_log", since: t0 + 5 * day, silentSince: t0 },
    { source: "src_now", since: t0, silentSince: null },
  ]);
});
