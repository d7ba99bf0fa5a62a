/** The map in the database: what the estate declares is on it, what it no longer says ends, and a walk reads what it reaches. */
import { expect, it } from "vitest";
import { blastOf } from "../../domain/graph/blast.js";
import { orderOf } from "../../domain/graph/order.js";
import { Adjacency, reach } from "../../domain/graph/reach.js";
import type { Graph } from "../../domain/graph/types.js";
import { applyEstate, entryNamed } from "../../inventory/estate.js";
import { loadReach, nodesNamed } from "../../inventory/graph-load.js";
import { type Fresh, migratedDatabase } from "./database.js";
import { newId, sampleEstate, t0 } from "./world.js";

async function applied(
  fresh: Fresh,
  change: (estate: ReturnType<typeof sampleEstate>) => unknown = (same) => same,
  at = t0,
) {
  const estate = change(sampleEstate()) as ReturnType<typeof sampleEstate>;
  await applyEstate(fresh.db, { estate, digest: newId("digest"), by: "platform", now: at, newId });
  return estate;
}

const edgesOf = ({ nodes, edges }: Graph): string[] =>
  edges.map(({ from, type, to }) => `${nodes.get(from)?.name} ${type} ${nodes.get(to)?.name}`).sort();

it("what the estate declares is on the map, and a credential's blast radius is read from there", async () => {
  const fresh = await migratedDatabase();
  const estate = await applied(fresh);
  const { id } = await entryNamed(fresh.db, "credentials", "orders-db");
  const graph = await loadReach(fresh.db, [id], ["failure", "exposure"], t0);
  const { breaks } = blastOf(graph, id);
  const users = estate.credentials["orders-db"]?.consumers.map(({ consumer }) => consumer) ?? [];
  expect(breaks.map(({ node }) => node.name).sort()).toEqual([...users].sort());
  expect(breaks.every(({ known, owners }) => known === "declared" && owners.length === 1)).toBe(true);
});

it("H38: what an entry no longer says ends, whosever clock it was that is behind", async () => {
  const fresh = await migratedDatabase();
  await applied(fresh, (same) => same, t0 + 60_000);
  const { id } = await entryNamed(fresh.db, "credentials", "orders-db");
  const uses = async () =>
    edgesOf(await loadReach(fresh.db, [id], ["failure"], t0)).filter((edge) => edge.includes(" uses "));
  expect(await uses()).toHaveLength(2);
  const nobody = (estate: ReturnType<typeof sampleEstate>) => ({
    ...estate,
    credentials: {
      ...estate.credentials,
      "orders-db": { ...estate.credentials["orders-db"], consumers: [] },
    },
  });
  for (const at of [t0, t0 + 60_000]) {
    await applied(fresh, nobody, at);
    expect(await uses()).toEqual([]);
    await applied(fresh, (same) => same, at);
    expect(await uses()).toHaveLength(2);
  }
});

it("what an entry no longer says ends, and comes back under its id with its first day", async () => {
  const fresh = await migratedDatabase();
  const { credentials } = await applied(fresh);
  const { id } = await entryNamed(fresh.db, "credentials", "orders-db");
  const [gone] = credentials["orders-db"]?.consumers ?? [];
  const without = (estate: ReturnType<typeof sampleEstate>) => ({
    ...estate,
    credentials: {
      ...estate.credentials,
      "orders-db": {
        ...estate.credentials["orders-db"],
        consumers: estate.credentials["orders-db"]?.consumers.filter(
          ({ consumer }) => consumer !== gone?.consumer,
        ),
      },
    },
  });
  const before = edgesOf(await loadReach(fresh.db, [id], ["failure"], t0));
  expect(before).toContain(`${gone?.consumer} uses orders-db`);
  await applied(fresh, without, t0 + 1_000);
  expect(edgesOf(await loadReach(fresh.db, [id], ["failure"], t0))).not.toContain(
    `${gone?.consumer} uses orders-db`,
  );
  await applied(fresh, (same) => same, t0 + 2_000);
  const again = await loadReach(fresh.db, [id], ["failure"], t0);
  expect(edgesOf(again)).toEqual(before);
  expect(new Set(again.edges.map(({ firstSeen }) => firstSeen))).toEqual(new Set([t0]));
});

