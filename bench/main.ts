/**
 * `make bench`: what things cost, as figures beside each other from one run. It prints tables, and writes
 * the same as JSON and into docs/measurements.md. Times are only set beside their goals; a request that failed, or none at all, makes the run a failure,
 * since then the figures are of something else. `PARTS` chooses some of it.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { projectRoot } from "../worker/dev/places.js";
import { auditTable, fullAudit, measureAudit, smallAudit } from "./audit.js";
import { engineTables, measureEngine, troubleIn } from "./engine.js";
import { fullIntake, intakeTable, measureIntake, smallIntake, takeIn } from "./intake.js";
import { intakeKinds } from "./intake-input.js";
import { fullMap, mapTables, measureMap, smallMap } from "./map.js";
import { circumstances, writeMeasurements } from "./measurements.js";
import { measureOverhead, measureTimes, overheadTable } from "./overhead.js";
import { type Table, tableText } from "./tables.js";

type Progress = (line: string) => void;

/** Figures for the file, their tables, and what makes them worthless. */
type Part = readonly [figures: object, tables: readonly Table[], trouble?: readonly string[]];

/** The parts by name. */
const parts: Readonly<Record<string, (progress: Progress) => Promise<Part>>> = {
  rotations: async (progress) => {
    const figures = await measureEngine(progress);
    return [figures, engineTables(figures), troubleIn(figures)];
  },
  audit: async (progress) => {
    const figures = await measureAudit(smallAudit, progress);
    return [{ audit: figures }, [auditTable(figures)]];
  },
  overhead: async (progress) => {
    const figures = await measureOverhead(progress);
    return [{ overhead: figures }, [overheadTable(figures)]];
  },
  intake: async (progress) => {
    const figures = await measureIntake(smallIntake, progress);
    return [{ intake: figures }, [intakeTable(figures)]];
  },
  map: async (progress) => {
    const figures = await measureMap(smallMap, progress);
    return [{ map: figures }, mapTables(figures)];
  },
  "audit-full": async (progress) => {
    const figures = await measureAudit(fullAudit, progress);
    return [{ auditFull: figures }, [auditTable(figures)]];
  },
  "intake-full": async (progress) => {
    const figures = await measureIntake(fullIntake, progress);
    return [{ intakeFull: figures }, [intakeTable(figures)]];
  },
  "map-full": async (progress) => {
    const figures = await measureMap(fullMap, progress);
    return [{ mapFull: figures }, mapTables(figures)];
  },
};
const usual = ["rotations", "audit", "overhead", "intake", "map"];

const progress = (line: string) => void process.stderr.write(`  … ${line}\n`);
const asked = process.argv.slice(2);
// Not for people: what the part `overhead` has each of its two programs do.
if (asked[0] === "times") {
  process.stdout.write(`${JSON.stringify(await measureTimes(progress))}\n`);
  process.exit(0);
}
// Nor this: what the part `intake` has a process of its own do.
const intakeKind = intakeKinds.find((kind) => kind === asked[1]);
if (asked[0] === "intake" && intakeKind !== undefined && asked[2] !== undefined) {
  process.stdout.write(`${JSON.stringify(await takeIn(intakeKind, asked[2]))}\n`);
  process.exit(0);
}
const unknown = asked.filter((name) => parts[name] === undefined);
if (unknown.length > 0) {
  process.stderr.write(
    `error: There is no part ${unknown.join(", ")}.\nhint: There are ${Object.keys(parts).join(", ")}.\n`,
  );
  process.exit(2);
}
let report = {};
let sound = true;
const measured = new Map<string, readonly Table[]>();
for (const name of asked.length > 0 ? asked : usual) {
  const [figures, tables, trouble = []] = (await parts[name]?.(progress)) ?? [{}, []];
  report = { ...report, ...figures };
  for (const one of tables) process.stdout.write(`${tableText(one)}\n`);
  if (trouble.length === 0) measured.set(name, tables);
  for (const line of trouble) process.stderr.write(`failed: ${line}\n`);
  sound &&= trouble.length === 0;
}
const folder = join(projectRoot(), ".cache");
await mkdir(folder, { recursive: true });
await writeFile(join(folder, "bench.json"), `${JSON.stringify(report, null, 2)}\n`);
await writeMeasurements(measured, Object.keys(parts), await circumstances(Date.now()));
process.exit(sound ? 0 : 1);
