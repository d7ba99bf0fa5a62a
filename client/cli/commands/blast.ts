/** `rekey blast`: what breaks when something is taken away, and what is exposed when it is in the wrong hands. */
import { exitCodes, RekeyError } from "../../../domain/errors.js";
import type { Affected, Tally } from "../../../domain/graph/blast.js";
import { isCopy } from "../../../domain/graph/copies.js";
import type { NodeType } from "../../../domain/graph/types.js";
import { minuteOf } from "../../../domain/watched.js";
import type { Cli } from "../cli.js";
import { command, option } from "../command.js";
import { leaksText, lookText, type ToldCopy, toldCopies } from "../copies.js";
import { csvText } from "../format/csv.js";
import { dot, mermaid } from "../format/drawings.js";
import { count, section, table } from "../format/layout.js";
import type { Inventory } from "../inventory.js";
import { namesIn, nodeNamed, typeOption } from "../node.js";

/** Of each list so many are shown in a table; what programs read is whole. */
const shownMax = 200;
/** Owners that are named in the head; the others are counted. */
const ownersMax = 20;
/** Places with the same value that are named. */
const placesMax = 10;

/** An identity, and a store, may be in the wrong hands, too. */
const types: readonly NodeType[] = ["credential", "consumer", "owner", "identity", "location", "system"];

interface BlastOptions {
  readonly type?: string;
  readonly limit?: string;
  readonly format: string;
}

const forms = ["table", "csv", "mermaid", "dot"];

/** The blast radius of the thing of that name, with names: of each list the nearest `limit`; null: all. Throws `not-found`. */
export async function radiusOf(inventory: Inventory, name: string, wanted: Wanted) {
  return (await drawnRadius(inventory, name, wanted)).radius;
}

interface Wanted {
  readonly type?: string | undefined;
  readonly limit: number | null;
}

/** The same, and the part of the map that it speaks of. */
async function drawnRadius(inventory: Inventory, name: string, { type, limit }: Wanted) {
  const node = await nodeNamed(inventory, name, types, type);
  const { blast: found, breaks, exposed, begins, graph } = await inventory.blast(node.id, limit);
  const copies = graph.edges.some(isCopy) ? toldCopies(graph, await inventory.sourceNames()) : [];
  const named = namesIn(graph);
  const plain = (list: readonly Affected[]) =>
    list.map(({ node: { name: what, type: kind }, distance, known, way, owners: whose }) => {
      return {
        ...{ name: what, type: kind, distance, known },
        owners: whose.map(named),
        way: way.map(edgeIn(named)),
      };
    });
  const radius = {
    name,
    type: node.type,
    starts: found.starts.map(({ id }) => named(id)),
    owners: found.owners.map(named),
    counts: { starts: begins, breaks: countsIn(breaks, named), exposed: countsIn(exposed, named) },
    breaks: plain(found.breaks),
    exposed: plain(found.exposed),
    same: {
      credentials: found.same.credentials.map((one) => one.name),
      places: found.same.places.map((one) => one.name),
    },
    copies,
  };
  return { radius, graph };
}

function countsIn({ things, byType, byOwner, isWhole }: Tally, named: (id: string) => string) {
  const owners = Object.entries(byOwner).sort(([a, x], [b, y]) => y - x || (named(a) < named(b) ? -1 : 1));
  return {
    things,
    isWhole,
    byType,
    byOwner: Object.fromEntries(owners.map(([id, number]) => [named(id), number])),
  };
}

/** Shows both, nearest first, with the way that leads there. */
export const blast = command<BlastOptions>({
  usage: "blast <name>",
  summary: "Show what breaks with a credential, a consumer or an owner, and what is exposed",
  description:
    "Breaks: who stops working when it is taken away, also whoever reads a copy of its value that a source has met. Exposed: what whoever has it can get at. Each with the way that leads there, how sure its weakest link is, and who answers for it. Of a place it is about the value that stands there, wherever else that is.",
  arguments: {
    name: "a credential, a consumer, an identity, a place, a system, or an owner with everything that they answer for",
  },
  options: [
    typeOption(),
    option(
      "--limit <number>",
      `of each list only the nearest (default: ${shownMax}; with --json and as csv all of them)`,
    ),
    option("--format <form>", "table, csv, mermaid or dot").default("table"),
  ],
  examples: [
    ["rekey blast orders-db", "before it is rotated, or after it has leaked"],
    ["rekey blast payments --json", "for everything of an owner, for a program"],
    ["rekey blast orders-db --format mermaid", "a picture for the incident's page"],
  ],
  async run(cli, [name = ""], { type, limit, format }) {
    if (!forms.includes(format))
      throw new RekeyError(
        "bad-input",
        `There is no form "${format}".`,
        "There are table, csv, mermaid and dot.",
      );
    const { inventory } = await cli.services();
    const most = limitOf(limit, cli.json || format === "csv");
    const { radius, graph } = await drawnRadius(inventory, name, { type, limit: most });
    const { counts, breaks, exposed, starts, owners } = radius;
    cli.show(radius, () => {
      if (format === "mermaid") return mermaid(graph);
      if (format === "dot") return dot(graph);
      if (format === "csv") return listText(radius);
      return [
        ...(radius.type === "owner" ? [ownedText(name, starts, counts.starts)] : []),
        ...(radius.type === "owner" && counts.starts === 0
          ? []
          : [summary(radius, counts.breaks, counts.exposed, owners)]),
        ...sameText(name, radius.same),
        ...section("Breaks when it is taken away", rowsOf(cli, breaks, counts.breaks), cli.paint),
        ...section("Exposed to whoever has it", rowsOf(cli, exposed, counts.exposed), cli.paint),
        ...section("Copies of the value that sources met", copiesText(cli, radius.copies), cli.paint),
        ...leaksText(radius.copies),
      ].join("\n\n");
    });
    return exitCodes.done;
  },
});

