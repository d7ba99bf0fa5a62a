/** `rekey order`: in which order credentials are rotated after all of them have leaked. */
import { exitCodes } from "../../../domain/errors.js";
import { orderOf } from "../../../domain/graph/order.js";
import { Adjacency } from "../../../domain/graph/reach.js";
import { isDeclared, usersOf } from "../../../domain/graph/use.js";
import { type RotationWave, wavesOfSet } from "../../../domain/graph/waves.js";
import { command } from "../command.js";
import type { Inventory } from "../inventory.js";
import { type FormOptions, formOption, showListing } from "../listing.js";
import { namesIn, nodeNamed } from "../node.js";

/** Shows strata and the waves of each, and names what leads in a ring. */
export const order = command<FormOptions>({
  usage: "order <credential...>",
  summary: "Show in which order several credentials have to be rotated",
  description:
    "What unlocks or mints others goes before them: whoever has a leaked one must not get the new value of\n" +
    "another by it. All of one line can go at the same time. A consumer is moved by one rotation at a time: what shares\n" +
    "one with a line above comes after it, as a wave of the same number. What unlocks each other has no order, and is named.",
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
    const { waves, nameOf } = await wavesOf(inventory, strata);
    const shown = {
      strata: strata.map(named),
      waves: waves.map((each) => each.map(({ credentials }) => named(credentials))),
      rings: rings.map(named),
    };
    const later = ({ credentials, after }: RotationWave) => {
      const each = credentials.map(
        (id) => `${namesIn(graph)(id)} (${movedBefore((after[id] ?? []).map(nameOf))})`,
      );
      return `   then ${each.join(", ")}`;
    };
    showListing(cli, options, shown, () => ({
      head: [
        ...waves.flatMap(([, ...more], index) => [
          `${index + 1}. ${shown.waves[index]?.[0]?.join(", ")}`,
          ...more.map(later),
        ]),
        ...shown.rings.map(
          (ring) =>
            `\n${ring.join(" and ")} unlock each other: whoever has one can get the other's new value.`,
        ),
      ].join("\n"),
      headings: ["round", "credential", "wave"],
      rows: [],
      // What unlocks each other stands in no round.
      csvRows: [
        ...shown.waves.flatMap((each, index) =>
          each.flatMap((names, at) => names.map((one) => [String(index + 1), one, String(at + 1)])),
        ),
        ...shown.rings.flatMap((names) => names.map((one) => ["", one, ""])),
      ],
    }));
    return exitCodes.done;
  },
});

/** The waves of each stratum, by the declared consumers of its credentials, and what those are called. */
async function wavesOf(inventory: Inventory, strata: readonly (readonly string[])[]) {
  const names = new Map<string, string>();
  const consumers = new Map<string, ReadonlySet<string>>();
  for (const id of strata.flat()) {
    const users = usersOf(new Adjacency(await inventory.users(id)), id).filter(isDeclared);
    consumers.set(id, new Set(users.map(({ node }) => node.id)));
    for (const { node } of users) names.set(node.id, node.name);
  }
  const waves = strata.map((stratum) => wavesOfSet(stratum, (id) => consumers.get(id) ?? new Set()));
  return { waves, nameOf: (id: string) => names.get(id) ?? id };
}

function movedBefore([first = "", ...more]: readonly string[]): string {
  return more.length === 0 ? `${first} moves before` : `${first} and ${more.length} more move before`;
}