const mapTables = ["graph_nodes", "graph_edges", "graph_evidence"] as const;

/** How many rows of the map `work` writes, by table: the database itself tells who wrote a row last. */
async function written(fresh: Fresh, work: () => Promise<unknown>): Promise<Record<string, number>> {
  const [{ next } = { next: "0" }] = await fresh.sql<{ next: string }>("select pg_current_xact_id() as next");
  await work();
  const counts: Record<string, number> = {};
  for (const table of mapTables) {
    const [row] = await fresh.sql<{ count: number }>(
      `select count(*)::int as count from rekey_inventory.${table} where xmin::text::bigint > $1`,
      [next],
    );
    counts[table] = row?.count ?? 0;
  }
  return counts;
}

it("of a credential that thousands use, a change writes only what differs", async () => {
  const fresh = await migratedDatabase();
  const many = 2_000;
  const withUsers =
    (first: number, more: object = {}) =>
    (estate: ReturnType<typeof sampleEstate>) => {
      const names = Array.from({ length: many }, (_, i) => `web-${i}`);
      const consumers = names.slice(first).map((consumer) => ({ consumer, isolation: "shared" as const }));
      return {
        ...estate,
        consumers: Object.fromEntries(names.map((name) => [name, estate.consumers.checkout])),
        credentials: { "orders-db": { ...estate.credentials["orders-db"], ...more, consumers } },
      };
    };
  await applied(fresh, withUsers(1));
  const { id } = await entryNamed(fresh.db, "credentials", "orders-db");
  const users = async () =>
    edgesOf(await loadReach(fresh.db, [id], ["failure"], t0)).filter((edge) => edge.includes(" uses "))
      .length;
  const change = (what: ReturnType<typeof withUsers>, at: number) =>
    written(fresh, () => applied(fresh, what, t0 + at));
  // What it is for is not on the map.
  expect(await change(withUsers(1, { purpose: "Other orders, too." }), 1_000)).toEqual({
    ...{ graph_nodes: 0, graph_edges: 0, graph_evidence: 0 },
  });
  expect(await change(withUsers(0), 2_000)).toEqual({ graph_nodes: 0, graph_edges: 1, graph_evidence: 1 });
  expect(await users()).toBe(many);
  expect(await change(withUsers(1), 3_000)).toEqual({ graph_nodes: 0, graph_edges: 1, graph_evidence: 1 });
  expect(await users()).toBe(many - 1);
  // It comes back under its first day, and is another class: what it is is one row more.
  const again = await change(withUsers(0, { class: "token" }), 4_000);
  expect(again).toEqual({ graph_nodes: 1, graph_edges: 1, graph_evidence: 1 });
  expect(await users()).toBe(many);
});

it("of an edge that is said in other words, the words are written, with the day", async () => {
  const fresh = await migratedDatabase();
  await applied(fresh);
  const pinned = (estate: ReturnType<typeof sampleEstate>) => ({
    ...estate,
    credentials: {
      ...estate.credentials,
      "orders-db": {
        ...estate.credentials["orders-db"],
        consumers: [
          { consumer: "checkout", isolation: "pinned" as const, place: { path: "own" } },
          { consumer: "reports", isolation: "shared" as const },
        ],
      },
    },
  });
  await applied(fresh, pinned, t0 + 1_000);
  const { id } = await entryNamed(fresh.db, "credentials", "orders-db");
  const { nodes, edges } = await loadReach(fresh.db, [id], ["failure"], t0);
  const told = edges.flatMap(({ from, type, firstSeen, evidence }) =>
    type === "uses"
      ? evidence.map((one) => [nodes.get(from)?.name, one.sentence, firstSeen, one.firstSeen, one.lastSeen])
      : [],
  );
  expect(told.sort()).toEqual([
    ["checkout", "The estate says that checkout uses it, with a copy of its own.", t0, t0, t0 + 1_000],
    ["reports", "The estate says that reports uses it.", t0, t0, t0],
  ]);
});

