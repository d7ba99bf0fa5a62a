/** `rekey order`: in which order credentials are rotated after all of them have leaked. */
import { exitCodes } from "../../../domain/errors.js";
import { orderOf } from "../../../domain/graph/order.js";
import { command } from "../command.js";
import { type FormOptions, formOption, showListing } from "../listing.js";
import { namesIn, nodeNamed } from "../node.js";

/** Shows strata, and names what leads in a ring. */
export const order = command<FormOptions>({
  usage: "order <credential...>",
  summary: "Show in which order several credentials have to be rotated",
  description:
    "What unlocks or mints others goes before them: whoever has a leaked one must not get the new value of\n" +
    "another by it. All of one line can go at the same time. What unlocks each other has no order, and is named.",
  arguments: { credential: "names of credentials" },
  options: [formOption()],
  examples: [["rekey order vault-token orders-db billing-db", "after a store's token has leaked"]],
  async run(cli, names, options) {
    const { inventory } = await cli.services();
    const nodes = [];
    for (const name of new Set(names)) nodes.push(await nodeNamed(inventory, name, ["credential"]));
    const ids = nodes.map(({ id }) => id);
    const graph = await inventory.reach(ids, ["exposure"]);
    const named = (list: readonly string[]) => list.map(namesIn(graph)).sort();
    const { strata, rings } = orderOf(graph, ids);
    const shown = { strata: strata.map(named), rings: rings.map(named) };
    showListing(cli, options, shown, () => ({
      head: [
        ...shown.strata.map((stratum, index) => `${index + 1}. ${stratum.join(", ")}`),
        ...shown.rings.map(
          (ring) =>
            `\n${ring.join(" and ")} unlock each other: whoever has one can get the other's new value.`,
        ),
      ].join("\n"),
      headings: ["round", "credential"],
      rows: [],
      // What unlocks each other stands in no round.
      csvRows: [
        ...shown.strata.flatMap((names, index) => names.map((one) => [String(index + 1), one])),
        ...shown.rings.flatMap((names) => names.map((one) => ["", one])),
      ],
    }));
    return exitCodes.done;
  },
});
