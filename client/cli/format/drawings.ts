/** A map in forms that other programs draw or read: Mermaid, Graphviz's DOT, and CSV. */
import { bestKnown } from "../../../domain/graph/known.js";
import type { EdgeType, Graph, GraphEdge, GraphNode, NodeType } from "../../../domain/graph/types.js";
import { csvText } from "./csv.js";
import { type Drawn, pictureOf } from "./picture.js";

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
function ordered<Of>(list: readonly Of[], nodeOf: (one: Of) => GraphNode): Of[] {
  const rankOf = (one: Of) => ranks.indexOf(nodeOf(one).type);
  return [...list].sort((a, b) => rankOf(a) - rankOf(b) || (nodeOf(a).name < nodeOf(b).name ? -1 : 1));
}

/** Edges in the order of their nodes. What is at neither end of the map is left out. */
function between(edges: readonly GraphEdge[], place: ReadonlyMap<string, number>): GraphEdge[] {
  const at = (id: string) => place.get(id) ?? -1;
  return edges
    .filter(({ from, to }) => place.has(from) && place.has(to))
    .sort((a, b) => at(a.from) - at(b.from) || at(a.to) - at(b.to) || (a.type < b.type ? -1 : 1));
}

function drawn(graph: Graph) {
  const picture = pictureOf(graph);
  const nodes = ordered(picture.nodes, ({ node }) => node);
  const place = new Map(nodes.map(({ node }, index) => [node.id, index]));
  return { nodes, place, edges: between(picture.edges, place) };
}

/** A Mermaid flow chart. What only could be is dotted, what was seen is thick. */
export function mermaid(graph: Graph): string {
  const { nodes, place, edges } = drawn(graph);
  const quoted = (lines: readonly string[]) =>
    `"${lines.map((line) => line.replaceAll('"', "#quot;")).join("<br>")}"`;
  const nodeLine = ({ node, lines }: Drawn, index: number) => {
    const [open, close] = looks[node.type].mermaid;
    return `  n${index}${open}${quoted(lines)}${close}`;
  };
  const arrow = (edge: GraphEdge) =>
    ({ potential: "-.->", declared: "-->", met: "==>", read: "==>", session: "==>" })[bestKnown(edge)];
  const edgeLine = (edge: GraphEdge) =>
    `  n${place.get(edge.from)} ${arrow(edge)}|${edge.type}| n${place.get(edge.to)}`;
  return ["flowchart LR", ...nodes.map(nodeLine), ...edges.map(edgeLine)].join("\n");
}

/** With more edges than this their labels would lie over each other; the colours and the legend say the same. */
const labelledMax = 40;

const colours: Readonly<Record<EdgeType, string>> = {
  uses: "black",
  "stored-in": "gray60",
  "issued-by": "steelblue",
  "owned-by": "gray40",
  "depends-on": "darkorange",
  "can-read": "firebrick",
  mints: "purple",
  "copied-to": "deeppink",
  "leaked-to": "hotpink",
};

/** A directed graph for Graphviz, ranked from left to right. */
export function dot(graph: Graph): string {
  const { nodes, place, edges } = drawn(graph);
  const quoted = (lines: readonly string[]) =>
    `"${lines.map((line) => line.replaceAll("\\", "\\\\").replaceAll('"', '\\"')).join("\\n")}"`;
  const style = (edge: GraphEdge) =>
    ({ potential: "dotted", declared: "solid", met: "bold", read: "bold", session: "bold" })[bestKnown(edge)];
  const rows = ranks.map((rank) => {
    const own = nodes.flatMap(({ node }, index) => (node.type === rank ? [`n${index}`] : []));
    return own.length === 0 ? "" : `  { rank=same; ${own.join("; ")} }`;
  });
  const types = [...new Set(edges.map(({ type }) => type))].sort();
  const legend = `${types.map((type) => `${type}: ${colours[type]}`).join("   ")}   (bold: seen, dotted: only could)`;
  const isLabelled = edges.length <= labelledMax;
  const edgeLine = (edge: GraphEdge) => {
    const label = isLabelled ? `label=${quoted([edge.type])}, ` : "";
    return `  n${place.get(edge.from)} -> n${place.get(edge.to)} [${label}color=${colours[edge.type]}, style=${style(edge)}];`;
  };
  return [
    "digraph rekey {",
    '  rankdir=LR; nodesep=0.08; ranksep=2.5; node [fontname=sans, fontsize=10, margin="0.08,0.03", height=0.2];',
    "  edge [fontname=sans, fontsize=9, arrowsize=0.6];",
    ...(types.length === 0 ? [] : [`  label=${quoted([legend])}; fontname=sans; fontsize=11;`]),
    ...nodes.map(
      ({ node, lines }, index) => `  n${index} [label=${quoted(lines)}, shape=${looks[node.type].dot}];`,
    ),
    ...edges.map(edgeLine),
    ...rows.filter((row) => row !== ""),
    "}",
  ].join("\n");
}

/** One line an edge (RFC 4180), with how it is known. */
export function csv(graph: Graph): string {
  const nodes = ordered([...graph.nodes.values()], (node) => node);
  const place = new Map(nodes.map(({ id }, index) => [id, index]));
  const edges = between(graph.edges, place);
  const name = (id: string) => nodes[place.get(id) ?? -1];
  const head = ["from_type", "from", "edge", "to_type", "to", "known", "first_seen", "sources"];
  const classes = ["from_class", "to_class"];
  const rows = edges.map((edge) => [
    name(edge.from)?.type ?? "",
    name(edge.from)?.name ?? "",
    edge.type,
    name(edge.to)?.type ?? "",
    name(edge.to)?.name ?? "",
    bestKnown(edge),
    new Date(edge.firstSeen).toISOString(),
    [...new Set(edge.evidence.map(({ source }) => source))].sort().join(" "),
    name(edge.from)?.class ?? "",
    name(edge.to)?.class ?? "",
  ]);
  return csvText([[...head, ...classes], ...rows]);
}
