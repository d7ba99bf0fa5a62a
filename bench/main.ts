/**
 * `make bench`: what things cost, as figures beside each other from one run. It prints tables and writes the same
 * as JSON; it judges nothing but says next to each figure what the goal was. `PARTS` chooses some of it.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { projectRoot } from "../worker/dev/places.js";
import { auditTable, fullAudit, measureAudit, smallAudit } from "./audit.js";
import { engineTables, measureEngine } from "./engine.js";

type Progress = (line: string) => void;

/** The parts by name: figures for the file, and the text of their tables. */
const parts: Readonly<Record<string, (progress: Progress) => Promise<readonly [object, string]>>> = {
  rotations: async (progress) => {
    const figures = await measureEngine(progress);
    return [figures, engineTables(figures)];
  },
  audit: async (progress) => {
    const figures = await measureAudit(smallAudit, progress);
    return [{ audit: figures }, auditTable(figures)];
  },
  "audit-full": async (progress) => {
    const figures = await measureAudit(fullAudit, progress);
    return [{ auditFull: figures }, auditTable(figures)];
  },
};
const usual = ["rotations", "audit"];

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => parts[name] === undefined);
if (unknown.length > 0) {
  process.stderr.write(
    `error: There is no part ${unknown.join(", ")}.\nhint: There are ${Object.keys(parts).join(", ")}.\n`,
  );
  process.exit(2);
}
let report = {};
for (const name of asked.length > 0 ? asked : usual) {
  const [figures, text] = (await parts[name]?.((line) => void process.stderr.write(`  … ${line}\n`))) ?? [
    {},
    "",
  ];
  report = { ...report, ...figures };
  process.stdout.write(`${text}\n`);
}
const folder = join(projectRoot(), ".cache");
await mkdir(folder, { recursive: true });
await writeFile(join(folder, "bench.json"), `${JSON.stringify(report, null, 2)}\n`);
process.exit(0);
