/**
 * `make real-inputs DIR=...`: runs the sources that read configuration over a folder of the user's own and prints what was found,
 * to be compared with what a person finds there. Nothing is kept, and values are shown by a hash with a key of this run.
 */
import { createHmac, randomBytes } from "node:crypto";
import { basename, resolve } from "node:path";
import { parseArgs } from "node:util";
import type { AdapterDeps } from "../adapters/ports.js";
import { kinds } from "../adapters/registry.js";
import type { Thing } from "../domain/discovery/said.js";

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

/** What one source says of a folder; ends the line of its figures with what it could not read. */
async function show(kind: string, directory: string): Promise<void> {
  const source = kinds.sources[kind];
  if (source === undefined) throw new Error(`${kind} is no kind of source`);
  const key = randomBytes(32);
  const deps = {
    now: Date.now,
    mark: (value: string) => createHmac("sha256", key).update(value).digest("hex"),
  } as unknown as AdapterDeps;
  const cluster = kind === "kubernetes-manifests" ? { cluster: basename(directory) } : {};
  const opened = source.create(source.config.parse({ directory, ...cluster }), deps);
  const counts = { records: 0, edges: 0, copies: 0, malformed: 0, gaps: 0 };
  const began = performance.now();
  say(`\n# ${kind}`);
  for await (const part of opened.scan(null, { signal: AbortSignal.timeout(600_000) })) {
    counts.records += part.records;
    counts.edges += part.claims.length;
    counts.copies += part.copies.length;
    counts.malformed += part.malformed.length;
    counts.gaps += part.gaps.length;
    for (const { from, type, to, known, sentence } of part.claims) {
      say(`${textOf(from)} | ${type} | ${textOf(to)} | ${known} | ${sentence}`);
    }
    for (const { at, mark, literal } of part.copies)
      say(`copy ${mark.slice(0, 12)} | ${textOf(at)} | ${literal ? "literal" : "kept"}`);
    for (const { where, why } of part.malformed) say(`malformed | ${where} | ${why}`);
    for (const gap of part.gaps) say(`gap | ${gap}`);
  }
  await opened.close();
  const figures = Object.entries(counts).map(([name, count]) => `${count} ${name}`);
  say(`# ${kind}: ${figures.join(", ")}; ${Math.round(performance.now() - began)} ms`);
}

const { positionals } = parseArgs({ allowPositionals: true });
const [folder, ...only] = positionals;
if (folder === undefined) {
  process.stderr.write(
    'error: no folder is given\nhint: make real-inputs DIR=/path/to/a/folder [KINDS="compose"]\n',
  );
  process.exitCode = 2;
} else {
  for (const kind of only.length > 0 ? only : folderKinds) await show(kind, resolve(folder));
}
