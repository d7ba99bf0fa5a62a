/** A map in forms that other programs draw or read: Mermaid, Graphviz's DOT, and CSV. */
import { bestKnown } from "../../../domain/graph/known.js";
import type { Graph, GraphEdge, GraphNode, NodeType } from "../../../domain/graph/types.js";

/** How a node looks; a picture without colours says the same by its shapes. */
const looks: Readonly<
  Record<NodeType, { readonly mermaid: readonly [string, string]; readonly dot: string }>
> = {
  consumer: { mermaid: ["[", "]"], dot: "box" },
  identity: { mermaid: ["{{", "}}"], dot: "hexagon" },
  credential: { mermaid: ["([", "])"], dot: "ellipse" },
  location: { mermaid: ["[(", ")]"], dot: "cylinder" },
  system: { mermaid: ["[[", "]]"], dot: "component" },
  owner: { mermaid: [">", "]"], dot: "note" },
};

/** From left to right as somebody reads who asks what breaks: users, what they use, where that is. */
const ranks: readonly NodeType[] = ["owner", "identity", "consumer", "credential", "location", "system"];

/** Nodes in the order of their ranks and names, so that equal maps give equal texts. */
function ordered({ nodes }: Graph): GraphNode[] {
  return [...nodes.values()].sort(
    (a, b) => ranks.indexOf(a.type) - ranks.indexOf(b.type) || (a.name < b.name ? -1 : 1),
  );
}

/** Edges in the order of their nodes. What is at neither end of the map is left out. */
function between({ edges }: Graph, place: ReadonlyMap<string, number>): GraphEdge[] {
  const at = (id: string) => place.get(id) ?? -1;
  return edges
    .filter(({ from, to }) => place.has(from) && place.has(to))
    .sort((a, b) => at(a.from) - at(b.from) || at(a.to) - at(b.to) || (a.type < b.type ? -1 : 1));
}

function numbered(graph: Graph) {
  const nodes = ordered(graph);
  const place = new Map(nodes.map(({ id }, index) => [id, index]));
  return { nodes, place, edges: between(graph, place) };
}

/** A Mermaid flow chart. What only could be is dotted, what was seen is thick. */
export function mermaid(graph: Graph): string {
  const { nodes, place, edges } = numbered(graph);
  const quoted = (text: string) => `"${text.replaceAll('"', "#quot;")}"`;
  const nodeLine = ({ type, name }: GraphNode, index: number) => {
    const [open, close] = looks[type].mermaid;
    return `  n${index}${open}${quoted(name)}${close}`;
  };
  const arrow = (edge: GraphEdge) =>
    ({ potential: "-.->", declared: "-->", read: "==>", session: "==>" })[bestKnown(edge)];
  const edgeLine = (edge: GraphEdge) =>
    `  n${place.get(edge.from)} ${arrow(edge)}|${edge.type}| n${place.get(edge.to)}`;
  return ["flowchart LR", ...nodes.map(nodeLine), ...edges.map(edgeLine)].join("\n");
}

/** A directed graph for Graphviz, ranked from left to right. */
export function dot(graph: Graph): string {
  const { nodes, place, edges } = numbered(graph);
  const quoted = (text: string) => `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
  const style = (edge: GraphEdge) =>
    ({ potential: "dotted", declared: "solid", read: "bold", session: "bold" })[bestKnown(edge)];
  const rows = ranks.map((rank) => {
    const own = nodes.flatMap(({ type }, index) => (type === rank ? [`n${index}`] : []));
    return own.length === 0 ? "" : `  { rank=same; ${own.join("; ")} }`;
  });
  return [
    "digraph rekey {",
    "  rankdir=LR; node [fontname=sans]; edge [fontname=sans, fontsize=9];",
    ...nodes.map(({ type, name }, index) => `  n${index} [label=${quoted(name)}, shape=${looks[type].dot}];`),
    ...edges.map(
      (edge) =>
        `  n${place.get(edge.from)} -> n${place.get(edge.to)} [label=${quoted(edge.type)}, style=${style(edge)}];`,
    ),
    ...rows.filter((row) => row !== ""),
    "}",
  ].join("\n");
}

/** One line an edge (RFC 4180), with how it is known. */
export function csv(graph: Graph): string {
  const { nodes, place, edges } = numbered(graph);
  const cell = (text: string) => {
    // A program that opens a table must not take a name for a formula.
    const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
    return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };
  const name = (id: string) => nodes[place.get(id) ?? -1];
  const head = ["from_type", "from", "edge", "to_type", "to", "known", "first_seen", "sources"];
  const rows = edges.map((edge) => [
    name(edge.from)?.type ?? "",
    name(edge.from)?.name ?? "",
    edge.type,
    name(edge.to)?.type ?? "",
    name(edge.to)?.name ?? "",
    bestKnown(edge),
    new Date(edge.firstSeen).toISOString(),
    [...new Set(edge.evidence.map(({ source }) => source))].sort().join(" "),
  ]);
  return [head, ...rows].map((row) => row.map(cell).join(",")).join("\r\n");
}
