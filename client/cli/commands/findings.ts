/** `rekey findings`: what is wrong or missing, who answers for it, and what became of each finding. */
import { exitCodes, RekeyError } from "../../../domain/errors.js";
import { exceptable } from "../../../domain/findings/codes.js";
import type { HeldException, KeptFinding } from "../../../domain/findings/course.js";
import type { FindingChange } from "../../../inventory/findings.js";
import type { Cli } from "../cli.js";
import { command, option } from "../command.js";
import { type FindingsAsked, findingsAsked, findingTold, isRefusing, severities } from "../findings-asked.js";
import { count, fields, section } from "../format/layout.js";
import { moment } from "../format/time.js";
import { type FormOptions, formOption, showListing } from "../listing.js";

interface FindingsOptions extends FormOptions, FindingsAsked {
  readonly limit: string;
  readonly refresh: boolean;
}

const headings = ["number", "code", "severity", "state", "what", "owner", "finding"];

/** Lists them, or shows one with everything that became of it. */
export const findings = command<FindingsOptions>({
  usage: "findings [number]",
  summary: "Show what is wrong or missing, who answers for it, and until when",
  description:
    "Looks at everything first, and keeps what is found: a finding opens, is excepted while an owner answers for it\n" +
    "until a day, and ends when it is no longer found. With a number: what it means, what mends it, and what became of it.\n\n" +
    "Ends with 3 while one of those that are shown is open and of severity refuse.",
  arguments: { number: "number of a finding; without one, all that have not ended" },
  options: [
    option("--code <code>", "only this code"),
    option("--severity <severity>", severities.join(", ")),
    option("--state <state>", "open, excepted or ended (default: what has not ended)"),
    option("--owner <name>", "only what this owner answers for"),
    option("--credential <name>", "only what concerns this credential"),
    option("--limit <number>", "how many the table shows; 0: all").default("100"),
    option("--no-refresh", "show what was kept last, without looking"),
    formOption(),
  ],
  examples: [
    ["rekey findings", "everything that has not ended, worst first"],
    ["rekey findings --credential orders-db --severity refuse", "what stands in the way of a rotation"],
    ["rekey findings 12", "one of them: what it means, what mends it, what became of it"],
    ["rekey findings --state ended --format csv > ended.csv", "what was mended, for a report"],
  ],
  async run(cli, [number], options) {
    const { inventory } = await cli.services();
    if (options.refresh) await inventory.bringFindings();
    if (number !== undefined) return showOne(cli, number);
    return showAll(cli, options);
  },
});

async function showAll(cli: Cli, options: FindingsOptions): Promise<number> {
  const { inventory } = await cli.services();
  const { findings: found, at } = await findingsAsked(inventory, options);
  const most = limitOf(options.limit);
  showListing(cli, options, { at, findings: found }, () => {
    const rows = found.map((finding) => rowOf(cli, finding));
    return {
      head: headOf(found, at),
      headings,
      rows: most === 0 ? rows : rows.slice(0, most),
      csvHeadings: [...headings, "shown by"],
      csvRows: rows.map((row, at) => [...row, found[at]?.sources.join(", ") ?? ""]),
      notes:
        most === 0 || rows.length <= most ? [] : [`${rows.length - most} more; --limit 0 shows all of them.`],
    };
  });
  return found.some(isRefusing) ? exitCodes.refused : exitCodes.done;
}

function limitOf(text: string): number {
  if (!/^[0-9]{1,9}$/.test(text))
    throw new RekeyError("bad-input", `"${text}" is no number of lines.`, "Write --limit 0 for all of them.");
  return Number(text);
}

function headOf(found: readonly KeptFinding[], at: number | null): string {
  if (at === null) return "Nobody has looked yet.";
  const excepted = found.filter(({ state }) => state === "excepted").length;
  const told = excepted === 0 ? "" : `, ${excepted} excepted`;
  return `${count(found.length, "finding")}${told}, as of ${moment(at)}.`;
}

function rowOf(cli: Cli, finding: KeptFinding): string[] {
  const { number, code, severity, state, subject, about, owners, sentence, exception } = finding;
  const until = exception === null ? "" : ` until ${day(exception.until)}`;
  return [
    String(number),
    cli.paint("name", code),
    severity === "refuse" && state === "open" ? cli.paint("bad", severity) : severity,
    `${state}${until}`,
    about === null ? subject.name : `${subject.name}: ${about.name}`,
    owners.join(", "),
    sentence,
  ];
}

async function showOne(cli: Cli, text: string): Promise<number> {
  const { inventory } = await cli.services();
  const finding = await findingTold(inventory, text);
  const { code, severity, state, subject, about, owners, places, sentence, firstSeen, lastSeen } = finding;
  const { means, mend, changes, sources } = finding;
  cli.show(finding, () =>
    [
      `${cli.paint("name", code)}  ${sentence}`,
      fields(
        [
          ["about", about === null ? subject.name : `${subject.name}: ${about.name}`],
          ["places", places.length === 0 ? null : places.join("\n")],
          ["means", means],
          ["mend", mend],
          ["severity", severity],
          ["state", `${state}${exceptionText(finding.exception)}`],
          ["owner", owners.length === 0 ? "nobody" : owners.join(", ")],
          ["shown by", sources.length === 0 ? null : sources.join(", ")],
          ["first seen", moment(firstSeen)],
          ["last seen", moment(lastSeen)],
          ["exception", exceptable.some((one) => one === code) ? null : "there is none for this code"],
        ],
        cli.paint,
      ),
      ...section("What became of it", changes.map(changeText).join("\n"), cli.paint),
    ].join("\n\n"),
  );
  return isRefusing(finding) ? exitCodes.refused : exitCodes.done;
}

function changeText({ at, state, exception }: FindingChange): string {
  return `  ${moment(at)}  ${state}${exceptionText(exception)}`;
}

function exceptionText(exception: HeldException | null): string {
  if (exception === null) return "";
  return ` until ${day(exception.until)}: ${exception.owner} answers for it: ${exception.reason}`;
}

function day(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
