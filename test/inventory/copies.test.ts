/** Questions to the map about copies that sources met: they know the readers that the gate knows, and read no table whole. */
import { expect, it } from "vitest";
import type { Claim, Copy, Thing } from "../../domain/discovery/said.js";
import { blastOf } from "../../domain/graph/blast.js";
import { Adjacency, reach, wayTo } from "../../domain/graph/reach.js";
import type { Graph } from "../../domain/graph/types.js";
import { readersOf, shared, usersOf } from "../../domain/graph/use.js";
import { keepFingerprint } from "../../inventory/fingerprints.js";
import { loadBlast } from "../../inventory/graph-blast.js";
import { loadHolders, loadReach, loadWhole } from "../../inventory/graph-load.js";
import { keepLive } from "../../inventory/live-values.js";
import { recordVersions } from "../../inventory/versions.js";
import { at, dayMs, house, seen, use } from "./findings-house.js";
import { t0 } from "./world.js";

const copy = (path: string, mark: string, more: Partial<Copy> = {}): Copy => {
  return { record: path, at: at(path), mark, literal: true, seen, sentence: `It stands in ${path}`, ...more };
};

const host = (name: string): Thing => ({ is: "reader", name: `host ${name}`, traits: { workload: name } });

const reads = (name: string, path: string): Claim => {
  return { ...use, record: path, from: host(name), to: at(path), known: "declared" };
};

const inside = (path: string, whole: string): Claim => {
  return { ...use, record: path, from: at(path), type: "stored-in", to: at(whole), known: "declared" };
};

const place = (path: string) => `repository shop ${path}`;

/** The value of orders-db at three places, of which two are known to be read, and in a history; another value at a fourth. */
async function copied() {
  const { sql, apply, reading, ...rest } = await house();
  await apply();
  const idOf = async (name: string) => {
    const [found] = await sql<{ id: string }>(
      `select id from rekey_inventory.graph_nodes where name = '${name}' and ended_at is null`,
    );
    return found?.id ?? "";
  };
  const orders = await idOf("orders-db");
  await recordVersions(rest.db, {
    ...{ credential: orders, by: null, at: t0 },
    standings: [{ id: "ver_1", slot: "a", life: "active" }],
  });
  await keepFingerprint(rest.db, { version: "ver_1", credential: orders, hmac: "ours", at: t0 });
  const copies = [
    ...[copy(".env#DB", "ours"), copy("compose.yaml#api", "ours"), copy("ci.yaml", "ours")],
    ...[copy("3f2a", "ours", { past: true }), copy("other.env", "another"), copy("plain.env", "")],
    copy("plainer.env", ""),
  ];
  const claims = [
    ...[reads("api", ".env#DB"), reads("report", "compose.yaml#api"), reads("other", "other.env")],
    ...[inside(".env#DB", ".env"), reads("plain", "plainer.env")],
  ];
  await reading({ copies, claims }, t0);
  return { sql, apply, reading, idOf, orders, copies, claims, ...rest };
}

const named = (list: readonly { readonly node: { readonly name: string } }[]) =>
  list.map(({ node }) => node.name).sort();

