/** What was not met ends where it was looked for; what is hidden stays, and one gap does not keep the rest for ever. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { kinds } from "../../adapters/registry.js";
import type { Claim, Copy, Hidden, Listed, ScanPart, Thing } from "../../domain/discovery/said.js";
import type { Database } from "../../inventory/database.js";
import { read } from "../../inventory/database.js";
import { declaredIn } from "../../inventory/rematch.js";
import { beginScan, endScan, notePart } from "../../inventory/scans.js";
import { folderWith } from "../contract/sources/folder-world.js";
import { testEngine } from "../support/engine.js";
import { migratedDatabase } from "./database.js";
import { day, look, shapes, t0 } from "./readings.js";
import { newId } from "./world.js";

/** A use that a file names. */
const named = (record: string, path = record): Claim => ({
  ...{ record, known: "declared", type: "uses", sentence: `${record} names it.` },
  from: { is: "reader", name: `reader of ${path}`, traits: { workload: path } },
  to: { is: "location", scope: "repository shop", path },
  seen: { first: t0, last: t0, count: 1 },
});
const torn = (record: string, why = `${record} is not complete.`): Hidden => ({ record, why });
const gapsOf = (...hidden: readonly Hidden[]) => ({ gaps: hidden.map(({ why }) => why), hidden });

type Sql = Awaited<ReturnType<typeof migratedDatabase>>["sql"];

/** By whose records something is on the map still. */
async function records(sql: Sql, table = "graph_evidence"): Promise<string[]> {
  const rows = await sql<{ record: string }>(
    `select distinct record from rekey_inventory.${table} where source = 'src_1' and ended_at is null order by 1`,
  );
  return rows.map(({ record }) => record);
}

