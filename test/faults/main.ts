/**
 * `make faults`: tries every fault that is in the matrix, says what did not hold and how to see it again, and
 * counts what was asked of each invariant. Ends with 0 only when everything held.
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { projectRoot } from "../../worker/dev/places.js";
import { directions } from "./house/directions.js";
import { startServers } from "./house/servers.js";
import { mixed, readCase } from "./run/cases.js";
import { sampled, stratumOf, woven } from "./run/choice.js";
import { casesFrom, kindsIn, toWatch, type WatchedCase } from "./run/matrix.js";
import { reliabilityPage } from "./run/report.js";
import { type Result, Runner } from "./run/runner.js";
import { Tally } from "./run/tally.js";
import { worlds } from "./worlds/index.js";

/** For lanes that have to be given up. */
const spareLanes = 8;

const { values: options } = parseArgs({
  options: {
    case: { type: "string" },
    seed: { type: "string", default: "1" },
    sample: { type: "string" },
    lanes: { type: "string", default: "6" },
    minutes: { type: "string", default: "55" },
    world: { type: "string", default: Object.keys(worlds).join(",") },
    page: { type: "boolean", default: false },
    verbose: { type: "boolean", default: false },
  },
});

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const seed = Number(options.seed);
const lanes = Number(options.lanes);
const endAt = Date.now() + Number(options.minutes) * 60_000;
const counts = { matrix: 0, strata: 0, strataMet: 0 };
const tally = new Tally(seed, say, options.verbose);

const named = options.case?.split(" ").map(readCase);
// Each world has lanes of its own, one with doors and one without at the least; no case of a few has more than one lane.
const lanesMax = named?.length ?? (lanes + 2) * options.world.split(",").length + spareLanes;
const servers = await startServers(lanesMax, (line) => say(`set-up: ${line}`));
const runner = new Runner(servers);
try {
  if (named !== undefined) {
    await runner.run(named, lanes, (result) => tally.take(result));
  } else {
    await everything();
  }
  await runner.leave();
  tally.audited(runner.audits);
  tally.searched(await tally.search(runner.values, [...servers.traces, ...runner.logs]));
} finally {
  await runner.leave();
  await servers.stop();
}
for (const sentence of runner.broken) say(`BROKEN ${sentence}`);
const figures = tally.figures({ ...counts, kills: runner.kills });
say(tally.summary(figures));
if (options.page || (options.case === undefined && options.sample === undefined)) {
  await writeFile(join(projectRoot(), "docs", "reliability.md"), reliabilityPage(figures));
}
process.exit(tally.sound && runner.broken.length === 0 ? 0 : 1);

/** One world after the other: what stands idle beside a case takes the time of the next one. */
async function everything(): Promise<void> {
  const names = options.world.split(",");
  for (const [index, world] of names.entries()) {
    // What an earlier world left of its share goes to those that follow.
    const left = Math.max(0, endAt - Date.now());
    await explore(world, index, names.length, Date.now() + left / (names.length - index));
    await runner.leave();
  }
}

/** Watches a world, and plays what follows from that until `until`. */
async function explore(world: string, index: number, worldsInAll: number, until: number): Promise<void> {
  const watched: WatchedCase[] = [];
  const begunAt = Date.now();
  const before = tally.cases;
  const thorough = options.sample === undefined;
  // A sample watches the first world from all sides, and each other one in two directions.
  const { directions: own } = worlds[world] ?? {};
  const possible = own ?? directions;
  const some =
    thorough || index === 0
      ? possible
      : mixed(possible, (direction) => `${world} ${direction}`, seed).slice(0, 2);
  const watching = toWatch(world, some, thorough);
  await runner.run(watching, lanes, (result) => {
    tally.take(result);
    watched.push({ played: result.played, seen: result.result.seen });
  });
  const kinds = kindsIn(watched);
  const found = casesFrom(watched);
  const share = options.sample === undefined ? null : shareOf(Number(options.sample), index, worldsInAll);
  const chosen = share === null ? woven(found, kinds, seed) : sampled(found, kinds, seed, share);
  counts.matrix += found.length + watching.length;
  const strata = new Set(found.map((one) => stratumOf(one, kinds)));
  const met = new Set<string>();
  const take = (result: Result): void => {
    tally.take(result);
    if (result.result.met) met.add(stratumOf(result.played, kinds));
  };
  await runner.run(chosen, lanes, take, () => Date.now() > until);
  counts.strata += strata.size;
  counts.strataMet += met.size;
  const minutes = ((Date.now() - begunAt) / 60_000).toFixed(1);
  const cases = `${tally.cases - before} of ${found.length + watching.length} cases`;
  say(`${world}: ${cases} in ${minutes} minutes, ${met.size} of ${strata.size} kinds of fault and call`);
}

/** What cannot be divided goes to the first. */
function shareOf(count: number, index: number, worldsInAll: number): number {
  return Math.floor(count / worldsInAll) + (index < count % worldsInAll ? 1 : 0);
}
