/** What readings tell of the time before a version is taken away: up to when a log's records reach, and what was missing when. */

import { expect, it } from "vitest";
import { type Database, read, transact } from "../../inventory/database.js";
import { sql } from "../../inventory/orm.js";
import { declaredIn } from "../../inventory/rematch.js";
import { beginScan, endScan, notePart } from "../../inventory/scans.js";
import { settingsDigest } from "../../inventory/source-settings.js";
import { askedOf, watchedBy } from "../../inventory/watching.js";
import { asked, day, fake, house, look, shapes, t0 } from "./readings.js";
import { newId } from "./world.js";

const rules = { windowMs: 30 * day, lookBackMs: 60 * day, pauseMs: 7 * day, now: t0 + 9 * day };
const lacked = (at: number, ...gaps: string[]) => ({ at, gaps, unreadable: 0, firstUnreadable: null });
const found = async (db: Database, id: string, isBusy = true) =>
  (await watchedBy(db, [asked(id, fake, isBusy)], rules))[0];

it("H21: a busy log reaches to its newest record, and not to when it was read; nothing else has such a mark", async () => {
  const db = await house();
  const covered = { from: t0 - 9 * day, until: t0 - day };
  await look(db, [], { at: t0, shows: "log", more: { covered } });
  await look(db, [], { at: t0 + 8 * day, shows: "log" });
  expect(await found(db, "src_1")).toMatchObject({ begunAt: t0 + 8 * day, reachesTo: t0 - day });
  expect((await found(db, "src_1", false))?.reachesTo).toBeUndefined();
  await look(db, [], { at: t0, source: "src_empty", shows: "log" });
  expect((await found(db, "src_empty"))?.reachesTo).toBeNull();
  await look(db, [], { at: t0, source: "src_now" });
  expect((await found(db, "src_now"))?.reachesTo).toBeUndefined();
  // A clock that is ahead makes it reach no further than it was read; what was read anew counts by itself.
  const ahead = { from: t0, until: t0 + 400 * day };
  await look(db, [], { at: t0 + 8 * day + 1, shows: "log", more: { covered: ahead } });
  expect(await found(db, "src_1")).toMatchObject({ reachesTo: t0 + 8 * day + 1 });
  await look(db, [], { at: t0 + 8 * day + 2, shows: "log", anew: "once", more: { covered } });
  expect(await found(db, "src_1")).toMatchObject({ reachesTo: t0 - day });
});

it("H21: what was missing is told with when that was; of a reading that broke off, until the next one", async () => {
  const db = await house();
  await look(db, [], { at: t0, shows: "log", more: { gaps: ["It was replaced."] } });
  await look(db, [], { at: t0 + day, shows: "log" });
  await look(db, [], { at: t0 + 2 * day, shows: "log", more: { gaps: ["It has shrunk."] } });
  expect(await found(db, "src_1")).toMatchObject({
    gaps: ["It was replaced.", "It has shrunk."],
    lacking: [lacked(t0, "It was replaced."), lacked(t0 + 2 * day, "It has shrunk.")],
  });
  const how = { source: "src_2", shows: "log", settings: settingsDigest(fake) } as const;
  await look(db, [], { at: t0 - day, source: "src_2", shows: "log" });
  const broken = await beginScan(db, { ...how, now: t0, newId: () => newId("scn") });
  const declared = await read(db, (tx) => declaredIn(tx, shapes));
  const said = { records: 0, claims: [], copies: [], listed: [], malformed: [], covered: null, cursor: "c" };
  const part = { ...said, gaps: ["It is away."] };
  await notePart(db, { ...how, id: broken.id }, broken.cursorAfter, part, declared, t0);
  expect((await found(db, "src_2"))?.lacking).toEqual([lacked(rules.now, "It is away.")]);
  await look(db, [], { at: t0 + 3 * day, source: "src_2", shows: "log" });
  expect((await found(db, "src_2"))?.lacking).toEqual([lacked(t0 + 3 * day, "It is away.")]);
  await look(db, [], { at: t0, source: "src_now", more: { gaps: ["b is away."] } });
  expect((await found(db, "src_now"))?.lacking).toEqual([lacked(t0, "b is away.")]);
  await look(db, [], { at: t0 + 1, source: "src_now" });
  expect((await found(db, "src_now"))?.lacking).toEqual([]);
});

