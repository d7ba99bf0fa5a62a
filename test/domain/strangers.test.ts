/** Who is on a credential without being declared: whatever it is that a source says to use it. */
import { expect, test } from "vitest";
import { Adjacency } from "../../domain/graph/reach.js";
import { usersOf } from "../../domain/graph/use.js";
import { strangersOn } from "../../domain/strangers.js";
import { edgeOf, evidenceOf, mapOf } from "./graph/maps.js";

const now = Date.UTC(2026, 7, 1);

test("C7: an account or a place that uses it stands in the way like anybody; who is declared, and what only could, does not", () => {
  const read = evidenceOf("read", now);
  const graph = mapOf("c1 stored-in l1", "s1 uses c1");
  const more = mapOf("c2 uses c1", "l2 uses l1", "c3 can-read l1", "s2 uses c1", "i1 can-read l1");
  const edges = [...graph.edges, ...["c2 uses c1", "l2 uses l1"].map((text) => edgeOf(text, read))];
  const others = ["c3 can-read l1", "s2 uses c1", "i1 can-read l1"].map((text) =>
    edgeOf(text, evidenceOf("potential", now)),
  );
  const map = { nodes: new Map([...graph.nodes, ...more.nodes]), edges: [...edges, ...others] };
  const found = strangersOn(map, usersOf(new Adjacency(map), "c1"), {
    ...{ expected: new Set(["s1"]), names: new Map(), fading: { windowMs: 1_000, now } },
  });
  expect(found.map(({ name, known }) => `${name} ${known}`)).toEqual([
    ...["c2 read", "i1 potential", "l2 read", "s2 potential"],
  ]);
});

test("what somebody wrote down was stated and not seen, and whatever a source says is a sentence", () => {
  const said = (kind: "read" | "declared") => {
    const one = { ...evidenceOf(kind, now), source: "src_1", sentence: "a row of hosts.csv" };
    const map = { ...mapOf("i1 uses c1"), edges: [edgeOf("i1 uses c1", one)] };
    const fading = { windowMs: 1_000, now };
    const names = new Map([["src_1", "wiki"]]);
    const found = strangersOn(map, usersOf(new Adjacency(map), "c1"), { expected: new Set(), names, fading });
    return found.map(({ sentence }) => sentence);
  };
  expect(said("read")).toEqual(["A row of hosts.csv. Last seen 2026-08-01 00:00 UTC by wiki."]);
  expect(said("declared")).toEqual(["A row of hosts.csv. Last stated 2026-08-01 00:00 UTC by wiki."]);
});
