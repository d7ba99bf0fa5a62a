/** `rekey path`: why one thing depends on another, edge by edge, and how each of them is known. */
import { exitCodes, RekeyError } from "../../../domain/errors.js";
import { bestKnown, strongest } from "../../../domain/graph/known.js";
import { Adjacency, reach, wayTo } from "../../../domain/graph/reach.js";
import type { NodeType } from "../../../domain/graph/types.js";
import { command } from "../command.js";
import { count } from "../format/layout.js";
import { shellWord } from "../format/shell.js";
import { type FormOptions, formOption, showListing } from "../listing.js";
import { namesIn, nodeNamed } from "../node.js";

const types: readonly NodeType[] = ["consumer", "identity", "credential", "location", "system"];

/** Shows a shortest way. */
export const path = command<FormOptions>({
  usage: "path <from> <to>",
  summary: "Show why one thing depends on another",
  description: "A shortest way over what is used, where that is kept, what accepts it, and what that needs.",
  arguments: {
    from: "what depends: a consumer or a credential",
    to: "what it depends on: a credential or a system",
  },
  options: [formOption()],
  examples: [
    ["rekey path orders-api main-vault", "why the service fails with the store"],
    ["rekey path orders-api orders-db --json", "for a program"],
  ],
  async run(cli, [from = "", to = ""], options) {
    const { inventory } = await cli.services();
    const start = await nodeNamed(inventory, from, types);
    const end = await nodeNamed(inventory, to, types);
    const adjacency = new Adjacency(await inventory.reach([start.id], ["trust"]));
    const reached = reach(adjacency, [start.id], "trust");
    if (!reached.has(end.id))
      throw new RekeyError(
        "not-found",
        `Nothing that is known leads from ${from} to ${to}.`,
        `\`rekey graph ${shellWord(from)}\` shows what it is connected with; the other way round it is \`rekey path ${shellWord(to)} ${shellWord(from)}\`.`,
      );
    const named = namesIn(adjacency.graph);
    const way = wayTo(reached, end.id).map((edge) => ({
      ...{ from: named(edge.from), type: edge.type, to: named(edge.to), known: bestKnown(edge) },
      why: strongest(edge.evidence)?.sentence ?? "",
    }));
    showListing(cli, options, { from, to, way }, () => ({
      head:
        way.length === 0 ? `${from} is ${to}.` : `${from} depends on ${to} by ${count(way.length, "edge")}.`,
      headings: ["from", "edge", "to", "known", "why"],
      rows: way.map((edge) => [edge.from, edge.type, edge.to, edge.known, edge.why]),
    }));
    return exitCodes.done;
  },
});
