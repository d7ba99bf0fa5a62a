/** What is known today and was not yesterday: by when it was learnt, whatever the moment that the record has. */
import { expect, it } from "vitest";
import type { Estate } from "../../domain/estate/types.js";
import { changesBetween, type Reckoning } from "../../domain/graph/changes.js";
import type { GraphNode } from "../../domain/graph/types.js";
import type { Database } from "../../inventory/database.js";
import { loadChanged } from "../../inventory/graph-changes.js";
import { dayMs, house, use } from "./findings-house.js";
import { t0 } from "./world.js";

const psql = "psql from 10.0.0.9";

/** A use at a moment, by somebody whom no consumer accounts for. */
const used = (at: number, count = 1) => ({ claims: [{ ...use, seen: { first: at, last: at, count } }] });

/** What changed on a day that begins then, each with its other moment, in days since the beginning. */
async function changesOn(db: Database, from: number, by: Reckoning = "learnt") {
  const of = { from, until: from + dayMs, by };
  const graph = await loadChanged(db, of);
  const { came, ended, learnt } = changesBetween(graph, of);
  const name = (id: string) => graph.nodes.get(id)?.name ?? "";
  const days = (at: number) => Math.round(((at - t0) / dayMs) * 10) / 10;
  const edges = (what: string, list: typeof came.edges) =>
    list.map(
      ({ thing, at }) =>
        `${what} ${name(thing.from)} ${thing.type} ${name(thing.to)}: ${days(at.learnt)} of ${days(at.record)}`,
    );
  const nodes = (what: string, list: typeof came.nodes) =>
    list.map(({ thing, at }) => `${what} ${named(thing)}: ${days(at.learnt)} of ${days(at.record)}`);
  return [
    ...nodes("came", came.nodes),
    ...edges("came", came.edges),
    ...edges("learnt", learnt),
    ...nodes("ended", ended.nodes),
    ...edges("ended", ended.edges),
  ].sort();
}

const named = ({ type, name }: GraphNode) => `${type} ${name}`;

/** Then checkout is psql. */
const claiming = (estate: Estate): Estate => ({
  ...estate,
  consumers: {
    ...estate.consumers,
    checkout: {
      ...estate.consumers.checkout,
      match: { applicationName: [], address: ["10.0.0.9"] },
    } as NonNullable<Estate["consumers"]["checkout"]>,
  },
});

it("a record of three weeks ago that is read today is news of today, and of three weeks ago by the record", async () => {
  const { db, apply, reading } = await house();
  await apply();
  const today = t0 + 30 * dayMs;
  await reading(used(t0 + 9 * dayMs), today + 0.5 * dayMs, "log");
  const news = [`came identity ${psql}: 30.5 of 9`, `came ${psql} uses orders-db: 30.5 of 9`];
  expect(await changesOn(db, today)).toEqual(news);
  expect(await changesOn(db, today, "record")).toEqual([]);
  expect(await changesOn(db, t0 + 8.5 * dayMs)).toEqual([]);
  expect(await changesOn(db, t0 + 8.5 * dayMs, "record")).toEqual(news);

  // Whoever reads on, of earlier or of later, or the same again, has learnt of it then and not now.
  for (const [hours, at] of [t0 + 5 * dayMs, t0 + 29 * dayMs].entries())
    await reading(used(at), today + (1.5 + hours / 24) * dayMs, "log");
  expect(await changesOn(db, today + dayMs)).toEqual([]);
  expect(await changesOn(db, today)).toEqual([
    `came identity ${psql}: 30.5 of 5`,
    `came ${psql} uses orders-db: 30.5 of 5`,
  ]);
});

