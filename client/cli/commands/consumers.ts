/** `rekey consumers`: who uses a credential, how that is known, and since when. */
import { exitCodes } from "../../../domain/errors.js";
import { ownerNames } from "../../../domain/graph/blast.js";
import { lastSeenUse, strongest } from "../../../domain/graph/known.js";
import { Adjacency } from "../../../domain/graph/reach.js";
import type { EdgeType, EvidenceKind } from "../../../domain/graph/types.js";
import { usersOf } from "../../../domain/graph/use.js";
import { anonymousUsesIn } from "../anonymous.js";
import type { Cli } from "../cli.js";
import { command } from "../command.js";
import { count } from "../format/layout.js";
import { relative } from "../format/time.js";
import type { Inventory } from "../inventory.js";
import { type FormOptions, formOption, showListing } from "../listing.js";
import { nodeNamed } from "../node.js";

/** Whoever uses the credential of that name, then who only could. Throws `not-found`. */
export async function consumersOf(inventory: Inventory, name: string) {
  const credential = await nodeNamed(inventory, name, ["credential"]);
  return usersIn(inventory, credential.id);
}

async function usersIn(inventory: Inventory, credential: string) {
  const adjacency = new Adjacency(await inventory.users(credential));
  return usersOf(adjacency, credential)
    .map(({ node, edge, known, at }) => ({
      ...{ id: node.id, name: node.name, type: node.type, edge: edge.type, known, at: at?.name ?? null },
      firstSeen: edge.firstSeen,
      lastSeen: lastSeenUse(edge),
      owners: ownerNames(adjacency, node.id),
      evidence: edge.evidence,
    }))
    .sort((a, b) => Number(!isUse(a)) - Number(!isUse(b)) || Number(a.at !== null) - Number(b.at !== null));
}

/** It uses the credential or a copy, and not only could. */
function isUse({ edge, known }: { readonly edge: EdgeType; readonly known: EvidenceKind }): boolean {
  return edge === "uses" && known !== "potential";
}

/** Lists them: whoever uses it first, then who only could. */
export const consumers = command<FormOptions>({
  usage: "consumers <credential>",
  summary: "Show who uses a credential, and how that is known",
  description:
    "Whoever uses it, and whoever could read it where it is kept. What was seen says so: a log shows the read, or a session is open. What is only declared was written by somebody.",
  arguments: { credential: "name of a credential" },
  options: [formOption()],
  examples: [
    ["rekey consumers orders-db", "everybody on it"],
    ["rekey consumers orders-db --format csv > orders.csv", "for a spreadsheet"],
  ],
  async run(cli, [name = ""], options) {
    const { inventory } = await cli.services();
    const { id } = await nodeNamed(inventory, name, ["credential"]);
    const [found, uses] = await Promise.all([usersIn(inventory, id), anonymousUsesIn(inventory, id)]);
    const now = cli.io.now();
    const consumersShown = found.map(({ id: _id, ...shown }) => shown);
    const object = { credential: name, consumers: consumersShown, anonymous: uses };
    showListing(cli, options, object, () => {
      const cells = (when: (at: number) => string, paint: Cli["paint"] | null) =>
        found.map(({ name: who, type, edge, known, at, firstSeen, lastSeen, owners, evidence }) => [
          paint === null ? who : paint("name", who),
          type,
          knownText(edge, known, at),
          when(firstSeen),
          lastSeen === null ? "" : when(lastSeen),
          owners.join(", "),
          strongest(evidence)?.sentence ?? "",
        ]);
      // Who is declared and was seen at a copy stands there twice, and is one.
      const using = new Set(found.filter(isUse).map(({ id }) => id));
      const could = new Set(found.map(({ id }) => id)).size - using.size;
      return {
        head:
          found.length === 0
            ? `Nobody is known to use ${name}.`
            : `${count(using.size, "consumer")} of ${name}${could === 0 ? "" : `, and ${could} that could read it`}.`,
        headings: ["name", "what", "known", "since", "last seen", "owner", "why"],
        rows: cells((at) => relative(at, now), cli.paint),
        csvRows: cells((at) => new Date(at).toISOString(), null),
        notes: uses.map(({ text }) => text),
      };
    });
    return exitCodes.done;
  },
});

/** How it is known, and at which copy. */
function knownText(edge: string, known: string, at: string | null): string {
  if (known === "potential" || edge !== "uses") return at === null ? "could" : `could, at ${at}`;
  return at === null ? known : `${known}, at ${at}`;
}