it("H21: a record that could not be read is lacking in its reading, until a log was read anew without it", async () => {
  const db = await house();
  const torn = [1, 2].map((line) => ({ where: `audit.log:${line}`, why: "is not JSON" }));
  const lacking = async (id = "src_1") => (await found(db, id))?.lacking;
  await look(db, [], { at: t0, shows: "log", more: { malformed: torn } });
  await look(db, [], { at: t0 + day, shows: "log" });
  const both = { ...lacked(t0), unreadable: 2, firstUnreadable: torn[0] };
  expect(await lacking()).toEqual([both]);
  expect(await found(db, "src_1")).toMatchObject({ gaps: [], unreadable: 2 });
  // Read anew, and one of them stands there still.
  const again = { malformed: torn.slice(1) };
  await look(db, [], { at: t0 + 2 * day, shows: "log", anew: "once", more: again });
  expect(await lacking()).toEqual([{ ...lacked(t0 + 2 * day), unreadable: 1, firstUnreadable: torn[1] }]);
  await look(db, [], { at: t0 + 3 * day, shows: "log", anew: "twice" });
  expect(await lacking()).toEqual([]);
  // What is there now is read anew by each look.
  await look(db, [], { at: t0, source: "src_now", more: { malformed: torn } });
  expect(await lacking("src_now")).toEqual([both]);
  await look(db, [], { at: t0 + 1, source: "src_now" });
  expect(await lacking("src_now")).toEqual([]);
});

it("H21: each log of a source reaches to its own newest record, whatever the others show", async () => {
  const db = await house();
  const at = (log: string, until: number | null) => ({ log, until });
  const covered = (until: number) => ({ from: t0 - 9 * day, until });
  const nodes = (a: number | null, b: number | null) => ({
    ...{ covered: covered(Math.max(a ?? 0, b ?? 0)), reaches: [at("a", a), at("b", b)] },
  });
  // Of a reading of an earlier release it is not known which of them had something.
  await look(db, [], { at: t0 - 2 * day, shows: "log", more: { covered: covered(t0 - 3 * day) } });
  expect(await found(db, "src_1")).toMatchObject({ logs: [], silentSince: t0 - 3 * day, silentLog: null });
  await look(db, [], { at: t0, shows: "log", more: nodes(t0 - day, null) });
  expect(await found(db, "src_1")).toMatchObject({
    ...{ reachesTo: t0 - day, logs: [at("a", t0 - day), at("b", null)] },
    ...{ silentSince: t0 - 3 * day, silentLog: "b" },
  });
  await look(db, [], { at: t0 + day, shows: "log", more: nodes(t0 + 400 * day, t0 - 2 * day) });
  expect(await found(db, "src_1")).toMatchObject({
    // A clock that is ahead makes no log newer than its reading.
    ...{ reachesTo: t0 + day, logs: [at("a", t0 + day), at("b", t0 - 2 * day)] },
    ...{ silentSince: t0 - 2 * day, silentLog: "b" },
  });
  // One that may rightly be silent has no such mark, and what was read anew counts by itself.
  expect(await found(db, "src_1", false)).toMatchObject({ logs: [], silentSince: null, silentLog: null });
  await look(db, [], { at: t0 + 2 * day, shows: "log", anew: "once", more: nodes(t0, null) });
  expect(await found(db, "src_1")).toMatchObject({
    logs: [at("a", t0), at("b", null)],
    silentSince: t0 - 2 * day,
  });
  // One that never had a record is silent since it was read first.
  await look(db, [], { at: t0, source: "src_2", shows: "log", more: nodes(t0, null) });
  expect(await found(db, "src_2")).toMatchObject({ silentSince: t0, silentLog: null });
  await look(db, [], { at: t0 + day, source: "src_2", shows: "log", more: nodes(t0 + day, null) });
  expect(await found(db, "src_2")).toMatchObject({ silentSince: t0, silentLog: "b" });
});