it("what had ended and is there again is learnt of again, and its end when it ended", async () => {
  const { db, apply, reading } = await house();
  await apply();
  const rights = { claims: [{ ...use, known: "declared" as const }] };
  await reading(rights, t0 + 1.5 * dayMs);
  await reading({}, t0 + 2.5 * dayMs);
  expect(await changesOn(db, t0 + 2 * dayMs)).toEqual([
    `ended identity ${psql}: 2.5 of 2.5`,
    `ended ${psql} uses orders-db: 2.5 of 2.5`,
  ]);
  await reading(rights, t0 + 3.5 * dayMs);
  await reading(rights, t0 + 4.5 * dayMs);
  expect(await changesOn(db, t0 + 3 * dayMs)).toEqual([
    `came identity ${psql}: 3.5 of 0`,
    `came ${psql} uses orders-db: 3.5 of 0`,
  ]);
  // What it did before stays what it did.
  for (const by of ["learnt", "record"] as const) {
    expect(await changesOn(db, t0 + 2 * dayMs, by)).toEqual([
      `ended identity ${psql}: 2.5 of 2.5`,
      `ended ${psql} uses orders-db: 2.5 of 2.5`,
    ]);
    expect(await changesOn(db, t0 + 4 * dayMs, by)).toEqual([]);
  }
  expect(await changesOn(db, t0 + dayMs)).toEqual([
    `came identity ${psql}: 1.5 of 0`,
    `came ${psql} uses orders-db: 1.5 of 0`,
  ]);
  // It goes and comes once more: each time by itself.
  await reading({}, t0 + 5.5 * dayMs);
  await reading(rights, t0 + 6.5 * dayMs);
  expect([await changesOn(db, t0 + 2 * dayMs), await changesOn(db, t0 + 3 * dayMs)].flat()).toHaveLength(4);
  expect([await changesOn(db, t0 + 5 * dayMs), await changesOn(db, t0 + 6 * dayMs)].flat()).toHaveLength(4);
});

it("an entry of the estate that comes back is learnt of again, with what it says; one that stays is not", async () => {
  const { db, apply } = await house();
  await apply();
  const without = (estate: Estate): Estate => {
    const { "billing-db": _gone, ...credentials } = estate.credentials;
    return { ...estate, credentials };
  };
  await apply(without, t0 + 1.5 * dayMs);
  await apply((same) => same, t0 + 2.5 * dayMs);
  expect(await changesOn(db, t0 + 2 * dayMs)).toEqual([
    "came billing-db issued-by main-db: 2.5 of 0",
    "came billing-db owned-by payments: 2.5 of 0",
    "came billing-db stored-in secrets billing: 2.5 of 0",
    "came checkout uses billing-db: 2.5 of 0",
    "came credential billing-db: 2.5 of 0",
    "came location secrets billing: 2.5 of 0",
    "came reports uses billing-db: 2.5 of 0",
    "came secrets billing stored-in secrets: 2.5 of 0",
  ]);
});

it("whoever claims an identity is known to be it from then on", async () => {
  const { db, apply, reading } = await house();
  await apply();
  await reading(used(t0 + dayMs), t0 + 2.5 * dayMs, "log");
  await apply(claiming, t0 + 9.5 * dayMs);
  // It was declared and is seen now; what was seen is as old as it was.
  expect(await changesOn(db, t0 + 9 * dayMs)).toEqual([
    `ended identity ${psql}: 9.5 of 9.5`,
    `ended ${psql} uses orders-db: 9.5 of 9.5`,
    "learnt checkout uses orders-db: 9.5 of 1",
  ]);
});

it("what was over already when somebody claimed it came and ended then", async () => {
  const { db, apply, reading } = await house();
  await apply();
  const rights = { claims: [{ ...use, type: "can-read" as const, known: "potential" as const }] };
  await reading(rights, t0 + 1.5 * dayMs);
  await reading({}, t0 + 2.5 * dayMs);
  await apply(claiming, t0 + 9.5 * dayMs);
  expect(await changesOn(db, t0 + 9 * dayMs)).toEqual([
    "came checkout can-read orders-db: 9.5 of 0",
    "ended checkout can-read orders-db: 9.5 of 2.5",
  ]);
  expect(await changesOn(db, t0 + 9 * dayMs, "record")).toEqual([]);
});
