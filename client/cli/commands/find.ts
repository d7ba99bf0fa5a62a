/** `rekey find`: which credential a leaked value is, where else it lies, whom to call, and what to do next. */
import { exitCodes, RekeyError } from "../../../domain/errors.js";
import type { KnownValue, LookingSource, MetPlace, Whereabouts } from "../../../inventory/whereabouts.js";
import type { Cli } from "../cli.js";
import { command, option } from "../command.js";
import { count, fields, section, table } from "../format/layout.js";
import { shellWord } from "../format/shell.js";
import { moment } from "../format/time.js";
import { type Pasted, pastedFrom } from "../pasted.js";

interface FindOptions {
  readonly valueFrom?: string;
}

/** Looks for a value by its keyed hash. */
export const find = command<FindOptions>({
  usage: "find",
  summary: "Show which credential a leaked value is, where else it lies, and whom to call",
  description:
    "The value is read from standard input, a file or a variable, turned into this installation's keyed hash, and dropped:\n" +
    "it is not sent, shown, logged or kept. What stands in it is looked for, too, as sources would find it: the password\n" +
    "in an address or a connection string, decoded, and the values of NAME=value lines and of JSON. They are compared with\n" +
    "every version that Rekey made, with what was live when a rotation looked, and with what sources met. What nobody knows\n" +
    "is told with what that is worth. Nothing is changed.",
  options: [option("--value-from <source>", "`stdin`, `file:PATH` or `env:NAME`; never the value itself")],
  examples: [
    ["rekey find --value-from stdin < leak.txt", "whose is it, and where else is it?"],
    ["rekey find --value-from env:LEAKED --json", "the same for a program"],
  ],
  async run(cli, _args, { valueFrom }) {
    if (valueFrom === undefined)
      throw new RekeyError(
        "bad-input",
        "It does not say where the value is to be read.",
        "Add --value-from stdin, file:PATH or env:NAME.",
      );
    const services = await cli.services();
    const pasted = await pastedFrom(cli, services, valueFrom);
    const found = await services.inventory.whereabouts(toLookFor(pasted));
    const owners = ownersOf(found);
    const next = nextOf(found, valueFrom);
    const isKnown = found.credentials.length + found.places.length > 0;
    cli.show(
      { known: isKnown, lookedFor: lookedFor(pasted), leftOut: pasted.leftOut, ...found, owners, next },
      () =>
        [
          [headOf(found, pasted), ...partsOf(pasted)].join("\n"),
          ...section("Credentials", credentialTable(cli, found.credentials), cli.paint),
          ...section("Places", placeList(cli, found.places), cli.paint),
          ...(owners.length === 0 ? [] : [`${cli.paint("strong", "To call")}\n  ${owners.join(", ")}`]),
          ...(found.credentials.length > 0 ? [] : worthOf(cli, found)),
          ...section("Next", next.map((line) => `  ${line}`).join("\n"), cli.paint),
        ].join("\n\n"),
    );
    return exitCodes.done;
  },
});

/** The hashes of what can be told from others. Throws `bad-input` where nothing can. */
function toLookFor({ whole, isTellable, inside }: Pasted): string[] {
  const hashes = [...(isTellable ? [whole] : []), ...inside];
  if (hashes.length > 0) return hashes;
  throw new RekeyError(
    "bad-input",
    "The value is too short, or too common, to be told from others: an equal one elsewhere would mean nothing.",
    "Look for it by its place: `rekey findings --code literal` lists where values lie in the open.",
  );
}

function lookedFor({ isTellable, as }: Pasted): string[] {
  return [...(isTellable ? ["all of it"] : []), ...as];
}

/** Who answers for the credentials, for whoever reads the places, and for the sources that show places of nobody's value. */
function ownersOf({ credentials, places }: Whereabouts): string[] {
  const ofPlaces = places.flatMap(({ readers, owners }) => [
    ...readers.flatMap((reader) => reader.owners),
    ...(credentials.length === 0 ? owners : []),
  ]);
  return [...new Set([...credentials.flatMap(({ owners }) => owners), ...ofPlaces])].sort();
}

function nextOf({ credentials, places }: Whereabouts, valueFrom: string): string[] {
  const open = credentials.filter(({ is, hasLeft }) => is !== "dead" && !hasLeft);
  const names = [...new Set(open.map(({ credential }) => credential))];
  if (names.length > 0) return names.flatMap((name) => nextFor(shellWord(name), valueFrom));
  if (credentials.some(({ is, hasLeft }) => is !== "dead" && hasLeft))
    return [
      "Have it taken away at its issuer: its credential has left the estate, and no rotation of it can begin.",
    ];
  if (credentials.length > 0)
    return ["Nothing: a value that is dead opens nothing. Take it out of the places all the same."];
  // The report itself compares with what is live in the store, also where no rotation has looked yet.
  const report = `${reportOf("CREDENTIAL", valueFrom)}   (for the one that it may be)`;
  return places.length > 0 ? ["rekey findings --code literal", report] : ["rekey discover", report];
}

