/**
 * Upgrades from every released version: a database of that version with rows in every table is migrated to this release,
 * which has lost nothing of it, reads it, and goes on with it.
 */
import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import type { Estate } from "../../domain/estate/types.js";
import { changesBetween } from "../../domain/graph/changes.js";
import { Adjacency } from "../../domain/graph/reach.js";
import { usersOf } from "../../domain/graph/use.js";
import { adoptionOf, openAdoptions } from "../../inventory/adoptions.js";
import { documentsOf } from "../../inventory/decisions.js";
import { applyEstate, entryNamed, entryOf, listEntries, planEstate } from "../../inventory/estate.js";
import { notePieces } from "../../inventory/estate-apply.js";
import { currentEstate } from "../../inventory/estate-load.js";
import { bringFindings } from "../../inventory/finding-keep.js";
import { findingNumbered, listFindings } from "../../inventory/findings.js";
import { loadBlast } from "../../inventory/graph-blast.js";
import { loadChanged } from "../../inventory/graph-changes.js";
import { loadMap, loadUsers } from "../../inventory/graph-load.js";
import { settle } from "../../inventory/intents.js";
import { metricsAt } from "../../inventory/metrics.js";
import { bundledMigrations, type Migration, migrate } from "../../inventory/migrate.js";
import { generationOf } from "../../inventory/restores.js";
import { beginScan } from "../../inventory/scans.js";
import { submissionOf } from "../../inventory/submission.js";
import { overview, rotationView } from "../../inventory/views.js";
import { watchedBy } from "../../inventory/watching.js";
import { emptyDatabase, type Fresh } from "./database.js";
import { dayMs, shapes } from "./findings-house.js";
import { newId, t0 } from "./world.js";

const bundled = await bundledMigrations();
const newest = bundled.length;
/** The numbers of the migrations that brought what is asked for below. */
const [withSources, withFindings, withDeltas, withLearnt, withShowing] = [13, 15, 16, 22, 33];
const now = t0 + 2 * dayMs;

/** Rows as that release would have written them, of what its migration brought. */
async function fill({ sql }: Fresh, { name }: Migration): Promise<void> {
  const rows = await readFile(new URL(`./released/${name}.sql`, import.meta.url), "utf8");
  await sql(`begin; set local search_path = rekey_inventory; ${rows}; commit`);
}

type Rows = Record<string, readonly Record<string, string | null>[]>;

/** Every row of every table, by the columns that `as` has, each as its text. */
async function rowsOf({ sql }: Fresh, as?: Record<string, readonly string[]>): Promise<Rows> {
  const columns = await sql<{ table: string; column: string }>(
    `select table_name as table, column_name as column from information_schema.columns
      where table_schema = 'rekey_inventory' and table_name <> 'migrations' order by 1, 2`,
  );
  const rows: Rows = {};
  for (const [table, of] of Map.groupBy(columns, (row) => row.table)) {
    const wanted = as === undefined ? of.map(({ column }) => column) : as[table];
    if (wanted === undefined) continue;
    const texts = wanted.map((column) => `"${column}"::text as "${column}"`).join(", ");
    const found = await sql<Record<string, string | null>>(`select ${texts} from rekey_inventory.${table}`);
    rows[table] = found
      .map((row) => JSON.stringify(row))
      .sort()
      .map((row) => JSON.parse(row));
  }
  return rows;
}

const columnsOf = (rows: Rows) =>
  Object.fromEntries(Object.entries(rows).map(([table, [row]]) => [table, Object.keys(row ?? {})]));

/** A database of that version, with rows. */
async function released(version: number): Promise<Fresh> {
  const fresh = await emptyDatabase();
  const past = bundled.slice(0, version);
  await migrate(fresh.db, past);
  for (const migration of past) await fill(fresh, migration);
  return fresh;
}

