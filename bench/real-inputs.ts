/**
 * `make real-inputs DIR=...`: runs the sources that read configuration over a folder of the user's own and prints what was found,
 * to be compared with what a person finds there. Nothing is kept, and values are shown by a hash with a key of this run.
 */
import { createHmac, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { basename, resolve } from "node:path";
import { parseArgs } from "node:util";
import type { AdapterDeps } from "../adapters/ports.js";
import { kinds } from "../adapters/registry.js";
import type { ScanPart, Thing } from "../domain/discovery/said.js";
import { circumstances } from "./measurements.js";
import { keepFigures } from "./real-figures.js";
import {
  type Compared,
  compared,
  figuresOf,
  type Row,
  rowsOf,
  type TruthRow,
  truthIn,
} from "./real-truth.js";

const folderKinds = [
  "compose",
  "env-files",
  "github-actions",
  "gitlab-ci",
  "kubernetes-manifests",
  "terraform",
] as const;

const say = (line: string) => process.stdout.write(`${line}\n`);

/** A thing on one line. */
function textOf(thing: Thing): string {
  switch (thing.is) {
    case "reader":
      return Object.values(thing.traits).join(" as ");
    case "place":
      return `${thing.store} ${Object.values(thing.place).join(" ")}`;
    case "location":
      return `[${thing.scope}] ${thing.path}`;
    default:
      return JSON.stringify(thing);
  }
}

/** What one source says of a folder, with the figures of it; against a table of what is there where one is given, and then with what differs. */
async function show(
  kind: string,
  directory: string,
  { truth, settings }: { truth: readonly TruthRow[] | null; settings: Readonly<Record<string, unknown>> },
): Promise<{ records: number; result: Compared } | null> {
  const source = kinds.sources[kind];
  if (source === undefined) throw new Error(`${kind} is no kind of source`);
  const key = randomBytes(32);
  const deps = {
    now: Date.now,
    mark: (value: string) => createHmac("sha256", key).update(value).digest("hex"),
  } as unknown as AdapterDeps;
  const cluster = kind === "kubernetes-manifests" ? { cluster: basename(directory) } : {};
  // Of a kind that reads no folder the settings say what it reads.
  const where = (folderKinds as readonly string[]).includes(kind) ? { directory, ...cluster } : {};
  const opened = source.create(source.config.parse({ ...where, ...settings }), deps);
  const counts = { records: 0, edges: 0, copies: 0, malformed: 0, gaps: 0 };
  const parts: ScanPart[] = [];
  const began = performance.now();
  say(`\n# ${kind}`);
  for await (const part of opened.scan(null, { signal: AbortSignal.timeout(600_000) })) {
    if (truth !== null) parts.push(part);
    counts.records += part.records;
    counts.edges += part.claims.length;
    counts.copies += part.copies.length;
    counts.malformed += part.malformed.length;
    counts.gaps += part.gaps.length;
    // Against a table only what differs from it is worth a line.
    for (const { from, type, to, known, sentence } of truth === null ? part.claims : []) {
      say(`${textOf(from)} | ${type} | ${textOf(to)} | ${known} | ${sentence}`);
    }
    for (const { at, mark, literal } of truth === null ? part.copies : [])
      say(`copy ${mark.slice(0, 12)} | ${textOf(at)} | ${literal ? "literal" : "kept"}`);
    for (const { where, why } of part.malformed) say(`malformed | ${where} | ${why}`);
    for (const gap of part.gaps) say(`gap | ${gap}`);
  }
  await opened.close();
  const figures = Object.entries(counts).map(([name, count]) => `${count} ${name}`);
  say(`# ${kind}: ${figures.join(", ")}; ${Math.round(performance.now() - began)} ms`);
  return truth === null ? null : { records: counts.records, result: sayCompared(truth, parts) };
}

/** Every row that is missing and every one too many, and the two figures. */
function sayCompared(truth: readonly TruthRow[], parts: readonly ScanPart[]): Compared {
  const result = compared(truth, rowsOf(parts, new Set(truth.map(({ edge }) => edge))));
  const line = ({ reader, edge, target }: Row) => `${reader} | ${edge} | ${target}`;
  for (const row of result.missed) say(`missed | ${line(row)} | ${row.reason}`);
  for (const row of result.extra) say(`extra | ${line(row)} | ${row.sentence}`);
  const { recall, precision } = figuresOf(result);
  say(
    `# ${truth.length} rows: ${result.hits} found, ${result.missed.length} missed, ${result.extra.length} extra; recall ${recall.toFixed(3)}, precision ${precision.toFixed(3)}`,
  );
  return result;
}

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    truth: { type: "string", multiple: true, default: [] },
    settings: { type: "string", default: "{}" },
    keep: { type: "boolean", default: false },
  },
});
const [folder, ...only] = positionals;
const tables = values.truth;
if (folder === undefined || (values.keep && (tables.length === 0 || only.length !== 1))) {
  process.stderr.write(
    `error: ${folder === undefined ? "no folder is given" : "figures are kept of one kind against tables"}\nhint: make real-inputs DIR=/path/to/a/folder [KINDS="compose"] [TRUTH="table.csv ..."] [SETTINGS=json] [KEEP=1]\n`,
  );
  process.exitCode = 2;
} else {
  const truth = tables.length === 0 ? null : tables.flatMap((table) => truthIn(readFileSync(table, "utf8")));
  for (const kind of only.length > 0 ? only : folderKinds) {
    const shown = await show(kind, resolve(folder), { truth, settings: JSON.parse(values.settings) });
    if (!values.keep || shown === null) continue;
    const { commit, day } = await circumstances(Date.now());
    keepFigures(
      tables.map((table) => basename(table)),
      shown.result,
      { commit, day, records: shown.records },
    );
  }
}