function limitOf(text: string | undefined, isWhole: boolean): number | null {
  if (text === undefined) return isWhole ? null : shownMax;
  if (/^[1-9][0-9]{0,6}$/.test(text)) return Number(text);
  throw new RekeyError(
    "bad-input",
    "--limit takes a number from 1 on.",
    "Such as --limit 50; --json and --format csv have all of it.",
  );
}

function edgeIn(named: (id: string) => string) {
  return ({ from, type, to }: Affected["way"][number]) => `${named(from)} ${type} ${named(to)}`;
}

type Counted = Pick<Tally, "things" | "isWhole">;

/** How much there is, and whose it is. Of an owner it begins at all that they answer for, which is in neither list. */
function summary(
  { name, type }: { readonly name: string; readonly type: NodeType },
  breaking: Counted,
  open: Counted,
  owners: readonly string[],
): string {
  const [breaks, exposed] = [breaking.things, open.things];

  const named = owners.slice(0, ownersMax);
  const others = owners.length > named.length ? ` and ${count(owners.length - named.length, "other")}` : "";
  const whose = owners.length === 0 ? "" : `; ask ${named.join(", ")}${others}`;
  const [start, other, more] = type === "owner" ? ["all of that", " else", "more "] : [name, "", ""];
  if (breaks + exposed === 0) return `Nothing${other} is known to break or to be exposed with ${start}.`;
  const broken =
    breaks === 0
      ? `Nothing${other} breaks`
      : (breaking.isWhole ? "" : "More than ") + count(breaks, `${more}thing breaks`, `${more}things break`);
  const opened =
    exposed === 0
      ? `nothing${other} is exposed`
      : (open.isWhole ? "" : "more than ") + count(exposed, `${more}is exposed`, `${more}are exposed`);
  return `${broken} with ${start}, and ${opened}${whose}.`;
}

function ownedText(owner: string, names: readonly string[], number: number): string {
  const others = number > names.length ? ` and ${number - names.length} more` : "";

  return names.length === 0
    ? `${owner} answers for nothing.`
    : `${owner} answers for ${count(number, "thing")}: ${[...names].sort().join(", ")}${others}.`;
}

/** At a place it is about the value that stands there, wherever else that is. */
function sameText(place: string, { credentials, places }: Same): string[] {
  const some = places.slice(0, placesMax);
  const others = places.length > some.length ? ` and ${places.length - some.length} more` : "";
  const parts = [
    ...(credentials.length === 0 ? [] : [`is that of ${credentials.join(", ")}`]),
    ...(places.length === 0 ? [] : [`also stands in ${some.join(", ")}${others}`]),
  ];
  if (parts.length === 0) return [];
  return [`The value in ${place} ${parts.join(", and ")}: whoever uses it there breaks with it, too.`];
}

function copiesText({ paint }: Cli, copies: readonly ToldCopy[]): string {
  const read = copies.filter(({ isLeak }) => !isLeak);
  const cells = read
    .slice(0, shownMax)
    .map((copy) => [
      paint("name", copy.place),
      copy.credential,
      lookText(copy),
      copy.lastMet === null ? "" : minuteOf(copy.lastMet),
      copy.sentence,
    ]);
  const shown = table(["place", "of", "how", "last met", "what was met"], cells, paint);
  const more = read.length - cells.length;
  return more > 0 ? `${shown}\n${more} more are not shown: --json has all.` : shown;
}

interface Same {
  readonly credentials: readonly string[];
  readonly places: readonly string[];
}

interface Row {
  readonly name: string;
  readonly type: string;
  readonly known: string;
  readonly owners: readonly string[];
  readonly way: readonly string[];
}

function listText({
  breaks,
  exposed,
}: {
  readonly breaks: readonly Row[];
  readonly exposed: readonly Row[];
}) {
  const rows = (effect: string, list: readonly Row[]) =>
    list.map(({ name, type, known, owners, way }) => {
      return [effect, name, type, known, owners.join(", "), way.join("; ")];
    });
  const head = ["effect", "name", "what", "known", "owner", "because"];
  return csvText([head, ...rows("breaks", breaks), ...rows("exposed", exposed)]);
}

function rowsOf(cli: Cli, rows: readonly Row[], { things, byOwner, isWhole }: Tally): string {
  const cells = rows.map(({ name, type, known, owners, way }) => [
    cli.paint("name", name),
    type,
    known,
    owners.join(", "),
    way.join("; "),
  ]);
  const shown = table(["name", "what", "known", "owner", "because"], cells, cli.paint);
  if (things <= rows.length) return shown;
  const whose = Object.entries(byOwner).slice(0, ownersMax);
  const counted = table(
    ["owner", "things"],
    whose.map(([owner, number]) => [owner, String(number)]),
    cli.paint,
  );
  const more = Object.keys(byOwner).length - whose.length;
  const rest = `${isWhole ? "" : "At least "}${things - rows.length} more are not shown: --limit shows more of them, and --json all.`;
  return [shown, rest, counted, ...(more > 0 ? [`${count(more, "more owner")}.`] : [])].join("\n");
}
