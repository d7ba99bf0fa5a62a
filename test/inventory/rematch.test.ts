/** What was seen before the estate changed is on the map as if the estate had always been so, whichever things it is about. */
import fc from "fast-check";
import { expect, it } from "vitest";
import type { Claim, Thing } from "../../domain/discovery/said.js";
import type { Shapes } from "../../domain/estate/shapes.js";
import type { Estate } from "../../domain/estate/types.js";
import { type Database, read } from "../../inventory/database.js";
import { applyEstate } from "../../inventory/estate.js";
import { loadMap } from "../../inventory/graph-load.js";
import { declaredIn } from "../../inventory/rematch.js";
import { beginScan, notePart } from "../../inventory/scans.js";
import { migratedDatabase } from "./database.js";
import { newId, sampleEstate, t0 } from "./world.js";

const shapes: Shapes = {
  shownAs: (_, { account }) => Object.values(account).map(String),
  placeKey: (_, __, place) => String(place.path),
  seesUse: () => true,
  deliveredWithinMs: () => 0,
};

const readers = ["a", "b", "c"].map(
  (name): Thing => ({ is: "reader", name, traits: { applicationName: name } }),
);
const accounts = ["x", "y"].map(
  (account): Thing => ({ is: "account", issuer: "main-db", account, class: "service-account" }),
);

/** Who claims which reader, and which accounts are some credential's. */
interface Saying {
  readonly checkout: readonly string[];
  readonly reports: readonly string[];
  readonly orders: string;
  readonly billing: string;
}

function estateOf({ checkout, reports, orders, billing }: Saying): Estate {
  const base = sampleEstate();
  const claiming = (name: "checkout" | "reports", applicationName: readonly string[]) => ({
    ...base.consumers[name],
    match: { applicationName, address: [] },
  });
  const [first, second] = [base.credentials["orders-db"], base.credentials["billing-db"]];
  return {
    ...base,
    consumers: { checkout: claiming("checkout", checkout), reports: claiming("reports", reports) },
    credentials: {
      "orders-db": { ...first, account: { login: orders } },
      "billing-db": { ...second, account: { login: billing } },
    },
  } as Estate;
}

const saying = fc.record({
  checkout: fc.subarray(["a", "b", "c"]),
  reports: fc.subarray(["a", "b", "c"]),
  orders: fc.constantFrom("x", "o1"),
  billing: fc.constantFrom("y", "b1"),
});

const seen = fc.array(
  fc.record({ reader: fc.nat(2), account: fc.nat(1), record: fc.constantFrom("1", "2") }),
  {
    minLength: 1,
    maxLength: 8,
  },
);

async function tell(db: Database, list: readonly { reader: number; account: number; record: string }[]) {
  const claims = list.map(
    ({ reader, account, record }): Claim => ({
      ...{ record, known: "session", type: "uses", sentence: "It is connected." },
      ...{ from: readers[reader] as Thing, to: accounts[account] as Thing },
      seen: { first: t0, last: t0, count: 1 },
    }),
  );
  const begun = await beginScan(db, {
    source: "src_1",
    shows: "log",
    settings: "so",
    now: t0,
    newId: () => newId("scn"),
  });
  const declared = await read(db, (tx) => declaredIn(tx, shapes));
  const part = {
    records: claims.length,
    claims,
    copies: [],
    listed: [],
    malformed: [],
    covered: null,
    gaps: [],
  };
  await notePart(
    db,
    { id: begun.id, source: "src_1", shows: "log", settings: "so" },
    null,
    { ...part, cursor: "1" },
    declared,
    t0,
  );
}

/** The map by names: ids differ from one database to another. */
async function mapIn(db: Database): Promise<string[]> {
  const { nodes, edges } = await loadMap(db);
  const named = (id: string) => `${nodes.get(id)?.type} ${nodes.get(id)?.name}`;
  return [
    ...[...nodes.values()].map(({ type, name }) => `${type} ${name}`),
    ...edges.map(({ from, type, to, evidence }) => {
      const known = evidence.map(({ kind, source, count }) => `${kind} ${source} ${count}`).sort();
      return `${named(from)} ${type} ${named(to)}: ${known.join(", ")}`;
    }),
  ].sort();
}

it("is the same map, whether the estate changes before or after", async () => {
  let applied = 0;
  const apply = (db: Database, estate: Estate) =>
    applyEstate(db, { estate, digest: `d${++applied}`, by: "ann", now: t0 + applied, newId, shapes });
  await fc.assert(
    fc.asyncProperty(
      fc.array(saying, { minLength: 1, maxLength: 3 }),
      saying,
      seen,
      async (before, last, list) => {
        const first = await migratedDatabase();
        const [begin = last, ...more] = before;
        await apply(first.db, estateOf(begin));
        await tell(first.db, list);
        for (const one of [...more, last]) await apply(first.db, estateOf(one));
        const changed = await mapIn(first.db);
        const second = await migratedDatabase();
        await apply(second.db, estateOf(last));
        await tell(second.db, list);
        expect(changed).toEqual(await mapIn(second.db));
      },
    ),
    { numRuns: 12 },
  );
});
