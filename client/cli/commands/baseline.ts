/** `rekey baseline`: what is usual for a credential, and what began lately. */
import { timesText } from "../../../domain/discovery/times.js";
import { span } from "../../../domain/duration.js";
import { exitCodes } from "../../../domain/errors.js";
import { baselineOf, type Usual } from "../../../domain/graph/baseline.js";
import { anonymousUsesIn } from "../anonymous.js";
import type { Cli } from "../cli.js";
import { command, option } from "../command.js";
import { count } from "../format/layout.js";
import { moment, relative } from "../format/time.js";
import { type FormOptions, formOption, showListing } from "../listing.js";
import { nodeNamed } from "../node.js";
import { momentNamed } from "../when.js";

/** Shows who uses it, with what, from where and when. */
export const baseline = command<FormOptions & { readonly since: string }>({
  usage: "baseline <credential>",
  summary: "Show what is usual: who uses a credential, with what, from where and when",
  description:
    "Every guise in which somebody was seen using it: the tool, the address, the hours and days (UTC), how often. What\n" +
    "was seen for the first time lately is marked as new. It rests on what sources saw, and judges nothing.",
  arguments: { credential: "name of a credential" },
  options: [
    option(
      "--since <moment>",
      "what began later is new: a date, a time in UTC, or how long ago: 2026-08-01, 7d",
    ).default("7d"),
    formOption(),
  ],
  examples: [
    ["rekey baseline orders-db", "what is usual, and what is new this week"],
    ["rekey baseline orders-db --since 1h", "during an incident"],
  ],
  async run(cli, [name = ""], { since, ...options }) {
    const { inventory } = await cli.services();
    const credential = await nodeNamed(inventory, name, ["credential"]);
    const now = cli.io.now();
    const from = momentNamed(since, now);
    const [sightings, sources, uses] = await Promise.all([
      inventory.sightings(credential.id),
      inventory.entries("sources"),
      anonymousUsesIn(inventory, credential.id),
    ]);
    const names = new Map(sources.map((source) => [source.id, source.name]));
    const named = sightings.map((one) => ({ ...one, source: names.get(one.source) ?? one.source }));
    const lines = baselineOf(named, from);
    showListing(cli, options, { credential: name, since: from, baseline: lines, anonymous: uses }, () => {
      const fresh = lines.filter(({ isNew }) => isNew).length;
      const cells = (when: (at: number) => string, paint: Cli["paint"] | null) =>
        lines.map((line) => [
          paint === null ? line.reader : paint("name", line.reader),
          guise(line),
          timesText(line.times),
          line.intervalMs === null ? "once" : `every ${span(line.intervalMs)}`,
          when(line.first),
          when(line.last),
          line.sources.join(", "),
          line.isNew ? "new" : "",
        ]);
      return {
        head:
          lines.length === 0
            ? `Nobody was seen using ${name}; \`rekey consumers ${name}\` shows who is declared.`
            : `${count(lines.length, "guise")} in which ${name} was used since ${moment(Math.min(...lines.map(({ first }) => first)))}, ${fresh} of them new since ${moment(from)}.`,
        headings: ["who", "shows", "when (UTC)", "how often", "first", "last", "seen by", "new"],
        rows: cells((at) => relative(at, now), cli.paint),
        csvRows: cells((at) => new Date(at).toISOString(), null),
        notes: uses.map(({ text }) => text),
      };
    });
    return exitCodes.done;
  },
});

function guise({ traits }: Pick<Usual, "traits">): string {
  return Object.entries(traits)
    .filter(([, shown]) => shown !== "")
    .map(([trait, shown]) => `${trait} ${shown}`)
    .join(", ");
}
