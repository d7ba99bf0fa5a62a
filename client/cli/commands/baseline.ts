/** `rekey baseline`: what is usual for a credential, and what began lately. */
import { timesText } from "../../../domain/discovery/times.js";
import { span } from "../../../domain/duration.js";
import { exitCodes } from "../../../domain/errors.js";
import { baselineOf, type Usual } from "../../../domain/graph/baseline.js";
import { toldUses } from "../anonymous.js";
import { command, option } from "../command.js";
import { count } from "../format/layout.js";
import { shellWord } from "../format/shell.js";
import { moment } from "../format/time.js";
import { type FormOptions, formOption, showListing } from "../listing.js";
import { nodeNamed } from "../node.js";
import { namedSource } from "../source-names.js";
import { pastMoment } from "../when.js";

/** Shows who uses it, with what, from where and when. */
export const baseline = command<FormOptions & { readonly since: string }>({
  usage: "baseline <credential>",
  summary: "Show what is usual: who uses a credential, with what, from where and when",
  description:
    "Every way in which somebody was seen using it: the tool, the address, the hours and days (UTC), how often. What\n" +
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
    const from = pastMoment("--since", since, cli.now());
    const [sightings, anonymous, names] = await Promise.all([
      inventory.sightings(credential.id),
      inventory.anonymousUses(credential.id),
      inventory.sourceNames(),
    ]);
    const uses = toldUses(anonymous, names);
    const lines = baselineOf(
      sightings.map((one) => namedSource(names, one)),
      from,
    );
    const object = { credential: name, since: from, baseline: lines, anonymous: uses };
    showListing(cli, options, object, (style) => {
      const fresh = lines.filter(({ isNew }) => isNew).length;
      return {
        head:
          lines.length === 0
            ? `Nobody was seen using ${name}; \`rekey consumers ${shellWord(name)}\` shows who is declared.`
            : `${count(lines.length, "way")} in which ${name} was used since ${moment(Math.min(...lines.map(({ first }) => first)))}, ${fresh} of them new since ${moment(from)}.`,
        headings: ["who", "shows", "when (UTC)", "how often", "first", "last", "seen by", "new"],
        rows: lines.map((line) => [
          style.name(line.reader),
          shownBy(line),
          timesText(line.times),
          line.intervalMs === null ? "once" : `every ${span(line.intervalMs)}`,
          style.when(line.first),
          style.when(line.last),
          line.sources.join(", "),
          line.isNew ? "new" : "",
        ]),
        notes: uses.map(({ text }) => text),
      };
    });
    return exitCodes.done;
  },
});

function shownBy({ traits }: Pick<Usual, "traits">): string {
  return Object.entries(traits)
    .filter(([, shown]) => shown !== "")
    .map(([trait, shown]) => `${trait} ${shown}`)
    .join(", ");
}
