/**
 * Runs the suites of `make test` and counts them. A count that is printed by whoever runs the tests must not
 * be able to look better than the run was: a suite without a test, an error outside a test and a file that
 * could not be loaded are failures here.
 */

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { startVitest } from "vitest/node";
import { RekeyError } from "../domain/errors.js";
import { findBinary } from "../worker/dev/binaries.js";
import { oldPostgres } from "../worker/dev/old-postgres.js";
import { baoPin, findBao } from "../worker/dev/openbao.js";
import { temporalPin, vaultPin } from "../worker/dev/pins.js";
import { projectRoot } from "../worker/dev/places.js";
import { SuiteCounter, summary } from "./counter.js";
import { printCoverage } from "./coverage.js";
import { helperFolders, type Suite, suites } from "./suites.js";

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

async function main(names: readonly string[]): Promise<boolean> {
  const selected = chosen(names);
  await getPrograms(selected);
  const whole = names.length === 0;
  const counter = new SuiteCounter(
    selected.map((suite) => suite.name),
    say,
  );
  process.env.NODE_ENV = "test";
  const vitest = await startVitest([], {
    root,
    watch: false,
    project: selected.map((suite) => suite.name),
    reporters: [counter],
    coverage: { enabled: whole },
    passWithNoTests: true,
  });
  const coverageOk = process.exitCode === undefined || process.exitCode === 0 || counter.anyFailed();
  await vitest.close();
  if (whole) printCoverage(join(root, "coverage", "coverage-summary.json"), root, say);
  const counts = counter.finish();
  if (!coverageOk) say("error: line coverage of domain/ is below 100 % (hint: the files are named above)");
  say(summary(counts));
  return counts.failed === 0 && coverageOk;
}

try {
  process.exitCode = (await main(process.argv.slice(2))) ? 0 : 1;
} catch (error) {
  if (!(error instanceof RekeyError)) throw error;
  process.stderr.write(`error: ${error.message}\nhint: ${error.hint}\n`);
  process.exitCode = 5;
}
