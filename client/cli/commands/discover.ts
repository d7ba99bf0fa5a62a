/** `rekey discover`: reads the places where use is visible, and says what was read, what could not be, and what has changed. */

import type { ScanReport } from "../../../domain/discovery/report.js";
import { span } from "../../../domain/duration.js";
import { exitCodes, RekeyError } from "../../../domain/errors.js";
import { knownName } from "../choose.js";
import type { Cli } from "../cli.js";
import { command, option } from "../command.js";
import { count, table } from "../format/layout.js";
import { newsLines, newsSince } from "../reading-news.js";

/** Reads one source, or all of them; ends with 5 where one could not be read. */
export const discover = command<{ readonly anew?: boolean }>({
  usage: "discover [source]",
  summary: "Read the places where use is visible, and put what they show on the map",
  description:
    "Logs are read on from where they were read to, what is there now is read whole. What cannot be read is\n" +
    "counted and named. Who asks while a source is read, by a schedule or by somebody else, waits for that reading.\n" +
    "With --anew one of them is read from its beginning and counted anew: where lines were torn or a clock was wrong and\n" +
    "that is mended, or where a release cannot read how far it was read. What is no longer in a log was not watched then.\n" +
    "At the end it says who is new on the map, who is not seen any more, and which findings came and went. Owners of\n" +
    "what has opened are told by the notifiers of the estate; one that does not take it is named.\n" +
    "Ends with 5 when a source could not be read to its end; the next run goes on there.",
  arguments: { source: "name of a source of the estate; without one, all of them" },
  options: [option("--anew", "read the source from its beginning, and count it anew")],
  examples: [
    ["rekey discover", "everything"],
    ["rekey discover vault-log", "one source"],
    ["rekey discover vault-log --anew", "from its beginning"],
    ["rekey consumers orders-db", "afterwards: who uses it, and how that is known"],
  ],
  async run(cli, [name], { anew = false }) {
    if (anew && name === undefined)
      throw new RekeyError(
        "bad-input",
        "`--anew` is for one source: name it.",
        "For example `rekey discover vault-log --anew`.",
      );
    const { inventory, rotations } = await cli.services();
    const known = await inventory.entries("sources");
    const asked = name === undefined ? known : named(known, name);
    const since = Math.floor(await inventory.time());
    const answers = await Promise.all(
      asked.map(async (source) => ({
        source: source.name,
        report: await rotations.discover({ ...source, anew }),
      })),
    );
    const reports = answers.flatMap(({ report }) => (report === null ? [] : [report]));
    const reading = answers.flatMap(({ source, report }) => (report === null ? [source] : []));
    const news = known.length === 0 ? null : await newsSince(cli, inventory, since);
    cli.show({ sources: reports, reading, news }, () =>
      known.length === 0
        ? "The estate has no sources. Add some under `sources` and apply it."
        : [
            textOf(reports, cli),
            ...reading.map(goesOn),
            ...(news === null ? [] : ["", ...newsLines(news)]),
          ].join("\n"),
    );
    return reports.every(({ failure }) => failure === null) ? exitCodes.done : exitCodes.unavailable;
  },
});

/** The source of this name; throws `not-found`. */
function named<Entry extends { readonly name: string }>(sources: readonly Entry[], name: string): Entry[] {
  const found = knownName(
    name,
    sources.map((source) => source.name),
    "source",
  );
  return sources.filter((source) => source.name === found);
}

function goesOn(source: string): string {
  return `${source} is still being read, and goes on. \`rekey discover ${source}\` waits for it again.`;
}

function textOf(reports: readonly ScanReport[], { paint }: Pick<Cli, "paint">): string {
  const rows = reports.map((report) => [
    paint("name", report.source),
    String(report.records),
    String(report.claims),
    String(report.copies),
    String(report.malformed),
    windowOf(report),
    endOf(report),
  ]);
  const whole = reports.filter(({ failure }) => failure === null).length;
  const head =
    whole === reports.length
      ? `${count(whole, "source")} read.`
      : `${whole} of ${count(reports.length, "source")} read to the end.`;
  const shown = table(
    ["source", "records", "edges", "values", "unreadable", "window", "how it ended"],
    rows,
    paint,
  );
  const notes = reports.flatMap(({ source, malformedFirst, malformed, gaps, untold }) => [
    ...(untold === undefined ? [] : [`${source}: ${untold}`]),
    ...gaps.map((gap) => `${source}: ${gap}`),
    ...malformedFirst.map(({ where, why }) => `${source}: ${where}: ${why}`),
    ...(malformed > malformedFirst.length
      ? [`${source}: ${malformed - malformedFirst.length} more could not be read.`]
      : []),
  ]);
  return [head, shown, ...(notes.length === 0 ? [] : ["", ...notes])].join("\n");
}

/** To its end is not all: what stood in a gap or in a torn record was not looked at. */
function endOf({ failure, malformed, gaps }: ScanReport): string {
  const lacking = [
    malformed === 0 ? "" : `${malformed} unreadable`,
    gaps.length === 0 ? "" : count(gaps.length, "gap"),
  ].filter((part) => part !== "");
  return failure ?? ["whole", ...lacking].join(", ");
}

/** What time the records speak of: "nothing seen" is worth no more than that. */
function windowOf({ covered }: ScanReport): string {
  if (covered === null) return "";
  const lastsMs = covered.until - covered.from;
  const until = new Date(covered.until).toISOString().slice(0, 16).replace("T", " ");
  // What shows who is there now speaks of one moment.
  return lastsMs < 1_000 ? `at ${until}` : `${span(lastsMs)} until ${until}`;
}