it("C1 C29: whoever reads a copy of a credential's value is one of its users, breaks with it, and has a way to it", async () => {
  const { db, orders, idOf } = await copied();
  const { blast, graph, breaks } = await loadBlast(db, orders, { limit: null, now: t0 });
  const stray = [place(".env#DB"), place("ci.yaml"), place("compose.yaml#api"), "host api", "host report"];
  expect(named(blast.breaks)).toEqual(expect.arrayContaining(stray));
  expect(named(blast.breaks)).not.toContain("host other");
  // What has only got somewhere breaks nothing, and is told.
  expect(named(blast.breaks)).not.toContain(place("3f2a"));
  const leak = graph.edges.find(({ type }) => type === "leaked-to");
  expect(leak).toMatchObject({
    from: orders,
    to: await idOf(place("3f2a")),
    copy: { literal: true, past: true },
  });
  expect(graph.edges.find(({ to, type }) => type === "copied-to" && to === leak?.to)).toBeUndefined();
  // Of a few the same is told, out of the walk alone.
  const part = await loadBlast(db, orders, { limit: 1, now: t0 });
  expect(part.breaks).toEqual(breaks);
  expect(part.blast.breaks[0]?.way).toHaveLength(1);
  const things = breaks.things - 2;
  const broken = await loadBlast(db, orders, { limit: 1, counted: things - 1, now: t0 });
  expect(broken.breaks).toMatchObject({ things, isWhole: false });

  const holders = await loadHolders(db, orders, t0);
  const users = usersOf(new Adjacency(holders), orders);
  expect(
    users.flatMap(({ node, at: where, copy: met }) => (met === null ? [] : [[node.name, where?.name]])),
  ).toEqual([
    ["host api", place(".env#DB")],
    ["host report", place("compose.yaml#api")],
  ]);
  expect(users.find(({ node }) => node.name === "host api")?.copy?.evidence).toMatchObject([
    { kind: "met", sentence: `It stands in .env#DB`, count: 1, lastSeen: t0 },
  ]);

  const reader = await idOf("host api");
  const way = wayTo(
    reach(new Adjacency(await loadReach(db, [reader], ["trust"], t0)), [reader], "trust"),
    orders,
  );
  expect(way.map(({ type }) => type)).toEqual(["uses", "copied-to"]);
  const [both] = shared(new Adjacency(await loadWhole(db, t0))).filter(
    ({ credential }) => credential.id === orders,
  );
  expect(named(both?.users ?? [])).toEqual(expect.arrayContaining(["host api", "host report"]));
});

it("C29: what begins at a place is about the value that stands there, wherever else that is", async () => {
  const { db, orders, idOf } = await copied();
  const { blast: whole } = await loadBlast(db, orders, { limit: null, now: t0 });
  for (const path of ["ci.yaml", ".env#DB", ".env", "3f2a"]) {
    const { blast } = await loadBlast(db, await idOf(place(path)), { limit: null, now: t0 });
    expect(blast.same.credentials.map(({ name }) => name)).toEqual(["orders-db"]);
    expect(named(blast.breaks)).toEqual(
      expect.arrayContaining(named(whole.breaks).filter((name) => !name.startsWith("repository"))),
    );
    expect(named(blast.exposed)).toContain("orders-db");
  }
  // Of a value that is nobody's the other places are known all the same; what has no hash is like nothing.
  const other = await loadBlast(db, await idOf(place("other.env")), { limit: null, now: t0 });
  expect([named(other.blast.breaks), other.blast.same]).toEqual([
    ["host other"],
    { credentials: [], places: [] },
  ]);
  const plain = await loadBlast(db, await idOf(place("plain.env")), { limit: null, now: t0 });
  expect(plain.blast).toMatchObject({ breaks: [], same: { places: [] } });
  const found = await loadBlast(db, await idOf(place("ci.yaml")), { limit: 1, now: t0 });
  expect(found.blast.same.credentials.map(({ name }) => name)).toEqual(["orders-db"]);
  expect(found.blast.same.places).toHaveLength(1);
  const at = await idOf(place(".env"));
  const readers = await loadHolders(db, at, t0);
  expect(named(readersOf(new Adjacency(readers), at))).toEqual(["host api"]);
  expect([...readers.nodes.values()].map(({ name }) => name)).toContain("orders-db");
});

it("one value that nobody knows, at two places: who reads it at the one breaks with the other", async () => {
  const { db, reading, claims, idOf } = await copied();
  await reading({ copies: [copy("other.env", "another"), copy("more.env", "another")], claims }, t0 + 1);
  const { blast } = await loadBlast(db, await idOf(place("more.env")), { limit: null, now: t0 + 1 });
  expect(named(blast.breaks)).toEqual(["host other"]);
  expect(blast.same.places.map(({ name }) => name)).toEqual([place("other.env")]);
});

it("what has another value of the credential breaks with the place, too, and is not called the same", async () => {
  const { db, orders, idOf } = await copied();
  await keepLive(db, { credential: orders, hmacs: ["another"], at: t0 });
  const { blast } = await loadBlast(db, await idOf(place("ci.yaml")), { limit: null, now: t0 });
  expect(named(blast.breaks)).toEqual(expect.arrayContaining(["host api", "host other", "host report"]));
  expect(blast.same.places.map(({ name }) => name)).toEqual(
    [".env#DB", "3f2a", "compose.yaml#api"].map(place),
  );
});

