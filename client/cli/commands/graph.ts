/** `rekey graph`: the map itself, whole or around one thing, as a table or for other programs. */
import { exitCodes, RekeyError } from "../../../domain/errors.js";
import { credentialClasses } from "../../../domain/estate/classes.js";
import type { Graph } from "../../../domain/graph/types.js";
import { knownName } from "../choose.js";
import type { Cli } from "../cli.js";
import { command, option } from "../command.js";
import { csv, dot, mermaid } from "../format/drawings.js";
import { count, table } from "../format/layout.js";
import type { Inventory } from "../inventory.js";
import { namesIn, nodeNamed, typeOption } from "../node.js";

const forms = { table: tableOf, mermaid, dot, csv } as const;

/** Prints it. */
export const graph = command<{ readonly format: string; readonly type?: string; readonly class?: string }>({
  usage: "graph [name]",
  summary: "Show the map of who uses what",
  description:
    "Whole, or what is connected with one thing: who fails with it, what it rests on, and what it opens.",
  arguments: { name: "a credential, a consumer, an owner, a system" },
  options: [
    option("--format <form>", "table, mermaid, dot or csv").default("table"),
    typeOption(),
    option(
      "--class <class>",
      "only what is of this class, with what it is connected to: agent, api-key, ...",
    ),
  ],
  examples: [
    ["rekey graph", "everything that is known"],
    ["rekey graph orders-db --format mermaid", "a picture of what is around a credential"],
    ["rekey graph --format dot | dot -Tsvg > map.svg", "a picture of everything"],
    ["rekey graph --class workload-identity", "what workloads use and can read"],
  ],
  async run(cli, [name], { format, type, class: kind }) {
    if (!Object.hasOwn(forms, format))
      throw new RekeyError(
        "bad-input",
        `There is no form "${format}".`,
        "There are table, mermaid, dot and csv.",
      );
    if (kind !== undefined) knownName(kind, credentialClasses, "class");
    const { inventory } = await cli.services();
    const all = name === undefined ? await inventory.map() : await around(inventory, name, type);
    const found = kind === undefined ? all : ofClass(all, kind);
    const print = forms[format as keyof typeof forms];
    const nodes = [...found.nodes.values()];
    cli.show({ nodes, edges: found.edges }, () =>
      kind !== undefined && nodes.length === 0 && format === "table"
        ? noneText(all, kind)
        : print(found, cli),
    );
    return exitCodes.done;
  },
});

async function around(inventory: Inventory, name: string, type: string | undefined): Promise<Graph> {
  const types = ["credential", "consumer", "identity", "location", "system", "owner"] as const;
  const { id } = await nodeNamed(inventory, name, types, type);
  return inventory.reach([id], ["failure", "exposure", "trust"]);
}

/** What is of a class, the edges at it, and what is at their other ends. */
function ofClass({ nodes, edges }: Graph, kind: string): Graph {
  const isOne = (id: string) => nodes.get(id)?.class === kind;
  const left = edges.filter(({ from, to }) => isOne(from) || isOne(to));
  const wanted = new Set([...nodes.keys()].filter(isOne).concat(left.flatMap(({ from, to }) => [from, to])));
  return { nodes: new Map([...nodes].filter(([id]) => wanted.has(id))), edges: left };
}

/** That nothing is of this class, and of which classes there are things. */
function noneText({ nodes }: Graph, kind: string): string {
  const there = [...new Set([...nodes.values()].flatMap((node) => node.class ?? []))].sort();
  const others =
    there.length === 0 ? "nothing has a class there" : `there is something of ${there.join(", ")}`;
  return `Nothing of the class ${kind} is on the map; ${others}.`;
}

function tableOf(map: Graph, { paint }: Pick<Cli, "paint">): string {
  const { nodes, edges } = map;
  const called = namesIn(map);
  const name = (id: string) => {
    const kind = nodes.get(id)?.class;
    return kind === undefined ? called(id) : `${called(id)} (${kind})`;
  };
  if (nodes.size === 0) return "Nothing is on the map yet. Apply an estate with `rekey apply`.";
  const rows = edges
    .map(({ from, type, to, evidence }) => [
      name(from),
      type,
      name(to),
      [...new Set(evidence.map(({ kind, source }) => `${kind} (${source})`))].join(", "),
    ])
    .sort((a, b) => (a.join(" ") < b.join(" ") ? -1 : 1));
  const head = `${count(nodes.size, "node")}, ${count(edges.length, "edge")}.`;
  return `${head}\n${table(["from", "edge", "to", "known"], rows, paint)}`;
}
