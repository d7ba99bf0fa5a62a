/** `rekey changes`: what came onto the map, what ended, and what is known in another way, between two moments. */
import { exitCodes, RekeyError } from "../../../domain/errors.js";
import { changesBetween } from "../../../domain/graph/changes.js";
import { bestKnown } from "../../../domain/graph/known.js";
import type { GraphEdge } from "../../../domain/graph/types.js";
import { command, option } from "../command.js";
import { count } from "../format/layout.js";
import { moment } from "../format/time.js";
import { type FormOptions, formOption, showListing } from "../listing.js";
import { namesIn } from "../node.js";
import { momentNamed } from "../when.js";

interface ChangesOptions extends FormOptions {
  readonly since: string;
  readonly until?: string;
}

/** Lists the changes in the order in which they happened. */
export const changes = command<ChangesOptions>({
  usage: "changes",
  summary: "Show what has changed on the map between two moments",
  description:
    "What came, what ended, and what was there and is known in a new way, such as a declared use that was seen for the\n" +
    "first time. What has ended and come back since shows as what it is now: its records begin with its first day.",
  options: [
    option("--since <moment>", "a date, a time in UTC, or how long ago it was: 2026-08-01, 7d").default("7d"),
    option("--until <moment>", "the same (default: now)"),
    formOption(),
  ],
  examples: [
    ["rekey changes", "the last week"],
    ["rekey changes --since 2026-07-01 --until 2026-08-01", "a month"],
  ],
  async run(cli, _args, { since, until: end, ...options }) {
    const { inventory } = await cli.services();
    const now = Math.ceil(await inventory.time());
    const from = momentNamed(since, now);
    const until = end === undefined ? now : momentNamed(end, now);
    if (from >= until)
      throw new RekeyError(
        "bad-input",
        "The first moment is not before the second.",
        "Exchange --since and --until.",
      );
    const graph = await inventory.changed(from, until);
    const found = changesBetween(graph, from, until);
    const named = namesIn(graph);
    const edge = (one: GraphEdge) => ({
      what: `${named(one.from)} ${one.type} ${named(one.to)}`,
      // What has moved to another node has left nothing behind by which it would be known.
      known: one.evidence.length === 0 ? "" : bestKnown(one),
      sources: [...new Set(one.evidence.map(({ source }) => source))].sort(),
    });
    const learntAt = ({ evidence }: GraphEdge) =>
      Math.min(...evidence.map(({ firstSeen }) => firstSeen).filter((at) => at > from && at <= until));
    const rows = [
      ...found.came.nodes.map(({ name, type, firstSeen }) =>
        said("came", firstSeen, { what: `${type} ${name}` }),
      ),
      ...found.came.edges.map((one) => said("came", one.firstSeen, edge(one))),
      ...found.learnt.map((one) => said("learnt", learntAt(one), edge(one))),
      ...found.ended.nodes.map(({ name, type, endedAt }) =>
        said("ended", endedAt ?? until, { what: `${type} ${name}` }),
      ),
      ...found.ended.edges.map((one) => said("ended", one.endedAt ?? until, edge(one))),
    ].sort((a, b) => a.at - b.at || (a.what < b.what ? -1 : 1));
    showListing(cli, options, { from, until, changes: rows }, () => ({
      head: `${count(rows.length, "change")} from ${moment(from)} until ${moment(until)}.`,
      headings: ["at", "change", "what", "known"],
      rows: rows.map(({ at, change, what, known }) => [moment(at), change, what, known]),
    }));
    return exitCodes.done;
  },
});

function said(
  change: "came" | "learnt" | "ended",
  at: number,
  about: { readonly what: string; readonly known?: string; readonly sources?: readonly string[] },
) {
  return { at, change, known: "", sources: [] as readonly string[], ...about };
}
