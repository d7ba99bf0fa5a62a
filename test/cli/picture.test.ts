/** What is drawn of a map: less than there is, and nothing is missing that somebody looks for. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { dot } from "../../client/cli/format/drawings.js";
import { pictureOf } from "../../client/cli/format/picture.js";
import { anyMap, edgeOf, mapOf } from "../domain/graph/maps.js";

const shown = (...edges: readonly string[]) => {
  const { nodes, edges: arrows } = pictureOf(mapOf(...edges));
  return {
    nodes: nodes.map(({ lines }) => lines.join(" | ")).sort(),
    edges: arrows.map(({ from, type, to }) => `${from} ${type} ${to}`).sort(),
  };
};

test("whose it is, and a place that a credential has for itself, stand in the label", () => {
  expect(
    shown(
      "s1 uses c1",
      "s1 owned-by o2",
      "s1 owned-by o1",
      "c1 stored-in l1",
      "l1 stored-in y1",
      "c1 owned-by o1",
    ),
  ).toEqual({ nodes: ["c1 | l1 | o1", "s1 | o1, o2", "y1"], edges: ["c1 stored-in y1", "s1 uses c1"] });
});

test("a place that others have to do with is drawn, and so is an owner of nothing that is drawn", () => {
  expect(shown("c1 stored-in l1", "l1 stored-in y1", "s1 can-read l1").nodes).toContain("l1");
  expect(shown("c1 stored-in l1", "c2 stored-in l1", "l1 stored-in y1").nodes).toContain("l1");
  expect(shown("c1 stored-in l1").nodes).toContain("l1");
  expect(pictureOf({ nodes: mapOf("s1 owned-by o1").nodes, edges: [] }).nodes).toHaveLength(2);
});

test("everything that is on the map can be read on the picture, and every arrow but whose it is", () => {
  fc.assert(
    fc.property(anyMap, (graph) => {
      const { nodes, edges } = pictureOf(graph);
      const words = new Set(nodes.flatMap(({ lines }) => lines.flatMap((line) => line.split(", "))));
      for (const { name } of graph.nodes.values()) expect(words).toContain(name);
      const drawn = new Set(nodes.map(({ node }) => node.id));
      for (const { from, to } of edges) expect(drawn.has(from) && drawn.has(to)).toBe(true);
      const arrows = graph.edges.filter(({ type }) => type !== "owned-by").length;
      const folded =
        graph.nodes.size -
        nodes.length -
        [...graph.nodes.values()].filter(({ id, type }) => type === "owner" && !drawn.has(id)).length;
      expect(edges).toHaveLength(arrows - folded);
    }),
  );
});

test("with many arrows the colours and a legend say what labels would", () => {
  const many = Array.from({ length: 41 }, (_, index) => edgeOf(`s${index} uses c1`));
  const few = dot(mapOf(...many.slice(1)));
  expect(few).toContain('label="uses", color=black');
  expect(dot(mapOf(...many))).not.toContain('label="uses", color=black');
  expect(dot(mapOf(...many))).toContain('label="uses: black   (bold: seen, dotted: only could)"');
});

test("two hundred nodes are drawn as a hundred and forty boxes of three short lines, with two arrows each and no label on them", () => {
  const numbers = (count: number) => Array.from({ length: count }, (_, index) => index);
  const map = mapOf(
    ...numbers(60).flatMap((i) => [
      `c${i} stored-in l${i}`,
      `l${i} stored-in y${i % 4}`,
      `c${i} issued-by y${4 + (i % 6)}`,
      `c${i} owned-by o${i % 10}`,
    ]),
    ...numbers(60).flatMap((i) => [
      `s${i} uses c${i}`,
      `s${i} uses c${(i * 7) % 60}`,
      `s${i} owned-by o${i % 10}`,
    ]),
  );
  expect(map.nodes.size).toBe(200);
  const { nodes, edges } = pictureOf(map);
  expect(nodes.length).toBeLessThanOrEqual(140);
  expect(edges.length).toBeLessThanOrEqual(2 * nodes.length);
  for (const { lines } of nodes) expect(lines.length).toBeLessThanOrEqual(3);
  const labels = dot(map)
    .split("\n")
    .filter((line) => line.includes(" -> "));
  expect(labels.length).toBe(edges.length);
  for (const line of labels) expect(line).not.toContain("label=");
});
