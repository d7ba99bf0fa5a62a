/** `rekey consumers`: who uses a credential, how that is known, and since when. */
import { exitCodes } from "../../../domain/errors.js";
import { ownerNames } from "../../../domain/graph/blast.js";
import { lastSeenUse, strongest } from "../../../domain/graph/known.js";
import { Adjacency } from "../../../domain/graph/reach.js";
import type { EdgeType, EvidenceKind, Graph } from "../../../domain/graph/types.js";
import { isDeclared, usersOf } from "../../../domain/graph/use.js";
import { isStranger } from "../../../domain/strangers.js";
import type { Words } from "../../../inventory/thing-words.js";
import { toldUses } from "../anonymous.js";
import { command } from "../command.js";
import { count } from "../format/layout.js";
import type { Inventory } from "../inventory.js";
import { type FormOptions, formOption, showListing } from "../listing.js";
import { nodeNamed } from "../node.js";
import { namedSource, type SourceNames } from "../source-names.js";

/** Whoever uses the credential of that name, then who only could. Throws `not-found`. */
export async function consumersOf(inventory: Inventory, name: string) {
  const { id } = await nodeNamed(inventory, name, ["credential"]);
  const [map, names] = await Promise.all([inventory.users(id), inventory.sourceNames()]);
  return usersIn(map, id, names);
}

function usersIn(map: Graph, credential: string, names: SourceNames) {
  const adjacency = new Adjacency(map);
  const users = usersOf(adjacency, credential);
  const declared = new Set(users.filter(isDeclared).map(({ node }) => node.id));
  return users
    .map(({ node, edge, known, at }) => ({
      ...{ id: node.id, name: node.name, type: node.type, class: node.class ?? null },
      ...{ edge: edge.type, known, at: at?.name ?? null },
      isUnmapped: isStranger({ node, edge }, declared),
      firstSeen: edge.firstSeen,
      lastSeen: lastSeenUse(edge),
      owners: ownerNames(adjacency, node.id),
      evidence: edge.evidence.map((one) => namedSource(names, one)),
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
    "Whoever uses it, and whoever could read it where it is kept. What was seen says so: a log shows the read, or a session is open. What is only declared was written by somebody. Who is unmapped is none of the consumers that the estate declares for it.",
  arguments: { credential: "name of a credential" },
  options: [formOption()],
  examples: [
    ["rekey consumers orders-db", "everybody on it"],
    ["rekey consumers orders-db --format csv > orders.csv", "for a spreadsheet"],
  ],
  async run(cli, [name = ""], options) {
    const { inventory } = await cli.services();
    const { id } = await nodeNamed(inventory, name, ["credential"]);
    const [map, anonymous, names, words] = await Promise.all([
      inventory.users(id),
      inventory.anonymousUses(id),
      inventory.sourceNames(),
      inventory.words(id),
    ]);
    const found = usersIn(map, id, names);
    const uses = toldUses(anonymous, names);
    const consumersShown = found.map(({ id: _id, ...shown }) => shown);
    const object = { credential: name, consumers: consumersShown, anonymous: uses, said: words };
    showListing(cli, options, object, (style) => ({
      head: headOf(name, found),
      headings: ["name", "what", "class", "known", "unmapped", "since", "last seen", "owner", "why"],
      rows: found.map((one) => [
        style.name(one.name),
        one.type,
        one.class ?? "",
        knownText(one.edge, one.known, one.at),
        one.isUnmapped ? "unmapped" : "",
        style.when(one.firstSeen),
        one.lastSeen === null ? "" : style.when(one.lastSeen),
        one.owners.join(", "),
        strongest(one.evidence)?.sentence ?? "",
      ]),
      notes: [...wordsText(words), ...uses.map(({ text }) => text)],
    }));
    return exitCodes.done;
  },
});

/** What sources have written down of the credential itself. */
function wordsText({ purpose, expiresAt, by }: Words): string[] {
  if (purpose === null && expiresAt === null) return [];
  const end =
    expiresAt === null ? [] : [`It is to end on ${new Date(expiresAt).toISOString().slice(0, 10)}.`];
  const what = purpose === null ? [] : [`What it is for: ${purpose.replace(/\.$/, "")}.`];
  return [`${[...what, ...end].join(" ")} (${by.join(", ")})`];
}

/** How many they are. Who is declared and was seen at a copy stands there twice, and is one. */
function headOf(name: string, found: ReturnType<typeof usersIn>): string {
  if (found.length === 0) return `Nobody is known to use ${name}.`;
  const different = (list: typeof found) => new Set(list.map(({ id }) => id)).size;
  const using = different(found.filter(isUse));
  const could = different(found) - using;
  const unmapped = different(found.filter(({ isUnmapped }) => isUnmapped));
  const head = `${count(using, "consumer")} of ${name}${could === 0 ? "" : `, and ${could} that could read it`}.`;
  if (unmapped === 0) return head;
  const are = unmapped === 1 ? "is" : "are";
  return `${head} ${unmapped} of them ${are} unmapped: the estate declares no such consumer of it.`;
}

/** How it is known, and at which copy. */
function knownText(edge: string, known: string, at: string | null): string {
  if (known === "potential" || edge !== "uses") return at === null ? "could" : `could, at ${at}`;
  return at === null ? known : `${known}, at ${at}`;
}