describe("what a reading did not meet", () => {
  it("has ended where its record was read whole or is gone, and stays in a record with a gap", async () => {
    const { db, sql } = await migratedDatabase();
    const gap = gapsOf(torn("b.yaml"));
    const all = ["a.yaml", "b.yaml", "b.yaml/inner", "b.yaml2"];
    const copies = all.map(copyIn);
    const listed = all.map(wordIn);
    await look(
      db,
      all.map((record) => named(record)),
      { at: t0, more: { ...gap, copies, listed } },
    );
    await look(db, [named("b.yaml", "another")], { at: t0 + day, more: gap });
    for (const table of ["graph_evidence", "marks", "thing_words"])
      expect(await records(sql, table)).toEqual(["b.yaml", "b.yaml/inner"]);
    // The file itself has gone, and its gap with it.
    await look(db, [], { at: t0 + 2 * day });
    for (const table of ["graph_evidence", "marks", "thing_words"])
      expect(await records(sql, table)).toEqual([]);
  });

  it("stays all of it where a gap may be anywhere, or there are more than are kept", async () => {
    const { db, sql } = await migratedDatabase();
    await look(db, [named("a.yaml")], { at: t0, more: { gaps: ["One node did not answer."] } });
    await look(db, [], { at: t0 + 90 * day, more: { gaps: ["One node did not answer."] } });
    const many = Array.from({ length: 2_001 }, (_, index) => torn(`${index}.yaml`));
    await look(db, [], { at: t0 + 180 * day, more: gapsOf(...many) });
    await look(db, [], { at: t0 + 270 * day, more: { malformed: [{ where: "x", why: "no YAML" }] } });
    expect(await records(sql)).toEqual(["a.yaml"]);
  });

  it("stays for a window where something is hidden that was not when it was met: it may have moved there", async () => {
    const { db, sql } = await migratedDatabase();
    const old = gapsOf(torn("old.yaml"));
    await look(db, [named("a.yaml")], { at: t0, more: old });
    const renamed = gapsOf(torn("old.yaml"), torn("renamed.yaml"));
    for (const days of [1, 10, 34]) await look(db, [], { at: t0 + days * day, more: renamed });
    expect(await records(sql)).toEqual(["a.yaml"]);
    // It has stood there whole again, and is gone.
    await look(db, [named("a.yaml")], { at: t0 + 35 * day, more: renamed });
    await look(db, [], { at: t0 + 36 * day, more: renamed });
    expect(await records(sql)).toEqual([]);

    await look(db, [named("c.yaml")], { at: t0 + 40 * day, more: old });
    await look(db, [], { at: t0 + 74 * day, more: renamed });
    expect(await records(sql)).toEqual(["c.yaml"]);
    await look(db, [], { at: t0 + 76 * day, more: renamed });
    expect(await records(sql)).toEqual([]);
  });

  it("is back under its row, and the time that it was there before is kept beside it", async () => {
    const { db, sql } = await migratedDatabase();
    const there = { copies: [copyIn("a.yaml")] };
    await look(db, [named("a.yaml")], { at: t0, more: there });
    for (const days of [1, 3]) {
      await look(db, [], { at: t0 + days * day });
      await look(db, [named("a.yaml")], { at: t0 + (days + 1) * day, more: there });
    }
    const spans = await sql<{ of: string; key: string[]; learnt: string | null; ended: string }>(
      `select of, key, (extract(epoch from learnt_at) * 1000)::text as learnt, (extract(epoch from ended_at) * 1000)::float8::text as ended
        from rekey_inventory.past_spans order by ended_at, of`,
    );
    const days = ({ ended }: { ended: string }) => (Number(ended) - t0) / day;
    expect(spans.map((span) => [span.of, span.key.length, days(span)])).toEqual(
      [1, 3].flatMap((at) => [
        ["copy", 4, at],
        ["edge", 3, at],
        ["node", 1, at],
      ]),
    );
    expect(spans[0]?.key.slice(2)).toEqual(["src_1", "a.yaml"]);
    expect(spans.filter(({ of }) => of === "edge").map(({ learnt }) => Number(learnt))).toEqual([
      t0,
      t0 + 2 * day,
    ]);
    await expect(sql("delete from rekey_inventory.past_spans")).rejects.toThrow();
  });

  it("of an earlier release's reading goes by the gaps that it had", async () => {
    const { db, sql } = await migratedDatabase();
    const [known, news] = [gapsOf(torn("b.yaml")), gapsOf(torn("c.yaml"))];
    await look(db, [named("a.yaml")], { at: t0, more: { ...known, listed: [wordIn("a.yaml")] } });
    await sql("update rekey_inventory.scans set hidden = null");
    await sql("update rekey_inventory.thing_words set record = null");
    await look(db, [], { at: t0 + day, more: news });
    expect(await records(sql)).toEqual(["a.yaml"]);
    await look(db, [], { at: t0 + 2 * day, more: known });
    expect([await records(sql), await records(sql, "thing_words")]).toEqual([[], [null]]);
    // A reading that it has begun goes on here.
    await look(db, [named("a.yaml")], { at: t0 + 3 * day, more: known });
    const how = { source: "src_1", shows: "now", settings: "old" } as const;
    const begun = await beginScan(db, { ...how, now: t0 + 4 * day, newId: () => newId("scn") });
    await sql("update rekey_inventory.scans set hidden = null");
    const declared = await read(db, (tx) => declaredIn(tx, shapes));
    const ref = { id: begun.id, ...how };
    await notePart(db, ref, begun.cursorAfter, part("1", known), declared, t0 + 4 * day);
    await endScan(db, ref, t0 + 4 * day);
    expect(await records(sql)).toEqual([]);
  });

  it("is the same in whatever order the parts of a reading come, and however often", {
    timeout: 60_000,
  }, async () => {
    const { db, sql } = await migratedDatabase();
    const files = ["a", "b", "c"];
    const parts = fc.array(
      fc.record({
        met: fc.subarray(files),
        torn: fc.subarray(files),
        anywhere: fc.integer({ min: 0, max: 9 }),
      }),
      { minLength: 1, maxLength: 4 },
    );
    let round = 0;
    const left = async (list: readonly ScanPart[]) => {
      round += 1;
      const at = t0 + round * 200 * day;
      await look(
        db,
        files.map((record) => named(record)),
        { at, more: gapsOf(...files.map((file) => torn(file))) },
      );
      const how = { source: "src_1", shows: "now", settings: `s${round}` } as const;
      const begun = await beginScan(db, { ...how, now: at + day, newId: () => newId("scn") });
      const declared = await read(db, (tx) => declaredIn(tx, shapes));
      let cursor = begun.cursorAfter;
      for (const [index, one] of list.entries()) {
        await notePart(
          db,
          { id: begun.id, ...how },
          cursor,
          { ...one, cursor: `${index}` },
          declared,
          at + day,
        );
        cursor = `${index}`;
      }
      await endScan(db, { id: begun.id, ...how }, at + day);
      return records(sql);
    };
    await fc.assert(
      fc.asyncProperty(parts, async (told) => {
        const all = told.map(({ met, torn: hidden, anywhere }) =>
          part("", {
            ...(anywhere === 0
              ? { gaps: ["One node did not answer."] }
              : gapsOf(...hidden.map((file) => torn(file)))),
            claims: met.map((record) => named(record)),
          }),
        );
        const kept = await left(all);
        expect(await left([...all.toReversed(), ...all])).toEqual(kept);
        const isAnywhere = told.some(({ anywhere }) => anywhere === 0);
        const spared = told.flatMap(({ met, torn: hidden }) => [...met, ...hidden]);
        expect(kept).toEqual(files.filter((file) => isAnywhere || spared.includes(file)));
      }),
      { numRuns: 15 },
    );
  });

  it("of manifests with a kustomization that nobody can render ends with its file, and what it makes itself stays", async () => {
    const { db, sql } = await migratedDatabase();
    const overlay = (resources: string) =>
      `${resources}secretGenerator: [{name: s, literals: [PASSWORD=Zr7-trumpet-Lake-93xwQ]}]\npatches: [{path: p.yaml}]\n`;
    const pod = JSON.stringify({
      ...{ apiVersion: "v1", kind: "Pod", metadata: { name: "old", namespace: "shop" } },
      spec: {
        containers: [
          {
            name: "c",
            env: [
              { name: "DB_PASSWORD", value: "Kx4-copper-River-17bvT" },
              { name: "T", valueFrom: { secretKeyRef: { name: "s", key: "k" } } },
            ],
          },
        ],
      },
    });
    const folder = await folderWith({
      "pod.yaml": pod,
      "overlay/kustomization.yaml": overlay("resources: [../pod.yaml]\n"),
      "overlay/p.yaml":
        "apiVersion: v1\nkind: Pod\nmetadata: {name: old, namespace: shop}\nspec: {priority: 1}\n",
    });
    try {
      const kind = kinds.sources["kubernetes-manifests"];
      if (kind === undefined) throw new Error("the kind is there");
      const { deps } = await testEngine();
      const config = kind.config.parse({ directory: folder.directory, cluster: "prod" });
      const reading = (at: number) => readAll(db, kind.create(config, { ...deps, now: () => at }), at);
      await reading(t0);
      expect(await records(sql)).toEqual(["overlay/kustomization.yaml", "pod.yaml"]);
      await folder.remove("pod.yaml");
      await folder.write({ "overlay/kustomization.yaml": overlay("") });
      await reading(t0 + day);
      for (const table of ["graph_evidence", "marks"])
        expect(await records(sql, table)).toEqual(["overlay/kustomization.yaml"]);
    } finally {
      await folder.dispose();
    }
  });
});

