/** What the commands of the map print of copies that sources met: who reads them breaks, and what has only got somewhere is told. */
import { expect, test } from "vitest";
import { copyEdges, type Meeting } from "../../domain/graph/copies.js";
import type { Graph } from "../../domain/graph/types.js";
import { edgeOf, evidenceOf, nodeNamed } from "../domain/graph/maps.js";
import { emptyWorld, now, runIn } from "./fakes.js";
import { expectGolden } from "./golden.js";

const day = 86_400_000;

const names = {
  ...{ c1: "orders-db", s1: "orders-api", o1: "orders-team", l1: "main-vault orders/db", y1: "main-vault" },
  ...{ l2: "repository shop .env", l3: "repository shop .env#DB_PASSWORD", i1: "host orders-api" },
  ...{ l4: "repository shop compose.yaml#services.api", l5: "history of shop 3f2a", l6: "log of ci" },
  ...{ i2: "host reports" },
};

const met = (place: string, more: Partial<Meeting> = {}): Meeting => ({
  ...{ credential: "c1", place, source: "src_files", literal: true, past: false, isRead: false, count: 1 },
  ...{ firstSeen: now - 9 * day, lastSeen: now - day, sentence: `A password at ${place}.` },
  ...more,
});

const map: Graph = {
  nodes: new Map(Object.entries(names).map(([id, name]) => [id, nodeNamed(id, { name })])),
  edges: [
    ...["c1 owned-by o1", "s1 owned-by o1", "s1 uses c1", "c1 stored-in l1", "l1 stored-in y1"].map((text) =>
      edgeOf(text),
    ),
    ...[edgeOf("l3 stored-in l2"), edgeOf("i1 uses l3", evidenceOf("read", now - day))],
    ...[edgeOf("i2 can-read l2", evidenceOf("potential"))],
    ...copyEdges([
      met("l3", { isRead: true, sentence: "a password at DB_PASSWORD of .env" }),
      met("l4", { sentence: "a password at services.api of compose.yaml" }),
      ...["l5", "l6"].map((place) => met(place, { past: true })),
    ]),
  ],
};

const entries = [
  {
    ...{ id: "src_files", section: "sources" as const, name: "files", body: { kind: "env-files" } },
    ...{ since: now, changedAt: now, endedAt: null },
  },
];

const world = (alike: readonly string[] = []) => emptyWorld({ map, entries, alike });

async function golden(name: string, argv: readonly string[], alike: readonly string[] = []): Promise<void> {
  expectGolden(name, argv, await runIn(world(alike), argv));
}

test("C29: blast: whoever reads a copy breaks, and where the value has only got to is told", async () => {
  await golden("copies-blast", ["blast", "orders-db"]);
  await golden("copies-blast-json", ["blast", "orders-db", "--json"]);
  for (const form of ["csv", "mermaid", "dot"])
    await golden(`copies-blast-${form}`, ["blast", "orders-db", "--format", form]);
});

test("C29: blast: of a place, everybody who uses the value that stands there", async () => {
  const at = "repository shop compose.yaml#services.api";
  await golden("copies-blast-place", ["blast", at], ["l3"]);
  const { stdout } = await runIn(world(), ["blast", names.l2, "--json"]);
  const { same, breaks, exposed } = JSON.parse(stdout) as Record<string, { name: string }[]>;
  expect(same).toMatchObject({ credentials: ["orders-db"] });
  expect(breaks?.map(({ name }) => name)).toContain("orders-api");
  expect(exposed?.map(({ name }) => name)).toEqual([names.l3, "orders-db"]);
});

test("blast: of many places with one value some are named, and of many copies some are shown", async () => {
  const places = Array.from({ length: 201 }, (_, i) => `l${i + 100}`);
  const nodes = new Map([...map.nodes, ...places.map((id) => [id, nodeNamed(id)] as const)]);
  const edges = [...map.edges, ...copyEdges(places.map((place) => met(place)))];
  const many = emptyWorld({ map: { nodes, edges }, entries, alike: places });
  const { stdout } = await runIn(many, ["blast", names.l2, "--limit", "1"]);
  expect(stdout).toContain("and also stands in l100, l101,");
  expect(stdout).toContain("and 191 more: whoever");
  expect(stdout).toContain("3 more are not shown: --json has all.");
  const { stdout: told } = await runIn(many, ["consumers", "orders-db"]);
  expect(told).toContain("Nobody is known to read 182 more copies: --json has all.");
});

test("C1: consumers: who holds a copy is one, with what was met, where and when", async () => {
  await golden("copies-consumers", ["consumers", "orders-db"]);
  await golden("copies-consumers-json", ["consumers", "orders-db", "--json"]);
});

test("consumers: of a place who reads there; of a consumer it says which question fits", async () => {
  await golden("consumers-place", ["consumers", names.l3]);
  await golden("consumers-place-json", ["consumers", names.l3, "--json"]);
  await golden("consumers-place-none", ["consumers", names.l6]);
  await golden("consumers-consumer", ["consumers", "orders-api"]);
});

test("path: from who reads a copy to the credential; shared: such a reader counts", async () => {
  await golden("copies-path", ["path", "host orders-api", "orders-db"]);
  await golden("copies-shared", ["shared"]);
});
