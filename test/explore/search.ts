/**
 * Visits every point that can be reached, each once, and judges it by the laws. Afterwards it walks the graph
 * backwards: from everywhere there must be a way to a good end (I11).
 */
import { hash } from "node:crypto";
import { edgesOf } from "./edges.js";
import { keyOf } from "./key.js";
import { brokenByClosing, brokenByDecision, brokenByStanding } from "./laws.js";
import type { Edge, Kind, Model, Node } from "./node.js";
import { sentenceOf } from "./trace.js";

/** What was found. `broken` is null when every law held on every path; else it is told as a readable trace. */
export interface Found {
  readonly states: number;
  readonly transitions: number;
  readonly broken: string | null;
}

const kinds: Record<Kind, number> = { good: 0, bad: 1, cancel: 2 };

/** The whole graph, as numbers: a point is its number, in the order of discovery. */
class Graph {
  readonly #ids = new Map<string, number>();
  readonly parents: number[] = [];
  readonly labels: string[] = [];
  readonly from: number[] = [];
  readonly to: number[] = [];
  readonly kind: number[] = [];
  readonly ended: (string | null)[] = [];
  /** Points from which going back must be possible: before the point of no return, and the origin clean. */
  readonly mayReturn: boolean[] = [];

  get size(): number {
    return this.parents.length;
  }

  /** Its number, and whether it is new. */
  add(node: Node, parent: number, label: string): readonly [number, boolean] {
    const key = hash("sha1", keyOf(node), "base64");
    const known = this.#ids.get(key);
    if (known !== undefined) return [known, false];
    const id = this.parents.length;
    this.#ids.set(key, id);
    this.parents.push(parent);
    this.labels.push(label);
    const { state } = node;
    this.ended.push(state.closed);
    const origin = state.versions[state.origin];
    this.mayReturn.push(
      !state.irreversible &&
        state.seized &&
        !origin?.leaked &&
        origin?.issuer !== "unknown" &&
        Object.values(state.places).every(({ unknown }) => !unknown) &&
        state.closed !== "rotated",
    );
    return [id, true];
  }
}

/** Explores `model`, until a law is broken or `statesMax` points are known. */
export function explore(model: Model, statesMax = Number.POSITIVE_INFINITY): Found {
  const graph = new Graph();
  graph.add(model.start, -1, "start");
  let frontier: { id: number; node: Node }[] = [{ id: 0, node: model.start }];
  let transitions = 0;
  const found = (broken: string | null): Found => ({
    states: graph.size,
    transitions,
    broken,
  });
  while (frontier.length > 0) {
    const following: { id: number; node: Node }[] = [];
    for (const { id, node } of frontier) {
      let edges: Edge[];
      try {
        const decision = model.engine.decide(node.state, node.now);
        const wrong = brokenByDecision(node, decision);
        if (wrong.length > 0) return found(told(model, graph, id, null, wrong));
        edges = edgesOf(model, node, decision);
      } catch (error) {
        return found(
          told(model, graph, id, null, [`it throws: ${error instanceof Error ? error.message : ""}`]),
        );
      }
      for (const edge of edges) {
        transitions += 1;
        const [to, isNew] = graph.add(edge.to, id, edge.label);
        graph.from.push(id);
        graph.to.push(to);
        graph.kind.push(kinds[edge.kind]);
        const broken = [
          ...edge.broken,
          ...(isNew ? brokenByStanding(edge.to) : []),
          ...brokenByClosing(model, edge.to),
        ];
        if (broken.length > 0) return found(told(model, graph, id, edge.label, broken));
        if (isNew) following.push({ id: to, node: edge.to });
      }
    }
    if (graph.size > statesMax) throw new Error(`more than ${statesMax} states`);
    frontier = following;
  }
  return found(dead(model, graph));
}

/** Where no good end can be reached any more although nothing else goes wrong, or null. */
function dead(model: Model, graph: Graph): string | null {
  const all = graph.ended.map((_, id) => id);
  const ends = all.filter((id) => graph.ended[id] !== null);
  const canEnd = reaching(graph, ends, [kinds.good]);
  const stuck = all.find((id) => !canEnd[id]);
  if (stuck !== undefined) return told(model, graph, stuck, null, ["I11: no way to a good end from here"]);
  const canReturn = reaching(
    graph,
    ends.filter((id) => graph.ended[id] !== "rotated"),
    [kinds.good, kinds.cancel],
  );
  const caught = all.find((id) => graph.mayReturn[id] && !canReturn[id]);
  return caught === undefined ? null : told(model, graph, caught, null, ["I11: no way back from here"]);
}

/** The points from which one of `goals` can be reached over transitions of these kinds. */
function reaching(graph: Graph, goals: readonly number[], allowed: readonly number[]): Uint8Array {
  const count = graph.size;
  const heads = new Int32Array(count).fill(-1);
  const nexts = new Int32Array(graph.to.length);
  graph.to.forEach((to, edge) => {
    nexts[edge] = heads[to] ?? -1;
    heads[to] = edge;
  });
  const reached = new Uint8Array(count);
  const stack = [...goals];
  for (const goal of goals) reached[goal] = 1;
  for (let id = stack.pop(); id !== undefined; id = stack.pop()) {
    for (let edge = heads[id] ?? -1; edge >= 0; edge = nexts[edge] ?? -1) {
      const before = graph.from[edge] ?? 0;
      if (reached[before] || !allowed.includes(graph.kind[edge] ?? -1)) continue;
      reached[before] = 1;
      stack.push(before);
    }
  }
  return reached;
}

/** The way to a point, told step by step. */
function told(
  model: Model,
  graph: Graph,
  id: number,
  last: string | null,
  broken: readonly string[],
): string {
  const labels: string[] = last === null ? [] : [last];
  for (let at = id; at > 0; at = graph.parents[at] ?? 0) labels.unshift(graph.labels[at] ?? "");
  return sentenceOf(model, labels, broken);
}
