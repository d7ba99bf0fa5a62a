/** `rekey consumers`: who uses a credential, how that is known, and since when. */
import { exitCodes, RekeyError } from "../../../domain/errors.js";
import { ownerNames } from "../../../domain/graph/blast.js";
import { credentialsAt } from "../../../domain/graph/copies.js";
import { lastSeenUse, strongest } from "../../../domain/graph/known.js";
import { Adjacency } from "../../../domain/graph/reach.js";
import type { EdgeType, EvidenceKind, GraphNode, NodeType } from "../../../domain/graph/types.js";
import { isDeclared, readersOf, type User, usersOf } from "../../../domain/graph/use.js";
import { isStranger } from "../../../domain/strangers.js";
import type { Words } from "../../../inventory/thing-words.js";
import { toldUses } from "../anonymous.js";
import { command } from "../command.js";
import { leaksText, metText, toldCopies, toldCopy } from "../copies.js";
import { count } from "../format/layout.js";
import type { Inventory } from "../inventory.js";
import { type FormOptions, formOption, showListing } from "../listing.js";
import { namesIn, nodeNamed, typeOption } from "../node.js";
import { namedSource, type SourceNames } from "../source-names.js";

/** Somebody may ask it of a credential, and of a place. */
const types: readonly NodeType[] = ["credential", "location"];

/**
 * Whoever uses the credential of that name or reads at the place, then who only could; when it was used by whom nobody says; and
 * where its value was met. Throws `not-found`, and `bad-input` where the name is that of something that nobody uses.
 */
export async function consumersOf(inventory: Inventory, name: string, type?: string) {
  const node = await askedAbout(inventory, name, type);
  const [map, anonymous, names, words] = await Promise.all([
    inventory.users(node.id),
    inventory.anonymousUses(node.id),
    inventory.sourceNames(),
    inventory.words(node.id),
  ]);
  const adjacency = new Adjacency(map);
  const isPlace = node.type === "location";
  const found = isPlace ? readersOf(adjacency, node.id) : usersOf(adjacency, node.id);
  return {
    ...{
      name,
      isPlace,
      users: toldUsers(adjacency, found, isPlace, names),
      uses: toldUses(anonymous, names),
    },
    values: isPlace ? credentialsAt(adjacency, node.id).map((one) => one.name) : [],
    copies: toldCopies(map, names),
    words,
  };
}

type Consumers = Awaited<ReturnType<typeof consumersOf>>;

/** The same in the shape in which programs get it. */
export function toldOf({ name, isPlace, users, uses, values, copies, words }: Consumers) {
  const shown = users.map(({ id: _id, ...user }) => user);
  const about = isPlace ? { place: name, values } : { credential: name };
  return { ...about, consumers: shown, anonymous: uses, copies, said: words };
}

async function askedAbout(inventory: Inventory, name: string, type: string | undefined): Promise<GraphNode> {
  try {
    return await nodeNamed(inventory, name, types, type);
  } catch (caught) {
    if (!(caught instanceof RekeyError) || caught.code !== "not-found") throw caught;
    const [other] = (await inventory.nodesNamed(name)).found;
    if (other === undefined) throw caught;
    throw new RekeyError(
      "bad-input",
      `Consumers are those of a credential or of a place, and ${name} is neither.`,
      `\`rekey blast ${name}\` shows who fails with this ${other.type}, and what it opens.`,
    );
  }
}

function toldUsers(adjacency: Adjacency, users: readonly User[], isPlace: boolean, names: SourceNames) {
  const declared = new Set(users.filter(isDeclared).map(({ node }) => node.id));
  const named = namesIn(adjacency.graph);
  return users
    .map(({ node, edge, known, at, copy }) => ({
      ...{ id: node.id, name: node.name, type: node.type, class: node.class ?? null },
      ...{ edge: edge.type, known, at: at?.name ?? null },
      isUnmapped: !isPlace && isStranger({ node, edge }, declared),
      firstSeen: edge.firstSeen,
      lastSeen: lastSeenUse(edge),
      owners: ownerNames(adjacency, node.id),
      evidence: edge.evidence.map((one) => namedSource(names, one)),
      copy: copy === null ? null : toldCopy(copy, named, names),
    }))
    .sort((a, b) => Number(!isUse(a)) - Number(!isUse(b)) || Number(a.at !== null) - Number(b.at !== null));
}

