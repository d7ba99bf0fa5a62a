/** `rekey blast`: what breaks when something is taken away, and what is exposed when it is in the wrong hands. */
import { exitCodes } from "../../../domain/errors.js";
import { type Affected, blastOf } from "../../../domain/graph/blast.js";
import type { Cli } from "../cli.js";
import { command } from "../command.js";
import { count, section, table } from "../format/layout.js";
import { namesIn, nodeNamed, typeOption } from "../node.js";

/** Shows both, nearest first, with the way that leads there. */
export const blast = command<{ readonly type?: string }>({
  usage: "blast <name>",
  summary: "Show what breaks with a credential, a consumer or an owner, and what is exposed",
  description:
    "Breaks: who stops working when it is taken away. Exposed: what whoever has it can get at. Each with the way that leads there, how sure its weakest link is, and who answers for it.",
  arguments: {
    name: "a credential, a consumer or an owner; of an owner it is everything that they answer for",
  },
  options: [typeOption()],
  examples: [
    ["rekey blast orders-db", "before it is rotated, or after it has leaked"],
    ["rekey blast payments --json", "for everything of an owner, for a program"],
  ],
  async run(cli, [name = ""], { type }) {
    const { inventory } = await cli.services();
    const node = await nodeNamed(inventory, name, ["credential", "consumer", "owner"], type);
    const graph = await inventory.reach([node.id], ["failure", "exposure"]);
    const { starts, breaks, exposed, owners } = blastOf(graph, node.id);
    const named = namesIn(graph);
    const plain = (list: readonly Affected[]) =>
      list.map(({ node: { name: what, type: kind }, distance, known, way, owners: whose }) => {
        return {
          name: what,
          type: kind,
          distance,
          known,
          owners: whose.map(named),
          way: way.map(edgeIn(named)),
        };
      });
    const shown = { breaks: plain(breaks), exposed: plain(exposed) };
    const all = {
      name,
      type: node.type,
      starts: starts.map(({ id }) => named(id)),
      owners: owners.map(named),
    };
    cli.show({ ...all, ...shown }, () =>
      [
        summary(name, breaks.length, exposed.length, owners.map(named)),
        ...(node.type === "owner"
          ? [
              ownedText(
                name,
                starts.map(({ id }) => named(id)),
              ),
            ]
          : []),
        ...section("Breaks when it is taken away", rowsOf(cli, shown.breaks), cli.paint),
        ...section("Exposed to whoever has it", rowsOf(cli, shown.exposed), cli.paint),
      ].join("\n\n"),
    );
    return exitCodes.done;
  },
});

function edgeIn(named: (id: string) => string) {
  return ({ from, type, to }: Affected["way"][number]) => `${named(from)} ${type} ${named(to)}`;
}

function summary(name: string, breaks: number, exposed: number, owners: readonly string[]): string {
  const whose = owners.length === 0 ? "" : `; ask ${owners.join(", ")}`;
  if (breaks + exposed === 0) return `Nothing is known to break or to be exposed with ${name}.`;
  const broken = breaks === 0 ? "Nothing breaks" : count(breaks, "thing breaks", "things break");
  const open = exposed === 0 ? "nothing is exposed" : count(exposed, "is exposed", "are exposed");
  return `${broken} with ${name}, and ${open}${whose}.`;
}

function ownedText(owner: string, names: readonly string[]): string {
  return names.length === 0
    ? `${owner} answers for nothing.`
    : `${owner} answers for ${[...names].sort().join(", ")}.`;
}

interface Row {
  readonly name: string;
  readonly type: string;
  readonly known: string;
  readonly owners: readonly string[];
  readonly way: readonly string[];
}

function rowsOf(cli: Cli, rows: readonly Row[]): string {
  const cells = rows.map(({ name, type, known, owners, way }) => [
    cli.paint("name", name),
    type,
    known,
    owners.join(", "),
    way.join("; "),
  ]);
  return table(["name", "what", "known", "owner", "because"], cells, cli.paint);
}
