/**
 * `make bench`: what things cost, as figures beside each other from one run. It prints tables and writes the same
 * as JSON. Times are only set beside their goals; a request that failed, or none at all, makes the run a failure,
 * since then the figures are of something else. `PARTS` chooses some of it.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { projectRoot } from "../worker/dev/places.js";
import { auditTable, fullAudit, measureAudit, smallAudit } from "./audit.js";
import { engineTables, measureEngine, troubleIn } from "./engine.js";
import { measureOverhead, measureTimes, overheadTable } from "./overhead.js";

type Progress = (line: string) => void;

/** Figures for the file, the text of their tables, and what makes them worthless. */
type Part = readonly [figures: object, text: string, trouble?: readonly string[]];

/** The parts by name. */
const parts: Readonly<Record<string, (progress: Progress) => Promise<Part>>> = {
  rotations: async (progress) => {
    const figures = await measureEngine(progress);
    return [figures, engineTables(figures), troubleIn(figures)];
  },
  audit: async (progress) => {
    const figures = await measureAudit(smallAudit, progress);
    return [{ audit: figures }, auditTable(figures)];
  },
  overhead: async (progress) => {
    const figures = await measureOverhead(progress);
    return [{ overhead: figures }, overheadTable(figures)];
  },
  // Not for people: what the part before has each of its two programs do.
  times: async (progress) => {
    const times = await measureTimes(progress);
    return [{}, JSON.stringify(times)];
  },
  "audit-full": async (progress) => {
    const figures = await measureAudit(fullAudit, progress);
    return [{ auditFull: figures }, auditTable(figures)];
  },
};
const usual = ["rotations", "audit", "overhead"];

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => parts[name] === undefined);
if (unknown.length > 0) {
  process.stderr.write(
    `error: There is no part ${unknown.join(", ")}.\nhint: There are ${Object.keys(parts).join(", ")}.\n`,
  );
  process.exit(2);
}
let report = {};
let sound = true;
for (const name of asked.length > 0 ? asked : usual) {
  const [figures, text, trouble = []] = (await parts[name]?.(
    (line) => void process.stderr.write(`  … ${line}\n`),
  )) ?? [{}, ""];
  report = { ...report, ...figures };
  process.stdout.write(`${text}\n`);
  for (const line of trouble) process.stderr.write(`failed: ${line}\n`);
  sound &&= trouble.length === 0;
}
const folder = join(projectRoot(), ".cache");
await mkdir(folder, { recursive: true });
await writeFile(join(folder, "bench.json"), `${JSON.stringify(report, null, 2)}\n`);
process.exit(sound ? 0 : 1);