function nextFor(name: string, valueFrom: string): string[] {
  return [reportOf(name, valueFrom), `rekey blast ${name}`];
}

/** With standard input nobody can be asked, so that report takes `--yes`. */
function reportOf(name: string, valueFrom: string): string {
  const yes = valueFrom === "stdin" ? " --yes" : "";
  return `rekey rotate ${name} --emergency --reason 'what happened' --value-from ${shellWord(valueFrom)}${yes}`;
}

function headOf({ credentials, places }: Whereabouts, { inside }: Pasted): string {
  const there = places.filter(({ endedAt }) => endedAt === null).length;
  const stands = places.length === 0 ? "no source met it" : `it stands in ${count(there, "place")}`;
  const [first] = credentials;
  if (first === undefined) {
    const none = "of no version that Rekey made or saw live";
    if (places.length > 0) return `Nobody knows whose value it is: it is ${none}; ${stands}.`;
    return inside.length === 0
      ? `Nobody knows this value: it is ${none}, and no source met it.`
      : `Nobody knows this value, nor what stands in it: they are ${none}, and no source met them.`;
  }
  const names = [...new Set(credentials.map(({ credential }) => credential))].join(" and ");
  const is = inside.length === 0 ? "It is" : "It is, or has in it,";
  return `${is} a value of ${names}, ${standings[first.is]}; ${stands}.`;
}

/** What was looked for, where the text is more than one value; and what of it could not be. */
function partsOf(pasted: Pasted): string[] {
  const { as, leftOut } = pasted;
  return [
    ...(as.length === 0 ? [] : [`Looked for: ${lookedFor(pasted).join("; ")}.`]),
    ...(leftOut.length === 0
      ? []
      : [
          `Not looked for, as it is too short, or too common, to be told from others: ${leftOut.join("; ")}.`,
        ]),
  ];
}

const standings: Readonly<Record<KnownValue["is"], string>> = {
  live: "and live",
  retired: "retired, and nobody has seen an issuer refuse it",
  dead: "and dead",
};

function credentialTable({ paint }: Cli, known: readonly KnownValue[]): string {
  return table(
    ["credential", "version", "is", "known since", "owner"],
    known.map(({ credential, version, is, since, owners, hasLeft }) => [
      paint("name", credential),
      version ?? "not one that Rekey made",
      `${is === "live" ? paint("bad", is) : is}${hasLeft ? ", and has left the estate" : ""}`,
      moment(since),
      owners.join(", "),
    ]),
    paint,
  );
}

function placeList({ paint }: Cli, places: readonly MetPlace[]): string {
  return places
    .map(({ name, literal, past, verified, sentence, sources, firstSeen, lastSeen, endedAt, readers }) => {
      const how = [
        literal ? "outside of any store" : "in a store",
        ...(past ? ["nobody reads it there"] : []),
        ...(verified ? ["found to work"] : []),
      ];
      const seen = endedAt === null ? moment(lastSeen) : `${moment(lastSeen)}; gone since ${moment(endedAt)}`;
      return `${paint("name", name)}\n${fields(
        [
          ["is", how.join(", ")],
          ["met", `${sentence}${sources.length === 0 ? "" : ` (${sources.join(", ")})`}`],
          ["first seen", moment(firstSeen)],
          ["last seen", seen],
          ["read by", readersText(readers)],
        ],
        paint,
      )}`;
    })
    .join("\n");
}

function readersText(readers: MetPlace["readers"]): string {
  if (readers.length === 0) return "nobody who is known";
  return readers
    .map(({ name, uses, owners }) => {
      const whose = owners.length === 0 ? "nobody's" : owners.join(", ");
      return `${name} (${whose}${uses ? "" : "; could, and was not seen"})`;
    })
    .join("\n");
}

/** What it is worth that no credential is known for it: who looked, since when, and of whom no value could be known. */
function worthOf({ paint }: Cli, { sources, unproved }: Whereabouts): string[] {
  const looked = table(
    ["source", "kind", "read since", "read to its end", "values that it meets", "kept back"],
    sources.map((source) => [paint("name", source.name), source.kind, ...readings(source)]),
    paint,
  );
  const lacking =
    unproved.length === 0
      ? "Of each credential of the estate a value is known; one that was replaced before a rotation first looked is not."
      : `Of ${count(unproved.length, "credential")} no value is known yet, so that one of theirs would not be recognised: ${unproved.join(", ")}.`;
  const none = "No source is declared, so nobody has looked anywhere.";
  return [`${paint("strong", "What that is worth")}\n${looked === "" ? none : looked}`, lacking];
}

function readings({ readSince, readUntil, values, hidden }: LookingSource): string[] {
  return [
    readSince === null ? "never" : moment(readSince),
    readUntil === null ? "never" : moment(readUntil),
    String(values),
    hidden === 0 ? "" : String(hidden),
  ];
}
