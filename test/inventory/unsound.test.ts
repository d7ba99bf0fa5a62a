/** What PostgreSQL cannot keep comes from sources too: a text is kept as it can be, the rest is told, and everything beside it is kept. */
import { expect, it } from "vitest";
import type { Claim, ScanPart, Thing } from "../../domain/discovery/said.js";
import type { Shapes } from "../../domain/estate/shapes.js";
import { read } from "../../inventory/database.js";
import { applyEstate } from "../../inventory/estate.js";
import { declaredIn } from "../../inventory/rematch.js";
import { beginScan, endScan, notePart } from "../../inventory/scans.js";
import { migratedDatabase } from "./database.js";
import { newId, sampleEstate, t0 } from "./world.js";

const shapes: Shapes = {
  shownAs: () => [],
  placeKey: (_, __, place) => String(place.path),
  seesUse: () => true,
  deliveredWithinMs: () => 0,
};
const at = (path: string): Thing => ({ is: "location", scope: "repository shop", path });
const reader = (name: string): Thing => ({ is: "reader", name, traits: { workload: name } });
const seen = { first: t0, last: t0, count: 1 };

function claim(more: Partial<Claim>): Claim {
  return {
    ...{ record: "a.yaml", known: "declared", from: reader("api"), type: "uses", to: at("x"), seen },
    ...{ sentence: "It names it.", ...more },
  };
}

it("has seen nobody in the future or in 1970, whatever the source says", async () => {
  const { db, sql } = await migratedDatabase();
  await applyEstate(db, { estate: sampleEstate(), digest: "d", by: "ann", now: t0, newId, shapes });
  const scan = { source: "src_1", shows: "log", settings: "so" } as const;
  const { id } = await beginScan(db, { ...scan, now: t0, newId: () => newId("scn") });
  const claims = [claim({ known: "read", seen: { first: 0, last: 4_102_444_800_000, count: 1 } })];
  const part: ScanPart = {
    ...{ records: 1, claims, copies: [], listed: [], malformed: [], gaps: [], cursor: "1" },
    covered: { from: 0, until: 4_102_444_800_000 },
  };
  const ref = { ...scan, id };
  await notePart(db, ref, null, part, await read(db, (tx) => declaredIn(tx, shapes)), t0);
  const { gaps, coveredFrom, coveredUntil } = await endScan(db, ref, t0);
  expect([coveredFrom, coveredUntil]).toEqual([t0, t0]);
  expect(gaps).toEqual([expect.stringContaining("not believed")]);
  const kept = await sql(
    "select first_seen, last_seen from rekey_inventory.graph_evidence where source = 'src_1'",
  );
  expect(kept.map((one) => Object.values(one).map(Number))).toEqual([[t0, t0]]);
});

it("keeps every text as it can be, and the other records of a part in which some cannot be kept", async () => {
  const { db, sql } = await migratedDatabase();
  await applyEstate(db, { estate: sampleEstate(), digest: "d", by: "ann", now: t0, newId, shapes });
  const scan = { source: "src_1", shows: "now", settings: "so" } as const;
  const { id } = await beginScan(db, { ...scan, now: t0, newId: () => newId("scn") });
  // No compression makes a row of it that an index takes.
  const long = "p".repeat(2_000).replaceAll("p", () => newId("p"));
  const claims = [
    claim({ to: at("a\0b") }),
    claim({ from: reader("\ud800") }),
    claim({ record: "\0" }),
    claim({ record: "ä".repeat(9_000) }),
    claim({ from: reader(long) }),
    claim({ sentence: "half \udc00" }),
    claim({ to: at(long) }),
    claim({ seen: { first: -9e15, last: t0, count: 1 } }),
    claim({ seen: { first: t0, last: 9e15, count: 1 } }),
    claim({ to: at("sound") }),
  ];
  const part: ScanPart = {
    ...{ records: 10, claims, copies: [], listed: [], covered: { from: Number.NaN, until: t0 } },
    ...{ malformed: [{ where: "\0", why: "\ud800" }], gaps: ["\0"], cursor: "1" },
  };
  const ref = { ...scan, id };
  await notePart(db, ref, null, part, await read(db, (tx) => declaredIn(tx, shapes)), t0);
  const ended = await endScan(db, ref, t0 + 1);
  expect(ended.malformed).toBe(4);
  expect(ended.records).toBe(10);
  expect(ended.gaps).toContain("\ufffd");
  const kept = await sql<{ path: string }>(
    "select body->>'path' as path from rekey_inventory.things where body->>'is' = 'location' order by length(body->>'path'), 1",
  );
  expect(kept.map(({ path }) => path)).toEqual(["x", "a\ufffdb", "sound", expect.stringContaining("…")]);
  const names = await sql<{ name: string }>(
    "select name from rekey_inventory.graph_nodes where type = 'identity'",
  );
  expect(names.map(({ name }) => name.slice(0, 2)).sort()).toEqual(["\ufffd", "ap", long.slice(0, 2)].sort());
  const records = await sql<{ record: string }>(
    "select distinct record from rekey_inventory.graph_evidence where source = 'src_1'",
  );
  expect(records.map(({ record }) => record.slice(0, 2)).sort()).toEqual(["a.", "ää", "\ufffd"].sort());
});
