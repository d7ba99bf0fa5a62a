/** What is kept of what sources say is a function of all that they said: neither the order nor the cut of it decides. */
import fc from "fast-check";
import { expect, it } from "vitest";
import type { Claim, ScanPart } from "../../domain/discovery/said.js";
import type { Database } from "../../inventory/database.js";
import { read } from "../../inventory/database.js";
import { declaredIn } from "../../inventory/rematch.js";
import { beginScan, endScan, notePart } from "../../inventory/scans.js";
import { settingsDigest } from "../../inventory/source-settings.js";
import { migratedDatabase } from "./database.js";
import { fake, shapes, t0 } from "./readings.js";
import { newId } from "./world.js";

const hour = 60 * 60_000;

it("says the same in whatever order, and however it is cut", { timeout: 120_000 }, async () => {
  const at = fc.nat(3);
  const who = fc.nat(1);
  const word = fc.constantFrom("one", "two", "\uff5e", "\u{1f5dd}");
  const source = fc.constantFrom("src_a", "src_b", "src_now");
  const record = fc.constantFrom("x", "y");
  const more = { source, at, who, word, record, count: fc.integer({ min: 1, max: 3 }) };
  const claims = fc.record({ ...more, name: fc.constantFrom("a", "a b", "c") }).map(
    ({ source, at, who, word, record, count, name }): Told => ({
      source,
      claims: [
        claim(
          { is: "reader", name, traits: { workload: "b", address: `10.0.0.${who}` } },
          { ...account, createdAt: t0 + count },
          { record, sentence: word, seen: { first: t0 + at * hour, last: t0 + at * hour, count } },
        ),
      ],
    }),
  );
  const copies = fc
    .record({ ...more, literal: fc.boolean(), past: fc.boolean(), verified: fc.boolean() })
    .map(
      ({ source, at, who, word, record, count, ...more }): Told => ({
        source,
        copies: [
          {
            ...copyAt(who, at),
            ...{ record, sentence: word, ...more },
            seen: { first: t0 + (at - count) * hour, last: t0 + at * hour, count },
          },
        ],
      }),
    );
  const records = fc.array(fc.oneof(claims, copies), { minLength: 2, maxLength: 10 });
  // Each order in a house of its own: what is told of a thing is told by all sources together.
  const houses: Awaited<ReturnType<typeof migratedDatabase>>[] = [];
  for (let index = 0; index < 4; index++) houses.push(await migratedDatabase());
  await fc.assert(
    fc.asyncProperty(
      records,
      fc.infiniteStream(fc.nat(9)),
      fc.infiniteStream(fc.nat(9)),
      async (list, rank, cuts) => {
        const mixed = list
          .map((one) => [rank.next().value as number, one] as const)
          .sort(([a], [b]) => a - b)
          .map(([, one]) => one);
        const orders = [list, list.toReversed(), mixed, mixed.toReversed()];
        const all: unknown[] = [];
        for (const [index, order] of orders.entries()) {
          const { db, sql } = houses[index] as Awaited<ReturnType<typeof migratedDatabase>>;
          await sql(`truncate ${tables.map((table) => `rekey_inventory.${table}`).join(", ")} cascade`);
          // Cut into parts of one source, and into readings, wherever it falls; the first order into as few as there may be.
          const isCut = () => index > 0 && (cuts.next().value as number) < 6;
          await tellAll(db, order, isCut);
          all.push(await keptIn(sql));
        }
        for (const kept of all) expect(kept).toEqual(all[0]);
      },
    ),
    { numRuns: 20 },
  );
});

/** One record of a source, as a part of its own or with others. */
type Told = (Pick<ScanPart, "claims"> & { source: string }) | (Pick<ScanPart, "copies"> & { source: string });

/** A copy at one of few places, met at an hour. */
const copyAt = (place: number, at: number) => ({
  ...{ mark: "a".repeat(64), at: { is: "location", scope: "repository shop", path: `${place}` } as const },
  seen: { first: t0 + at * hour, last: t0 + at * hour, count: 1 },
});

/** What sources have told. */
const tables = ["scans", "things", "marks", "graph_nodes", "graph_edges", "graph_evidence", "thing_classes"];

/** Tells it to the inventory: each source goes on for as long as nothing is cut, and in a new part where it is. */
async function tellAll(db: Database, order: readonly Told[], isCut: () => boolean): Promise<void> {
  const declared = await read(db, (tx) => declaredIn(tx, shapes));
  let cursors = 0;
  for (const source of new Set(order.map((one) => one.source))) {
    let parts: ScanPart[] = [];
    const shows = source === "src_now" ? "now" : "log";
    const flush = async () => {
      cursors += 1;
      const begun = await begin(db, shows, t0 + 60 * hour + cursors, source);
      const ref = { id: begun.id, source, shows, settings: settingsDigest(fake) } as const;
      let cursor = begun.cursorAfter;
      for (const one of parts) {
        await notePart(db, ref, cursor, one, declared, t0 + 60 * hour + cursors);
        cursor = one.cursor;
      }
      await endScan(db, ref, t0 + 60 * hour + cursors);
      parts = [];
    };
    if (shows === "now") {
      // What an earlier reading of it said, and be it of later, the new one says as a whole.
      parts = [part("before", [], [{ ...copyAt(0, 5), record: "x", sentence: "before", literal: true }])];
      await flush();
    }
    for (const one of order.filter((each) => each.source === source)) {
      cursors += 1;
      const told = { claims: [], copies: [], ...one };
      const last = parts.at(-1);
      if (last === undefined || isCut()) parts.push(part(`${cursors}`, told.claims, told.copies));
      else
        parts[parts.length - 1] = part(
          `${cursors}`,
          [...last.claims, ...told.claims],
          [...last.copies, ...told.copies],
        );
      if (shows === "log" && isCut()) await flush();
    }
    await flush();
  }
}

/** All that is kept of it, but for when it was learnt or ended and by which reading. */
async function keptIn(sql: Awaited<ReturnType<typeof migratedDatabase>>["sql"]): Promise<unknown> {
  const kept: Record<string, string[]> = {};
  for (const table of tables.filter((name) => name !== "scans")) {
    const rows = await sql<Record<string, unknown>>(`select * from rekey_inventory.${table}`);
    kept[table] = rows
      .map(({ scan: _, learnt_at: __, ended_at: ended, ...row }) =>
        JSON.stringify({ ...row, isEnded: ended !== null }),
      )
      .sort();
  }
  return kept;
}

const account = { is: "account", issuer: "orders", account: "someone" } as const;

function claim(
  from: Claim["from"],
  to: Claim["to"],
  more: Pick<Claim, "record" | "sentence" | "seen">,
): Claim {
  return { known: "session", from, type: "uses", to, ...more };
}

function part(cursor: string, claims: ScanPart["claims"], copies: ScanPart["copies"]): ScanPart {
  const none = { listed: [], malformed: [], covered: null, gaps: [] };
  return { records: claims.length + copies.length, claims, copies, ...none, cursor };
}

function begin(db: Database, shows: "now" | "log", now: number, source: string) {
  return beginScan(db, { source, shows, settings: settingsDigest(fake), now, newId: () => newId("scn") });
}