/** It uses the credential or a copy, and not only could. */
function isUse({ edge, known }: { readonly edge: EdgeType; readonly known: EvidenceKind }): boolean {
  return edge === "uses" && known !== "potential";
}

/** Lists them: whoever uses it first, then who only could. */
export const consumers = command<FormOptions & { readonly type?: string }>({
  usage: "consumers <name>",
  summary: "Show who uses a credential, or reads at a place, and how that is known",
  description:
    "Whoever uses it, and whoever could read it where it is kept. What was seen says so: a log shows the read, or a session is open. What is only declared was written by somebody. Who is unmapped is none of the consumers that the estate declares for it. Who holds a copy reads the same value at a place that no rotation changes, where a source has met it.",
  arguments: { name: "a credential, or a place: whoever reads what stands there" },
  options: [formOption(), typeOption()],
  examples: [
    ["rekey consumers orders-db", "everybody on it"],
    ["rekey consumers orders-db --format csv > orders.csv", "for a spreadsheet"],
  ],
  async run(cli, [name = ""], options) {
    const { inventory } = await cli.services();
    const found = await consumersOf(inventory, name, options.type);
    const { isPlace, users, uses, words } = found;
    showListing(cli, options, toldOf(found), (style) => ({
      head: headOf(found),
      headings: ["name", "what", "class", "known", "unmapped", "since", "last seen", "owner", "why"],
      rows: users.map((one) => [
        style.name(one.name),
        one.type,
        one.class ?? "",
        knownText(one),
        one.isUnmapped ? "unmapped" : "",
        style.when(one.firstSeen),
        one.lastSeen === null ? "" : style.when(one.lastSeen),
        one.owners.join(", "),
        [strongest(one.evidence)?.sentence ?? "", ...(one.copy === null ? [] : [metText(one.copy)])].join(
          " ",
        ),
      ]),
      notes: [
        ...wordsText(words),
        ...uses.map(({ text }) => text),
        ...(isPlace ? valuesText(found) : unreadText(found)),
      ],
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
function headOf({ name, isPlace, users }: Consumers): string {
  if (users.length === 0) return `Nobody is known to ${isPlace ? "read" : "use"} ${name}.`;
  const different = (list: typeof users) => new Set(list.map(({ id }) => id)).size;
  const using = different(users.filter(isUse));
  const could = different(users) - using;
  const unmapped = different(users.filter(({ isUnmapped }) => isUnmapped));
  const who = count(using, isPlace ? "reader" : "consumer");
  const head = `${who} of ${name}${could === 0 ? "" : `, and ${could} that could read it`}.`;
  if (unmapped === 0) return head;
  const are = unmapped === 1 ? "is" : "are";
  return `${head} ${unmapped} of them ${are} unmapped: the estate declares no such consumer of it.`;
}

/** How it is known, and at which copy. */
function knownText({ edge, known, at, copy }: Consumers["users"][number]): string {
  const how = known === "potential" || edge !== "uses" ? "could" : known;
  if (at === null) return how;
  return copy === null ? `${how}, at ${at}` : `${how}, holds a copy at ${at}`;
}

/** Whose values stand at a place. */
function valuesText({ values }: Consumers): string[] {
  return values.map(
    (value) =>
      `The value of ${value} stands there, and whoever reads it uses that: \`rekey consumers ${value}\` shows everybody.`,
  );
}

/** So many copies that nobody is known to read are told in full. */
const unreadMax = 20;

/** Copies that nobody is known to read, and may be read all the same; and where it has only got to. */
function unreadText({ users, copies }: Consumers): string[] {
  const read = new Set(users.filter(isUse).flatMap(({ copy }) => copy?.place ?? []));
  const unread = copies.filter(({ place, isLeak }) => !isLeak && !read.has(place));
  const more = unread.length - unreadMax;
  return [
    ...unread
      .slice(0, unreadMax)
      .map((copy) => `Nobody is known to read the copy in ${copy.place}. ${metText(copy)}`),
    ...(more > 0
      ? [`Nobody is known to read ${count(more, "more copy", "more copies")}: --json has all.`]
      : []),
    ...leaksText(copies),
  ];
}
