/** `rekey sources`: how each source is doing, so that one that fails is seen before a rotation asks for what it shows. */
import { span } from "../../../domain/duration.js";
import { exitCodes } from "../../../domain/errors.js";
import type { SourceHealth } from "../../../inventory/source-health.js";
import { knownName } from "../choose.js";
import { command } from "../command.js";
import { count } from "../format/layout.js";
import type { Paint } from "../format/style.js";
import { type CellStyle, type FormOptions, formOption, showListing } from "../listing.js";

/** Lists them, or says everything about one. */
export const sources = command<FormOptions>({
  usage: "sources [source]",
  summary: "Show when each source was read last, why not since, and what it could not see",
  description:
    "Reads no source: `rekey discover` does, and `rekey doctor` says what one would lack. A source that was never read to its\n" +
    "end, or whose last reading failed, shows nobody new; `rekey findings --code source-failing` keeps since when.",
  arguments: { source: "name of a source of the estate; without one, all of them" },
  options: [formOption()],
  examples: [
    ["rekey sources", "all of them"],
    ["rekey sources vault-log", "one, with each of its gaps and the records that could not be read"],
    ["rekey sources --format csv > sources.csv", "for a report"],
  ],
  async run(cli, [name], options) {
    const { inventory } = await cli.services();
    const all = await inventory.sources();
    const known =
      name === undefined
        ? null
        : knownName(
            name,
            all.map((source) => source.name),
            "source",
          );
    const shown = known === null ? all : all.filter((source) => source.name === known);
    showListing(cli, options, { sources: shown }, (style) => ({
      head: headOf(all),
      headings,
      rows: shown.map((source) => cellsOf(source, style, cli.paint)),
      notes: shown.flatMap((source) => notesOf(source, known === null, style)),
      csvHeadings: [...headings, "failed at", "failure"],
      csvRows: shown.map((source) => {
        const { at, sentence } = source.failure ?? { at: null, sentence: "" };
        return [...cellsOf(source, style, (_, text) => text), at === null ? "" : style.when(at), sentence];
      }),
    }));
    return exitCodes.done;
  },
});

const headings = [
  ...[
    "source",
    "kind",
    "owner",
    "state",
    "last whole",
    "watched since",
    "gaps",
    "unreadable",
    "every",
    "next",
  ],
];

function cellsOf(source: SourceHealth, { name, when }: CellStyle, paint: Paint): string[] {
  const { kind, owner, wholeAt, watchedSince, gaps, unreadable, every, nextAt } = source;
  return [
    ...[name(source.name), kind, owner, paint(...stateOf(source))],
    ...[wholeAt, watchedSince].map((at) => (at === null ? "" : when(at))),
    ...[String(gaps.length), String(unreadable)],
    ...[every === null ? "" : span(every), nextAt === null ? "" : when(nextAt)],
  ];
}

function headOf(all: readonly SourceHealth[]): string {
  if (all.length === 0) return "The estate has no sources. Add some under `sources` and apply it.";
  const failing = all.filter(({ failure }) => failure !== null).length;
  const unread = all.filter(({ failure, wholeAt }) => failure === null && wholeAt === null).length;
  const parts = [
    ...(failing === 0 ? [] : [`the last reading of ${failing} failed`]),
    ...(unread === 0 ? [] : [`${unread} never read to the end`]),
  ];
  return `${count(all.length, "source")}; ${parts.length === 0 ? "all were read" : parts.join(", ")}.`;
}

function stateOf({ failure, readingSince, wholeAt }: SourceHealth): Parameters<Paint> {
  if (failure !== null) return ["bad", "failing"];
  if (readingSince !== null) return ["name", "being read"];
  return wholeAt === null ? ["warn", "never read"] : ["good", "read"];
}

/** Why it fails; its gaps and what it could not read, of all sources the first of each. */
function notesOf(
  { name, failure, gaps, unreadable, unreadableFirst }: SourceHealth,
  brief: boolean,
  { when }: CellStyle,
): string[] {
  const most = brief ? 1 : Number.POSITIVE_INFINITY;
  const [missing, torn] = [gaps.slice(0, most), unreadableFirst.slice(0, most)];
  const rest = gaps.length - missing.length;
  return [
    ...(failure === null ? [] : [`${name}: failed ${when(failure.at)}: ${failure.sentence}`]),
    ...missing.map((gap) => `${name}: ${gap}`),
    ...(rest === 0 ? [] : [`${name}: ${count(rest, "more gap")}; \`rekey sources ${name}\` names them.`]),
    ...torn.map(({ where, why }) => `${name}: ${where}: ${why}`),
    ...(unreadable > torn.length ? [`${name}: ${unreadable - torn.length} more could not be read.`] : []),
  ];
}