it("H21: parts of one reading add up to how far each log reaches", async () => {
  const db = await house();
  const ref = { source: "src_1", shows: "log", settings: settingsDigest(fake) } as const;
  const { id } = await beginScan(db, { ...ref, now: t0, newId: () => newId("scn") });
  const declared = await read(db, (tx) => declaredIn(tx, shapes));
  const said = { records: 1, claims: [], copies: [], listed: [], malformed: [], gaps: [] };
  const part = (cursor: string, before: string | null, a: number | null, b: number | null) => {
    const reaches = [
      { log: "a", until: a },
      { log: "b", until: b },
    ];
    const covered = { from: t0 - 2 * day, until: t0 };
    return notePart(db, { ...ref, id }, before, { ...said, cursor, covered, reaches }, declared, t0);
  };
  await part("x", null, t0 - day, null);
  await part("y", "x", null, t0 - 2 * day);
  await endScan(db, { ...ref, id }, t0);
  expect((await found(db, "src_1"))?.logs).toEqual([
    { log: "a", until: t0 - day },
    { log: "b", until: t0 - 2 * day },
  ]);
});

it("how late its records may be is what the estate says of it, or its kind", () => {
  const late = { ...shapes, deliveredWithinMs: (kind: string) => (kind === "late" ? 900 : 0) };
  const of = (body: object) => askedOf({ id: "src_1", body: { ...body } }, late).deliveredWithinMs;
  expect([of({ kind: "late" }), of({ kind: "late", deliveredWithin: 0 }), of({ kind: "fake" })]).toEqual([
    900, 0, 0,
  ]);
});

it("C7: a log has watched since its last long pause, also where that lies within one reading", async () => {
  const long = { ...rules, windowMs: 90 * day, lookBackMs: 180 * day };
  const since = async (db: Database, id: string, pauseMs = 7 * day, isBusy = true) =>
    (await watchedBy(db, [asked(id, fake, isBusy)], { ...long, pauseMs }))[0]?.since;
  const db = await house();
  const covered = { from: t0 - 60 * day, until: t0 };
  const stretches = [
    [t0 - 60 * day, t0 - 60 * day],
    [t0 - day, t0],
  ] as const;
  await look(db, [], { at: t0, shows: "log", more: { covered, stretches } });
  expect(await since(db, "src_1")).toBe(t0 - day);
  expect(await since(db, "src_1", 60 * day)).toBe(t0 - 60 * day);
  // A program of somebody's own had nothing to say meanwhile.
  expect(await since(db, "src_1", 7 * day, false)).toBe(t0 - 60 * day);
  // What an older file shows of that time fills it, in whatever order the files are read.
  const older = { from: t0 - 61 * day, until: t0 - 3 * day };
  await look(db, [], { at: t0 + 1, shows: "log", more: { covered: older } });
  expect(await since(db, "src_1")).toBe(t0 - 61 * day);
});

it("C7: parts of one reading add up to its stretches; of a part that tells of none the ends are known", async () => {
  const db = await house();
  const ref = { source: "src_1", shows: "log", settings: settingsDigest(fake) } as const;
  const { id } = await beginScan(db, { ...ref, now: t0, newId: () => newId("scn") });
  const declared = await read(db, (tx) => declaredIn(tx, shapes));
  const said = { records: 1, claims: [], copies: [], listed: [], malformed: [], gaps: [] };
  const part = (cursor: string, before: string | null, from: number, until: number, isTold: boolean) => {
    const told = { ...said, cursor, covered: { from, until } };
    const whole = isTold ? { ...told, stretches: [[from, until]] as const } : told;
    return notePart(db, { ...ref, id }, before, whole, declared, t0);
  };
  await part("a", null, t0 - 40 * day, t0 - 20 * day, true);
  await part("b", "a", t0 - 20 * day, t0, true);
  await endScan(db, { ...ref, id }, t0);
  const since = async () => (await found(db, "src_1"))?.since;
  expect(await since()).toBe(t0 - 40 * day);
  // What an earlier release has read is known at its ends, and is told by reading it anew.
  await transact(db, (tx) => tx.execute(sql`update rekey_inventory.scans set stretches = null`));
  expect(await since()).toBe(t0);
});
