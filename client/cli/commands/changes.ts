/** `rekey changes`: what came onto the map, what ended, and what is known in another way, between two moments. */
import { exitCodes, RekeyError } from "../../../domain/errors.js";
import { type Change, changesBetween, type Reckoning, reckonings } from "../../../domain/graph/changes.js";
import { bestKnown } from "../../../domain/graph/known.js";
import type { GraphEdge, GraphNode } from "../../../domain/graph/types.js";
import { knownName } from "../choose.js";
import { command, option } from "../command.js";
import { count } from "../format/layout.js";
import { moment } from "../format/time.js";
import { type FormOptions, formOption, showListing } from "../listing.js";
import { namesIn } from "../node.js";
import { momentNamed, pastMoment } from "../when.js";

interface ChangesOptions extends FormOptions {
  readonly since: string;
  readonly until?: string;
  readonly by: string;
}

/** What is seen and read within so long has one moment for people. */
const sameMs = 60_000;

/** Lists the changes in the order of the moment by which it goes. */
export const changes = command<ChangesOptions>({
  usage: "changes",
  summary: "Show what has changed on the map between two moments",
  description:
    "What came, what ended, and what was there and is known in a new way, such as a declared use that was seen for the\n" +
    "first time. It goes by when Rekey learnt of it: a log that was read today and tells of last month is news of today,\n" +
    "and the moment that the record itself has stands beside it. What has ended and come back is told each time:\n" +
    "it was learnt of again, and its record begins with its first day. Copies of values that sources met are told like all\n" +
    "else, with who met them; one ends, too, when its value is refused or its place becomes one where it is kept.",
  options: [
    option("--since <moment>", "a date, a time in UTC, or how long ago it was: 2026-08-01, 7d").default("7d"),
    option("--until <moment>", "the same (default: now)"),
    option(
      "--by <moment>",
      "learnt: when Rekey learnt of it; record: when it was, as the record has it",
    ).default("learnt"),
    formOption(),
  ],
  examples: [
    ["rekey changes", "what is known now and was not a week ago"],
    ["rekey changes --since 2026-07-01 --until 2026-08-01 --by record", "what happened in a month"],
  ],
  async run(cli, _args, { since, until: end, by: reckoning, ...options }) {
    const by = knownName(reckoning, reckonings, "moment") as Reckoning;
    const { inventory } = await cli.services();
    const now = Math.ceil(await inventory.time());
    const from = end === undefined ? pastMoment("--since", since, now) : momentNamed(since, now);
    const until = end === undefined ? now : momentNamed(end, now);
    if (from >= until)
      throw new RekeyError(
        "bad-input",
        "The first moment is not before the second.",
        "Exchange --since and --until.",
      );
    const between = { from, until, by };
    const graph = await inventory.changed(between);
    const found = changesBetween(graph, between);
    const named = namesIn(graph);
    const node = ({ type, name }: GraphNode): About => ({
      what: `${type} ${name}`,
      known: "",
      sources: [],
    });
    const edge = (one: GraphEdge): About => ({
      what: `${named(one.from)} ${one.type} ${named(one.to)}`,
      // What has moved to another node has left nothing behind by which it would be known.
      known: one.evidence.length === 0 ? "" : bestKnown(one),
      sources: [...new Set(one.evidence.map(({ source }) => source))].sort(),
    });
    const rows = [
      ...said("came", found.came.nodes, node),
      ...said("came", found.came.edges, edge),
      ...said("learnt", found.learnt, edge),
      ...said("ended", found.ended.nodes, node),
      ...said("ended", found.ended.edges, edge),
    ].sort((a, b) => a.at[by] - b.at[by] || (a.what < b.what ? -1 : 1));
    const object = {
      ...between,
      changes: rows.map(({ at, ...row }) => ({ learntAt: at.learnt, recordAt: at.record, ...row })),
    };
    const other = by === "learnt" ? "record" : "learnt";
    showListing(cli, options, object, (style) => {
      const cells = (beside: (at: Change<unknown>["at"]) => string) =>
        rows.map(({ at, change, what, ...how }) => [
          style.moment(at[by]),
          change,
          what,
          knownText(how),
          beside(at),
        ]);
      return {
        head: `${count(rows.length, "change")} from ${moment(from)} until ${moment(until)}, ${heads[by]}.`,
        headings: [by, "change", "what", "known", other],
        rows: cells((at) => (Math.abs(at.learnt - at.record) < sameMs ? "" : style.moment(at[other]))),
        csvRows: cells((at) => style.moment(at[other])),
      };
    });
    return exitCodes.done;
  },
});

/** Of a copy also who met it: its place says only what was read, and not by whom. */
function knownText({ known, sources }: Pick<About, "known" | "sources">): string {
  return known === "met" ? `met by ${sources.join(", ")}` : known;
}

const heads: Readonly<Record<Reckoning, string>> = {
  learnt: "by when they were learnt of",
  record: "by when they were, as the records have it",
};

interface About {
  readonly what: string;
  readonly known: string;
  readonly sources: readonly string[];
}

function said<T>(
  change: "came" | "learnt" | "ended",
  list: readonly Change<T>[],
  about: (thing: T) => About,
): (About & Pick<Change<T>, "at"> & { readonly change: string })[] {
  return list.map(({ thing, at }) => ({ at, change, ...about(thing) }));
}
