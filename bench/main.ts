/**
 * `make bench`: what a rotation costs, as figures beside each other from one run. It prints a table and writes
 * the same as JSON; it judges nothing but says next to each figure what the goal was.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openScene } from "../examples/demo/scene.js";
import { Customers } from "../examples/demo/services.js";
import { projectRoot } from "../worker/dev/places.js";
import { idlePerSecond, measureRotations } from "./rotations.js";
import { measureScript } from "./script.js";
import { benchPolicy, median, table } from "./tables.js";

const rotations = 20;
const requestsPerSecond = 200;

const scene = await openScene({
  store: "file",
  policy: benchPolicy,
  progress: (line) => void process.stderr.write(`  … ${line}\n`),
  pollMs: 20,
});
try {
  const engine = await measureRotations(scene, { rotations, requestsPerSecond: idlePerSecond });
  const loaded = await measureRotations(scene, { rotations, requestsPerSecond });
  // Last, because what a script does is in no record, and the engine would find a stranger's versions.
  const customers = new Customers(scene.services, idlePerSecond);
  const bare = await measureScript(scene, rotations).finally(() => customers.stop());
  const ratio = median(engine.totalMs) / median(bare.totalMs);
  const report = { rotations, engine, bare, ratio, load: { requestsPerSecond, ...loaded } };
  const folder = join(projectRoot(), ".cache");
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "bench.json"), `${JSON.stringify(report, null, 2)}\n`);
  process.stdout.write(
    `${table("One credential, three consumers, no soak", [
      ["start to closed, median", `${median(engine.totalMs).toFixed(0)} ms`, "goal 1000 ms"],
      ...engine.steps.map(({ what, ms }) => [`  ${what}`, `${median(ms).toFixed(0)} ms`, ""]),
      ["bare script, same outside calls", `${median(bare.totalMs).toFixed(0)} ms`, ""],
      ["ratio engine / script", ratio.toFixed(2), ""],
      ["events in the history", `${Math.max(...engine.events)}`, "goal 60"],
      ["billable actions", `${Math.max(...engine.actions)}`, ""],
    ])}\n${table(`The same under ${requestsPerSecond} requests/s, a new connection each`, [
      ["requests", `${loaded.requests}`, ""],
      ["failed requests", `${loaded.failed}`, "goal 0"],
      ["start to closed, median", `${median(loaded.totalMs).toFixed(0)} ms`, ""],
    ])}\n`,
  );
} finally {
  await scene.stop();
}
process.exit(0);
