/** What readings tell of the time before a version is taken away: up to when a log's records reach, and what was missing when. */
import { expect, it } from "vitest";
import { type Database, read } from "../../inventory/database.js";
import { declaredIn } from "../../inventory/rematch.js";
import { beginScan, notePart } from "../../inventory/scans.js";
import { settingsDigest } from "../../inventory/source-settings.js";
import { askedOf, watchedBy } from "../../inventory/watching.js";
import { asked, day, fake, house, look, shapes, t0 } from "./readings.js";
import { newId } from "./world.js";

const rules = { windowMs: 30 * day, lookBackMs: 60 * day, pauseMs: 7 * day, now: t0 + 9 * day };
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
    lacking: [
      { at: t0, gaps: ["It was replaced."] },
      { at: t0 + 2 * day, gaps: ["It has shrunk."] },
    ],
  });
  const how = { source: "src_2", shows: "log", settings: settingsDigest(fake) } as const;
  await look(db, [], { at: t0 - day, source: "src_2", shows: "log" });
  const broken = await beginScan(db, { ...how, now: t0, newId: () => newId("scn") });
  const declared = await read(db, (tx) => declaredIn(tx, shapes));
  const said = { records: 0, claims: [], copies: [], listed: [], malformed: [], covered: null, cursor: "c" };
  const part = { ...said, gaps: ["It is away."] };
  await notePart(db, { ...how, id: broken.id }, broken.cursorAfter, part, declared, t0);
  expect((await found(db, "src_2"))?.lacking).toEqual([{ at: rules.now, gaps: ["It is away."] }]);
  await look(db, [], { at: t0 + 3 * day, source: "src_2", shows: "log" });
  expect((await found(db, "src_2"))?.lacking).toEqual([{ at: t0 + 3 * day, gaps: ["It is away."] }]);
  await look(db, [], { at: t0, source: "src_now", more: { gaps: ["b is away."] } });
  expect((await found(db, "src_now"))?.lacking).toEqual([{ at: t0, gaps: ["b is away."] }]);
  await look(db, [], { at: t0 + 1, source: "src_now" });
  expect((await found(db, "src_now"))?.lacking).toEqual([]);
});

it("how late its records may be is what the estate says of it, or its kind", () => {
  const late = { ...shapes, deliveredWithinMs: (kind: string) => (kind === "late" ? 900 : 0) };
  const of = (body: object) => askedOf({ id: "src_1", body: { ...body } }, late).deliveredWithinMs;
  expect([of({ kind: "late" }), of({ kind: "late", deliveredWithin: 0 }), of({ kind: "fake" })]).toEqual([
    900, 0, 0,
  ]);
});
