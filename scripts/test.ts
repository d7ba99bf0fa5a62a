/**
 * Runs the suites of `make test` and counts them. A count that is printed by whoever runs the tests must not
 * be able to look better than the run was: a suite without a test, an error outside a test and a file that
 * could not be loaded are failures here.
 */

import { readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startVitest } from "vitest/node";
import { RekeyError } from "../domain/errors.js";
import { findBinary } from "../worker/dev/binaries.js";
import { oldPostgres } from "../worker/dev/old-postgres.js";
import { baoPin, findBao } from "../worker/dev/openbao.js";
import { kubernetesPin, temporalPin, vaultPin } from "../worker/dev/pins.js";
import { cacheFolder, projectRoot } from "../worker/dev/places.js";
import { SuiteCounter, summary } from "./counter.js";
import { printCoverage } from "./coverage.js";
import { helperFolders, type LaneName, partsOf, type Suite, suites } from "./suites.js";
import { folderInMemory } from "./temporary.js";

const root = projectRoot();

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Suites whose folder exists; refuses names that are none and folders under `test/` that no suite runs. */
function chosen(names: readonly string[]): Suite[] {
  const folders = readdirSync(join(root, "test"), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name);
  const known = new Set([...suites.map((suite) => suite.name), ...helperFolders]);
  const stray = [...folders, ...names].find((name) => !known.has(name));
  if (stray !== undefined) {
    throw new RekeyError("bad-input", `test/${stray} is not a suite`, "name it in scripts/suites.ts");
  }
  return suites.filter(
    (suite) => folders.includes(suite.name) && (names.length === 0 || names.includes(suite.name)),
  );
}

/** Gets the programs before the first test, because no test's deadline covers a build of minutes. */
async function getPrograms(selected: readonly Suite[]): Promise<void> {
  if (!selected.some((suite) => suite.servers)) return;
  const progress = (line: string): void => say(`set-up: ${line}`);
  process.env[temporalPin.envName] = await findBinary(temporalPin, { progress });
  process.env[vaultPin.envName] = await findBinary(vaultPin, { progress });
  process.env[baoPin.envName] = await findBao({ progress });
  if (selected.some((suite) => suite.name === "contract")) await oldPostgres({ progress });
}

/**
 * Builds what one suite needs while the suites before it run, in the time that they leave idle: the tests that need it
 * wait for it. They try once more where this fails, and say why.
 */
async function buildMeanwhile(selected: readonly Suite[]): Promise<void> {
  if (!selected.some((suite) => suite.name === "contract")) return;
  const progress = (line: string): void => say(`meanwhile: ${line}`);
  try {
    await findBinary(kubernetesPin, { progress, isPatient: true });
  } catch (error) {
    if (!(error instanceof RekeyError)) throw error;
    progress(error.message);
  }
}

/** Rooms whose coverage `--coverage` shows. */
const rooms = "activities adapters audit bin client domain inventory kit worker workflows".split(" ");

/** Runs these suites in a Vitest of their own, one lane after the other. */
async function play(
  selected: readonly Suite[],
  counter: SuiteCounter,
  coverage: { readonly enabled: boolean; readonly include?: string[] },
): Promise<void> {
  if (selected.length === 0) return;
  const vitest = await startVitest([], {
    root,
    watch: false,
    project: selected.flatMap(partsOf).map((part) => part.project),
    reporters: [counter],
    coverage,
    passWithNoTests: true,
  });
  await vitest.close();
}

/** Every test of these suites; true when all passed and, of a whole run, every line of domain/ was run. */
async function main(words: readonly string[]): Promise<boolean> {
  const names = words.filter((word) => word !== "--coverage");
  const selected = chosen(names);
  process.env.TMPDIR = folderInMemory() ?? tmpdir();
  await getPrograms(selected);
  const building = buildMeanwhile(selected);
  const counter = new SuiteCounter(
    selected.map((suite) => suite.name),
    say,
  );
  process.env.NODE_ENV = "test";
  // Hundreds of processes load the same modules: what the first has compiled the others read.
  process.env.NODE_COMPILE_CACHE ??= join(cacheFolder(process.env), "compiled");
  const summaryFile = join(root, "coverage", "coverage-summary.json");
  // One of an earlier run says nothing of this one.
  rmSync(summaryFile, { force: true });
  const whole = names.length === 0;
  const everyRoom = words.includes("--coverage");
  if (everyRoom) {
    await play(selected, counter, { enabled: true, include: rooms.map((room) => `${room}/**/*.ts`) });
  } else {
    const of = (lane: LaneName): Suite[] => selected.filter((suite) => suite.lane === lane);
    const unmeasured = { enabled: false };
    await play(of("rules"), counter, { enabled: whole });
    await Promise.all([play(of("paths"), counter, unmeasured), play(of("servers"), counter, unmeasured)]);
  }
  const covered = !(whole || everyRoom) || printCoverage(summaryFile, root, say);
  await building;
  const counts = counter.finish();
  if (whole && !covered)
    say("error: line coverage of domain/ is below 100 % (hint: the files are named above)");
  say(summary(counts));
  return counts.failed === 0 && (covered || !whole);
}

try {
  process.exitCode = (await main(process.argv.slice(2))) ? 0 : 1;
} catch (error) {
  if (!(error instanceof RekeyError)) throw error;
  process.stderr.write(`error: ${error.message}\nhint: ${error.hint}\n`);
  process.exitCode = 5;
}
