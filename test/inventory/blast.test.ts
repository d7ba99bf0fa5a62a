/** The blast radius out of the database: the part of it that is shown is the nearest of the whole, and what is counted is all of it. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { blastOf, tallyOf } from "../../domain/graph/blast.js";
import { type BlastRadius, loadBlast } from "../../inventory/graph-blast.js";
import { loadMap } from "../../inventory/graph-load.js";
import { migratedDatabase } from "./database.js";
import { anyEdges, kept } from "./maps.js";
import { t0 } from "./world.js";

it("says that there is more than it has counted", async () => {
  const { db } = await migratedDatabase();
  await kept(
    db,
    ["s0", "s1", "s2", "i0"].map((from) => ({ from, type: "uses" as const, to: "c0" })),
  );
  const { blast, breaks } = await loadBlast(db, "c0", { limit: 1, counted: 2, now: t0 });
  expect(blast.breaks).toHaveLength(1);
  expect(breaks).toMatchObject({ things: 3, isWhole: false });
  expect((await loadBlast(db, "c0", { limit: 1, counted: 4, now: t0 })).breaks).toMatchObject({
    things: 4,
    isWhole: true,
  });
});

it("goes on where what it has read of a level was nothing but one thing over and over", async () => {
  const { db } = await migratedDatabase();
  const all = ["c0", "c1", "c2", "c3"];
  await kept(db, [
    ...all.map((from) => ({ from, type: "owned-by" as const, to: "o0" })),
    ...all.map((to) => ({ from: "s0", type: "uses" as const, to })),
    { from: "s1", type: "uses", to: "c3" },
  ]);
  expect((await loadBlast(db, "o0", { limit: 1, counted: 1, now: t0 })).breaks).toMatchObject({
    things: 2,
    isWhole: false,
  });
  expect((await loadBlast(db, "o0", { limit: 1, counted: 2, now: t0 })).breaks).toMatchObject({
    things: 2,
    isWhole: true,
  });
});

const flat = (list: BlastRadius["blast"]["breaks"]) =>
  list.map(({ node, distance, owners }) => [node.id, distance, owners] as const);

it("shows the nearest, over ways that lead there, and counts all", async () => {
  await fc.assert(
    fc.asyncProperty(anyEdges, fc.integer({ min: 1, max: 6 }), async (edges, limit) => {
      const { db } = await migratedDatabase();
      await kept(db, edges);
      const map = await loadMap(db);
      for (const id of ["c0", "s0", "o0"]) {
        const whole = blastOf(map, id);
        const all = await loadBlast(db, id, { limit: null, now: t0 });
        expect({ ...all.blast, starts: all.blast.starts.map((node) => node.id).sort() }).toMatchObject({
          owners: whole.owners,
          starts: whole.starts.map((node) => node.id).sort(),
        });
        for (const list of ["breaks", "exposed"] as const) {
          expect(flat(all.blast[list])).toEqual(flat(whole[list]));
          expect(all[list]).toEqual(tallyOf(whole[list]));
        }
        const part = await loadBlast(db, id, { limit: limit, now: t0 });
        expect(part.begins).toBe(whole.starts.length);
        expect(part.blast.owners).toEqual(whole.owners);
        for (const owner of whole.owners) expect(part.graph.nodes.get(owner)?.name).toBe(owner);
        for (const list of ["breaks", "exposed"] as const) {
          expect(part[list]).toEqual(tallyOf(whole[list]));
          const shown = part.blast[list];
          const distances = whole[list].map(({ distance }) => distance);
          const isCut = part.breaks.things > limit || part.exposed.things > limit;
          expect(shown.map(({ distance }) => distance)).toEqual(
            isCut ? distances.slice(0, limit) : distances,
          );
          const known = new Map(flat(whole[list]).map((one) => [one[0], one]));
          for (const one of flat(shown)) expect(one).toEqual(known.get(one[0]));
          const begins = new Set([...whole.starts.map((node) => node.id)]);
          for (const { node, way, distance } of shown) {
            expect(way).toHaveLength(distance);
            const first = way[0];
            // A copy of what is taken away is a beginning, too.
            if (list === "exposed")
              expect(begins.has(first?.from ?? "") || begins.has(first?.to ?? "")).toBe(true);
            const last = way.at(-1);
            expect([last?.from, last?.to]).toContain(node.id);
          }
        }
      }
    }),
    { numRuns: 25 },
  );
});