/** What the program says of the records, all of them by the functions that commands and activities call. */
async function reads({ db }: Fresh, version: number): Promise<void> {
  const current = await currentEstate(db);
  expect(current).toMatchObject({
    number: version < withSources ? 2 : version < withDeltas ? 3 : 4,
    estate: { version: 1, installation: "test", credentials: { "orders-db": { owner: "payments" } } },
  });
  expect(Object.keys(current?.estate.sources ?? {})).toEqual(version < withSources ? [] : ["sessions"]);
  const names = async (ended: boolean) =>
    (await listEntries(db, "consumers", { ended })).map(({ name }) => name);
  expect(await names(false)).toEqual(["checkout", "reports"]);
  expect(await names(true)).toEqual(["checkout", "mailer", "reports"]);
  if (version >= 2) await readsRotations(db);
  if (version >= 3)
    expect(await documentsOf(db, "rot_past")).toMatchObject([{ jti: "dec_1", person: "ann" }]);
  if (version >= 4) {
    expect(await adoptionOf(db, "crd_billingdb")).toMatchObject({ id: "ado_2", plan: { direction: "undo" } });
    expect(await openAdoptions(db)).toMatchObject([{ id: "ado_2", digest: "a2" }]);
  }
  await readsChanges(db, version);
  const generation = version < 8 ? { number: 1, mark: 0 } : { number: 2, mark: 17 };
  expect(await generationOf(db)).toMatchObject({ id: "gen_1", halt: null, ...generation });
}

/** What a release has written that did not keep when it learnt of something, it learnt of when it was first so. */
async function readsChanges(db: Fresh["db"], version: number): Promise<void> {
  const came = async (by: "learnt" | "record", from: string, until: string) => {
    const of = { from: Date.parse(from), until: Date.parse(until), by };
    return changesBetween(await loadChanged(db, of), of).came.nodes.map(({ thing }) => thing.name);
  };
  const stranger = "psql from 10.0.0.9";
  const first = ["2026-03-01T09:00:00.122Z", "2026-03-01T09:00:00.124Z"] as const;
  const known = (await came("record", ...first)).filter((name) => version < withLearnt || name !== stranger);
  expect((await came("learnt", ...first)).sort()).toEqual(known.sort());
  expect(known.includes(stranger)).toBe(version >= withSources && version < withLearnt);
  expect(await came("learnt", "2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z")).toEqual(
    version < withLearnt ? [] : [stranger],
  );
}

async function readsRotations(db: Fresh["db"]): Promise<void> {
  expect(await rotationView(db, "rot_past")).toMatchObject({
    ...{ outcome: "rotated", name: "billing-db", events: [{ type: "closed" }] },
    changes: [{ change: 1, outcome: "done", step: { do: "issue" } }],
  });
  const open = await rotationView(db, "rot_open");
  expect(open).toMatchObject({
    ...{ closedAt: null, leases: ["con_checkout"], openIntent: { change: 1 } },
    changes: [{ change: 1, outcome: null }],
  });
  // In the order in which they were written: a decision was signed over it.
  expect(Object.keys(open.initial.versions)).toEqual(["ver_rot_open", "ver_first"]);
  expect(await overview(db, now)).toMatchObject({ open: [{ id: "rot_open" }] });
}

/** Who uses the credential, by name and how it is known. */
async function users(db: Fresh["db"]): Promise<string[]> {
  const graph = await loadUsers(db, "crd_ordersdb");
  return usersOf(new Adjacency(graph), "crd_ordersdb")
    .map(({ node, known }) => `${node.name} ${known}`)
    .sort();
}

const declared = ["checkout declared", "reports declared"];

/** The map and what sources said, once the same estate was applied again. */
async function readsMap({ db }: Fresh, version: number): Promise<void> {
  const seen = version < withSources ? [] : ["psql from 10.0.0.9 session"];
  expect(await users(db)).toEqual([...declared, ...seen].sort());
  expect([...(await loadMap(db)).nodes.values()].map(({ name }) => name)).not.toContain("mailer");
  const { blast } = await loadBlast(db, "crd_ordersdb", { limit: 100, now: t0 });
  expect(blast.breaks.map(({ node }) => node.name)).toEqual(expect.arrayContaining(["checkout", "reports"]));
  if (version < withSources) return;
  const times = { windowMs: 35 * dayMs, lookBackMs: 70 * dayMs, pauseMs: 7 * dayMs, now };
  const { body } = await entryOf(db, "src_sessions");
  // By which settings it was read before 0014 nobody has written down.
  expect(await watchedBy(db, [{ id: "src_sessions", body, isBusy: true }], times)).toMatchObject([
    { wholeAt: version < 14 ? null : Date.parse("2026-03-01T12:01:00Z") },
  ]);
}