it("what only people know is followed like what is seen, and ends with their word", async () => {
  const fresh = await migratedDatabase();
  const knowing = (estate: ReturnType<typeof sampleEstate>) => ({
    ...estate,
    issuers: { ...estate.issuers, cloud: { kind: "fake" } },
    consumers: {
      ...estate.consumers,
      reports: { ...estate.consumers.reports, dependsOn: [{ consumer: "checkout" }, { issuer: "cloud" }] },
    },
    credentials: {
      ...estate.credentials,
      root: {
        ...estate.credentials["orders-db"],
        ...{ account: { login: "root" }, place: { path: "root" }, issuer: "cloud", consumers: [] },
        mints: [{ issuer: "main-db" }],
        canRead: [{ store: "secrets", place: { path: "elsewhere" } }],
      },
    },
  });
  await applied(fresh, knowing);
  const ids = await Promise.all(
    ["root", "orders-db"].map(async (name) => (await entryNamed(fresh.db, "credentials", name)).id),
  );
  const [root = "", orders = ""] = ids;
  const { id: checkout } = await entryNamed(fresh.db, "consumers", "checkout");
  const { id: cloud } = await entryNamed(fresh.db, "issuers", "cloud");
  const breaks = async (id: string) =>
    blastOf(await loadReach(fresh.db, [id], ["failure"], t0), id).breaks.map(({ node }) => node.name);
  expect(await breaks(checkout)).toEqual(["reports"]);
  expect(await breaks(cloud)).toEqual(["reports", "root"]);
  const opened = await loadReach(fresh.db, ids, ["exposure"], t0);
  const { exposed } = blastOf(opened, root);
  expect(exposed.map(({ node, known }) => `${node.name} ${known}`).sort()).toEqual([
    ...["billing-db declared", "main-db declared", "orders-db declared", "secrets elsewhere declared"],
  ]);
  // Whoever has it can make the other anew, so it goes first (H26).
  expect(orderOf(opened, [orders, root]).strata).toEqual([[root], [orders]]);
  await applied(fresh, (same) => same, t0 + 1_000);
  expect(await breaks(checkout)).toEqual([]);
  expect(
    [...(await loadReach(fresh.db, [orders], ["trust"], t0)).nodes.values()].map(({ name }) => name),
  ).not.toContain("secrets elsewhere");
});

it("an entry that leaves the estate ends with everything that it said, and with places in which nothing is kept", async () => {
  const fresh = await migratedDatabase();
  await applied(fresh);
  await applied(fresh, (estate) => ({ ...estate, credentials: {} }), t0 + 1_000);
  const left = await fresh.sql<{ type: string }>(
    "select distinct type from rekey_inventory.graph_nodes where ended_at is null order by 1",
  );
  expect(left.map(({ type }) => type)).toEqual(["consumer", "owner", "system"]);
  const edges = await fresh.sql<{ type: string }>(
    "select distinct type from rekey_inventory.graph_edges where ended_at is null",
  );
  expect(edges.map(({ type }) => type)).toEqual(["owned-by"]);
});

it("whoever has begun a name is told the names that begin so, of whatever they are", async () => {
  const fresh = await migratedDatabase();
  await applied(fresh);
  const kept = await fresh.sql<{ name: string }>(
    "select name from rekey_inventory.graph_nodes where type = 'location'",
  );
  const name = kept[0]?.name ?? "";
  expect((await nodesNamed(fresh.db, name)).found.map((node) => node.name)).toEqual([name]);
  const begun = await nodesNamed(fresh.db, name.slice(0, -1).toUpperCase());
  expect(begun.found).toEqual([]);
  expect(begun.alike).toContainEqual({ name, type: "location" });
  expect((await nodesNamed(fresh.db, "%")).alike).toEqual([]);
});

it("the database walks as memory does", async () => {
  const fresh = await migratedDatabase();
  await applied(fresh);
  const ids = (await fresh.sql<{ id: string }>("select id from rekey_inventory.graph_nodes")).map(
    ({ id }) => id,
  );
  const whole = await loadReach(fresh.db, ids, [], t0);
  const adjacency = new Adjacency(whole);
  for (const flow of ["failure", "exposure", "trust"] as const)
    for (const id of ids) {
      const part = await loadReach(fresh.db, [id], [flow], t0);
      const inMemory = [...reach(adjacency, [id], flow).keys()].sort();
      expect([...reach(new Adjacency(part), [id], flow).keys()].sort()).toEqual(inMemory);
    }
});
