/** A source that cannot be read is seen at once, with the reason, until it was read to its end; and how sources are doing. */
import { expect, it } from "vitest";
import type { Database } from "../../inventory/database.js";
import { entryNamed } from "../../inventory/estate.js";
import { beginScan, breakOff, endScan } from "../../inventory/scans.js";
import { sourcesHealth } from "../../inventory/source-health.js";
import { settingsDigest } from "../../inventory/source-settings.js";
import { dayMs, house, shapes } from "./findings-house.js";
import { newId, t0 } from "./world.js";

const hourMs = 3_600_000;

/** A house whose source can be begun and broken off by hand. */
async function failing() {
  const { db, ...rest } = await house();
  await rest.apply();
  const { id: source, body } = await entryNamed(db, "sources", "sessions");
  const settings = settingsDigest(body);
  const begin = (now: number, more = {}) =>
    beginScan(db, { ...{ source, shows: "now", settings, now, ...more }, newId: () => newId("scn") });
  const fails = async (now: number, why = "main-db cannot be reached.") =>
    breakOff(db, (await begin(now)).id, why, now + 1_000);
  const health = async (now: number) => (await sourcesHealth(db, shapes, now))[0];
  const end = async (id: string, now: number) => endScan(db, { id, source, settings, shows: "now" }, now);
  return { db, ...rest, begin, fails, health, end };
}

it("a finding says at once that a source fails and why, and ends with the next whole reading", async () => {
  const { fails, open, reading, begin, end } = await failing();
  await reading({}, t0);
  expect(await open(t0, "source-failing")).toEqual([]);
  await fails(t0 + hourMs);
  const [finding, ...more] = await open(t0 + hourMs, "source-failing");
  expect(more).toEqual([]);
  expect(finding).toMatchObject({
    ...{
      severity: "warn",
      state: "open",
      owners: ["payments"],
      subject: { type: "source", name: "sessions" },
    },
    sentence: expect.stringContaining("failed: main-db cannot be reached. It was read to its end on"),
  });
  // Somebody tries again, and looks before it has come to anything; or after it was too old to be gone on with.
  await begin(t0 + 2 * hourMs);
  expect(await open(t0 + 2 * hourMs, "source-failing")).toHaveLength(1);
  const { id } = await begin(t0 + 9 * hourMs);
  expect(await open(t0 + 9 * hourMs, "source-failing")).toHaveLength(1);
  await end(id, t0 + 10 * hourMs);
  expect(await open(t0 + 10 * hourMs, "source-failing")).toEqual([]);
});

it("what other settings met says nothing of the present ones, and who has lost a race has not failed", async () => {
  const { db, fails, open, apply, begin, end } = await failing();
  const { id } = await begin(t0);
  await end(id, t0 + 1);
  await breakOff(db, id, "Another reading of this source has ended this one.", t0 + 2);
  expect(await open(t0 + 2, "source-failing")).toEqual([]);
  await fails(t0 + 10);
  expect(await open(t0 + 10, "source-failing")).toHaveLength(1);
  await apply(({ sources, ...estate }) => ({
    ...estate,
    sources: { sessions: { kind: "fake", owner: "payments", issuer: "main-db", host: "elsewhere" } },
  }));
  expect(await open(t0 + 20, "source-failing")).toEqual([]);
});

it("old evidence says why it is old", async () => {
  const { fails, open, reading } = await failing();
  await reading({}, t0);
  await fails(t0 + 8 * dayMs);
  const [stale] = await open(t0 + 9 * dayMs, "stale-evidence");
  expect(stale?.sentence).toMatch(/Its last reading failed: main-db cannot be reached\.$/);
});

it("says of each source when it was read, why not since, what it could not see, and when it is read next", async () => {
  const { fails, reading, health, apply, begin } = await failing();
  await apply(({ sources, ...estate }) => ({
    ...estate,
    sources: { sessions: { ...sources.sessions, every: 6 * hourMs } as (typeof sources)[string] },
  }));
  const nothing = { wholeAt: null, watchedSince: null, failure: null, readingSince: null, unreadable: 0 };
  expect(await health(t0)).toMatchObject({ name: "sessions", kind: "fake", owner: "payments", ...nothing });
  const malformed = [{ where: "row 3", why: "It is no row." }];
  await reading({ gaps: ["Some are hidden."], malformed }, t0);
  const seen = { gaps: ["Some are hidden."], unreadable: 1, unreadableFirst: malformed };
  expect(await health(t0 + 1)).toMatchObject({ wholeAt: t0, watchedSince: t0, failure: null, ...seen });
  await fails(t0 + hourMs);
  const failure = { sentence: "main-db cannot be reached.", at: t0 + hourMs + 1_000 };
  const failed = await health(t0 + 2 * hourMs);
  expect(failed).toMatchObject({ wholeAt: t0, failure, readingSince: null });
  expect((failed?.nextAt ?? 0) % (6 * hourMs)).toBe(0);
  expect((failed?.nextAt ?? 0) - (t0 + 2 * hourMs)).toBeGreaterThan(0);
  expect((failed?.nextAt ?? 0) - (t0 + 2 * hourMs)).toBeLessThanOrEqual(6 * hourMs);
  // Too old to be gone on with: a new one, which has met nothing yet and hides nothing.
  await begin(t0 + 9 * hourMs);
  expect(await health(t0 + 9 * hourMs)).toMatchObject({ readingSince: t0 + 9 * hourMs, failure, gaps: [] });
});

/** How many statements a question takes. */
async function statements(db: Database, question: (db: Database) => Promise<unknown>): Promise<number> {
  const client = await db.connect();
  const query = client.query.bind(client);
  let count = 0;
  const counting = (...given: Parameters<typeof query>) => {
    count += 1;
    return query(...given);
  };
  const release = () => undefined;
  const only = new Proxy(client, {
    get: (target, key, receiver) =>
      key === "query" ? counting : key === "release" ? release : Reflect.get(target, key, receiver),
  });
  try {
    await question({ ...db, connect: async () => only });
    return count;
  } finally {
    client.release();
  }
}

it("asks as much of the database for many sources as for one", async () => {
  const { db, apply, reading } = await failing();
  await reading({}, t0);
  const asking = () => statements(db, (counted) => sourcesHealth(counted, shapes, t0));
  const before = await asking();
  await apply(({ sources, ...estate }) => {
    const more = Array.from({ length: 20 }, (_, i) => [`more-${i}`, sources.sessions] as const);
    return { ...estate, sources: { ...sources, ...Object.fromEntries(more) } as typeof sources };
  });
  expect(await sourcesHealth(db, shapes, t0)).toHaveLength(21);
  expect(await asking()).toBe(before);
});