/** Findings keep their numbers, their exceptions and their history; a new look finds what it finds. */
async function readsFindings({ db }: Fresh, version: number): Promise<void> {
  const before = await listFindings(db, { ended: true }, t0 + dayMs);
  expect(before.findings.map(({ code }) => code).sort()).toEqual(
    [
      ...(version < withFindings ? [] : ["literal", "no-purpose", "short-watch", "unmapped-reader"]),
      ...(version < withShowing ? [] : ["overdue"]),
    ].sort(),
  );
  expect(before.findings.flatMap(({ sources }) => sources)).toEqual(
    version < withShowing ? [] : ["src_sessions"],
  );
  await bringFindings(db, shapes, now);
  const { findings } = await listFindings(db, {}, now);
  expect(findings.map(({ code }) => code)).toEqual(expect.arrayContaining(["never-verified", "no-purpose"]));
  const stranger = findings.find(({ code }) => code === "unmapped-reader");
  if (version < withSources) expect(stranger).toBeUndefined();
  else expect(stranger).toMatchObject({ state: "open", about: { name: "psql from 10.0.0.9" } });
  if (version < withFindings) return;
  for (const { number, code, firstSeen } of before.findings) {
    const kept = await findingNumbered(db, number, now);
    expect(kept?.finding).toMatchObject({ code, firstSeen });
    expect(kept?.changes[0]).toMatchObject({ at: t0 + dayMs });
  }
  expect(stranger).toMatchObject({
    number: before.findings.find(({ code }) => code === stranger?.code)?.number,
  });
}

/** The estate is applied again, as it stands and then changed; a rotation that was open goes on. */
async function goesOn({ db }: Fresh, version: number): Promise<void> {
  const { estate, digest } = (await currentEstate(db)) as { estate: Estate; digest: string };
  expect((await planEstate(db, estate)).empty).toBe(true);
  const before = await listEntries(db, "credentials");
  const applying = { by: "ann", now, newId, shapes };
  await notePieces(db, submissionOf(estate, digest), applying);
  await readsMap({ db } as Fresh, version);
  await readsFindings({ db } as Fresh, version);
  const { revision } = await applyEstate(db, { estate, digest, ...applying });
  expect(await listEntries(db, "credentials")).toEqual(before);
  // A consumer of both credentials goes; one of them is in a rotation, of which nobody may be taken.
  const event = { type: "issued", at: now, version: "ver_rot_open", change: 1, tag: "tag-2" } as const;
  const done = { rotation: "rot_open", epoch: 1, change: 1, outcome: "done", event, at: now } as const;
  if (version >= 2) expect(await settle(db, done)).toMatchObject({ outcome: "done", repeated: false });
  const billing = estate.credentials["billing-db"];
  const changed = { ...billing, consumers: billing?.consumers.slice(0, 1) } as NonNullable<typeof billing>;
  const next = { ...estate, credentials: { ...estate.credentials, "billing-db": changed } };
  const applied = await applyEstate(db, { estate: next, digest: "next", ...applying, now: now + 1 });
  expect(applied).toMatchObject({ revision: revision + 1, diff: { empty: false } });
  expect(applied.diff.sections.credentials.changed.map(({ name }) => name)).toEqual(["billing-db"]);
  expect((await entryNamed(db, "credentials", "billing-db")).id).toBe("crd_billingdb");
  expect(await users(db)).toEqual(expect.arrayContaining(declared));
  const scan = { source: "src_sessions", shows: "now", settings: "s1", now, newId: () => "scn_new" } as const;
  expect(await beginScan(db, scan)).toMatchObject({ id: "scn_new" });
  expect((await metricsAt(db, shapes, now)).length).toBeGreaterThan(5);
}

describe("an upgrade from an earlier release", () => {
  for (const { number, name } of bundled) {
    it(`loses nothing of what ${name} had, reads it and goes on with it`, async () => {
      const fresh = await released(number);
      const before = await rowsOf(fresh);
      expect(Object.entries(before).flatMap(([table, rows]) => (rows.length === 0 ? [table] : []))).toEqual(
        [],
      );
      const { applied } = await migrate(fresh.db);
      expect(applied).toHaveLength(newest - number);
      expect(await rowsOf(fresh, columnsOf(before))).toEqual(before);
      await reads(fresh, number);
      await goesOn(fresh, number);
    });
  }

  it("loses nothing of an installation that went through every release", async () => {
    const fresh = await emptyDatabase();
    let before: Rows = {};
    for (const [index, migration] of bundled.entries()) {
      await migrate(fresh.db, bundled.slice(0, index + 1));
      expect(await rowsOf(fresh, columnsOf(before))).toEqual(before);
      await fill(fresh, migration);
      before = await rowsOf(fresh);
    }
    await reads(fresh, newest);
    await goesOn(fresh, newest);
  });
});