it("a copy ends with its reading, and with the value that is no longer accepted", async () => {
  const { db, reading, apply, orders, copies, claims } = await copied();
  const places = async (now: number) => {
    const { edges, nodes } = await loadWhole(db, now);
    return edges.filter(({ type }) => type === "copied-to").map(({ to }) => nodes.get(to)?.name);
  };
  expect((await places(t0)).sort()).toEqual([".env#DB", "ci.yaml", "compose.yaml#api"].map(place));
  await reading({ copies: copies.filter(({ record }) => record !== "ci.yaml"), claims }, t0 + 1);
  expect(await places(t0 + 1)).toHaveLength(2);
  const standing = { id: "ver_1", slot: "a", life: "destroyed" } as const;
  await recordVersions(db, { credential: orders, by: null, at: t0 + 2, standings: [standing] });
  expect(await places(t0 + 2)).toEqual([]);
  // One that was live without us counts until its time is over.
  await keepLive(db, { credential: orders, hmacs: ["another"], at: t0 });
  expect(await places(t0 + 2)).toEqual([place("other.env")]);
  await keepLive(db, { credential: orders, hmacs: ["next"], at: t0 + dayMs });
  expect(await places(t0 + 2 * dayMs)).toEqual([place("other.env")]);
  expect(await places(t0 + 90 * dayMs)).toEqual([]);
  await apply();
});

it("where the credential is kept is no copy, nor what is filled from there, nor a part of that", async () => {
  const { db, sql, orders, idOf } = await copied();
  const [held] = await sql<{ to_id: string }>(
    `select to_id from rekey_inventory.graph_edges where from_id = '${orders}' and type = 'stored-in'`,
  );
  const [kept, api, env] = [
    held?.to_id ?? "",
    await idOf(place("compose.yaml#api")),
    await idOf(place(".env")),
  ];
  const [inEnv, ci] = [await idOf(place(".env#DB")), await idOf(place("ci.yaml"))];
  const told = async () => {
    const { edges } = await loadWhole(db, t0);
    const { graph } = await loadBlast(db, orders, { limit: null, now: t0 });
    const at = (all: typeof edges) => all.filter(({ type }) => type === "copied-to").map(({ to }) => to);
    expect(at(graph.edges).sort()).toEqual(at(edges).sort());
    const users = await loadHolders(db, orders, t0);
    expect(at(users.edges).sort()).toEqual(at(edges).sort());
    return at(edges).sort();
  };
  const filled = (id: string) =>
    sql(`insert into rekey_inventory.graph_edges (from_id, type, to_id, first_seen, last_seen)
      values ('${id}', 'depends-on', '${kept}', now(), now())`);
  expect(await told()).toEqual([inEnv, api, ci].sort());
  await filled(api);
  expect(await told()).toEqual([inEnv, ci].sort());
  await filled(env);
  expect(await told()).toEqual([ci]);
  await sql(
    `update rekey_inventory.graph_edges set ended_at = now() where type = 'depends-on' and to_id = '${kept}'`,
  );
  expect(await told()).toEqual([inEnv, api, ci].sort());
  // It was met where it is kept, of which nothing else is a part.
  await sql(`update rekey_inventory.things set node = '${kept}' where node = '${ci}'`);
  expect(await told()).toEqual([inEnv, api].sort());
});

/** What the whole map says in memory. */
function inMemory(map: Graph, id: string, alike: readonly string[]) {
  const { breaks, exposed, owners } = blastOf(map, id, alike);
  return [named(breaks), named(exposed), owners];
}

it("tells of every node what the whole map says", async () => {
  const { db } = await copied();
  const map = await loadWhole(db, t0);
  for (const id of map.nodes.keys()) {
    const { blast } = await loadBlast(db, id, { limit: null, now: t0 });
    const alike = blast.same.places.map((node) => node.id);
    expect([named(blast.breaks), named(blast.exposed), blast.owners]).toEqual(inMemory(map, id, alike));
    const few = await loadBlast(db, id, { limit: 1, now: t0 });
    expect([few.breaks.things, few.exposed.things]).toEqual([blast.breaks.length, blast.exposed.length]);
  }
});
