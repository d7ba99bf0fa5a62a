/**
 * `make faults`: tries every fault that is in the matrix, says what did not hold and how to see it again, and
 * counts what was asked of each invariant. Ends with 0 only when everything held.
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { projectRoot } from "../../worker/dev/places.js";
import { directions } from "./house/estate.js";
import { startServers } from "./house/servers.js";
import { type Case, caseId, dice, readCase, shuffled } from "./run/cases.js";
import { casesFrom, kindsIn, toWatch, type WatchedCase, weightOf } from "./run/matrix.js";
import { reliabilityPage } from "./run/report.js";
import { Runner } from "./run/runner.js";
import { Tally } from "./run/tally.js";
import { worlds } from "./worlds/index.js";

/** For lanes that have to be given up; each namespace costs the server something, used or not. */
const spareLanes = 8;

const { values: options } = parseArgs({
  options: {
    case: { type: "string" },
    seed: { type: "string", default: "1" },
    sample: { type: "string" },
    lanes: { type: "string", default: "12" },
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
const random = dice(seed);
const counts = { matrix: 0, chosen: 0 };
const tally = new Tally(seed, say, options.verbose);

const named = options.case?.split(" ").map(readCase);
// Each world has at least a lane with doors and one without; no case of a few has more than one lane.
const lanesMax = named?.length ?? lanes + 2 * options.world.split(",").length + spareLanes;
const servers = await startServers(lanesMax, (line) => say(`set-up: ${line}`));
const runner = new Runner(servers);
try {
  if (named !== undefined) {
    await runner.run(named, lanes, (result) => tally.take(result));
  } else {
    await everything();
  }
  await runner.stop();
  tally.searched(await tally.search(runner.values, [...servers.traces, ...runner.logs]));
} finally {
  await runner.stop();
  await servers.stop();
}
for (const sentence of runner.broken) say(`BROKEN ${sentence}`);
const figures = tally.figures({ ...counts, kills: runner.kills });
say(tally.summary(figures));
if (options.page || (options.case === undefined && options.sample === undefined)) {
  await writeFile(join(projectRoot(), "docs", "reliability.md"), reliabilityPage(figures));
}
process.exit(tally.sound && runner.broken.length === 0 ? 0 : 1);

async function everything(): Promise<void> {
  const watched: WatchedCase[] = [];
  const thorough = options.sample === undefined;
  const watching = options.world.split(",").flatMap((world, index) => {
    // A sample watches the first world from all sides, and each other one in two directions.
    const { directions: own } = worlds[world] ?? {};
    const possible = directions.filter((direction) => own?.includes(direction) ?? true);
    const some = thorough || index === 0 ? possible : shuffled(possible, random).slice(0, 2);
    return toWatch(world, some, thorough);
  });
  await runner.run(watching, lanes, (result) => {
    tally.take(result);
    watched.push({ played: result.played, seen: result.result.seen });
  });
  const kinds = kindsIn(watched);
  const found = casesFrom(watched);
  const chosen = choose(found, (one) => weightOf(one, kinds));
  counts.matrix = found.length + watching.length;
  counts.chosen = chosen.length + watching.length;
  say(`matrix: ${found.length} cases; ${chosen.length} of them chosen with seed ${seed}`);
  await runner.run(
    chosen,
    lanes,
    (result) => tally.take(result),
    () => Date.now() > endAt,
  );
}

/** All, the heavier ones first; or a sample in which each world has its share, and each weight its half of that. */
function choose(found: readonly Case[], weight: (one: Case) => number): Case[] {
  // By name first: in which order the worlds were watched is not the seed's to say.
  const sorted = [...found].sort((a, b) => (caseId(a) < caseId(b) ? -1 : 1));
  const mixed = shuffled(sorted, random);
  if (options.sample === undefined) return mixed.sort((a, b) => weight(a) - weight(b));
  const count = Number(options.sample);
  const shares = [...Map.groupBy(mixed, ({ world }) => world).values()];
  return shares.flatMap((own, index) => {
    // What cannot be divided goes to the first.
    const share = Math.floor(count / shares.length) + (index < count % shares.length ? 1 : 0);
    const heavy = own.filter((one) => weight(one) === 0);
    const light = own.filter((one) => weight(one) > 0);
    return [...heavy.slice(0, Math.ceil(share / 2)), ...light.slice(0, Math.floor(share / 2))];
  });
}