const at = (path: string): Thing & { is: "location" } => ({ is: "location", scope: "repository shop", path });
const seen = { first: t0, last: t0, count: 1 };

function copyIn(record: string): Copy {
  return { record, at: at(record), mark: `mark of ${record}`, literal: true, seen, sentence: "A password." };
}

function wordIn(record: string): Listed {
  return { record, thing: at(record), seen, purpose: "Orders are written with it." };
}

function part(cursor: string, more: Partial<ScanPart>): ScanPart {
  const none = { records: 0, claims: [], copies: [], listed: [], malformed: [], covered: null, gaps: [] };
  return { ...none, cursor, ...more };
}

type Source = ReturnType<NonNullable<(typeof kinds.sources)[string]>["create"]>;

async function readAll(db: Database, source: Source, now: number): Promise<void> {
  const how = { source: "src_1", shows: "now", settings: "s" } as const;
  const begun = await beginScan(db, { ...how, now, newId: () => newId("scn") });
  const declared = await read(db, (tx) => declaredIn(tx, shapes));
  let cursor = begun.cursorAfter;
  for await (const one of source.scan(cursor, { signal: AbortSignal.timeout(30_000) })) {
    await notePart(db, { id: begun.id, ...how }, cursor, one, declared, now);
    cursor = one.cursor;
  }
  await endScan(db, { id: begun.id, ...how }, now);
}
