/** What a rotation costs beside a bare script that makes the same outside calls, idle and under load. */
import { openScene } from "../examples/demo/scene.js";
import { Customers } from "../examples/demo/services.js";
import { idlePerSecond, type Measured, measureRotations } from "./rotations.js";
import { measureScript } from "./script.js";
import { benchPolicy, median, table } from "./tables.js";

const rotations = 20;
const requestsPerSecond = 200;
/** The service that connects for each request, and the two beside it. */
const askedPerSecond = requestsPerSecond + 2 * idlePerSecond;
const troubleMax = 10;

/** What was measured. */
export interface EngineFigures {
  readonly rotations: number;
  readonly engine: Measured;
  readonly bare: { readonly totalMs: readonly number[] };
  readonly ratio: number;
  readonly load: Measured & { readonly requestsPerSecond: number };
}

/** Measures in the demo's scene. */
export async function measureEngine(progress: (line: string) => void): Promise<EngineFigures> {
  const scene = await openScene({ store: "file", policy: benchPolicy, progress, pollMs: 20 });
  try {
    const engine = await measureRotations(scene, { rotations, requestsPerSecond: idlePerSecond });
    const loaded = await measureRotations(scene, { rotations, requestsPerSecond });
    // Last, because what a script does is in no record, and the engine would find a stranger's versions.
    const customers = new Customers(scene.services, idlePerSecond);
    const bare = await measureScript(scene, rotations).finally(() => customers.stop());
    const ratio = median(engine.totalMs) / median(bare.totalMs);
    return { rotations, engine, bare, ratio, load: { requestsPerSecond, ...loaded } };
  } finally {
    await scene.stop();
  }
}

/** Why the figures are of something else than they say; empty where every request was answered and there were some. */
export function troubleIn({ engine, load }: EngineFigures): string[] {
  const none = [engine, load].some(({ requests }) => requests === 0);
  return [...(none ? ["no request was made"] : []), ...engine.failures, ...load.failures].slice(
    0,
    troubleMax,
  );
}

/** The figures as tables. */
export function engineTables({ engine, bare, ratio, load }: EngineFigures): string {
  return `${table("One credential, three consumers, no soak", [
    ["start to closed, median", `${median(engine.totalMs).toFixed(0)} ms`, "goal 1000 ms"],
    ...engine.steps.map(({ what, ms }) => [`  ${what}`, `${median(ms).toFixed(0)} ms`, ""]),
    ["bare script, same outside calls", `${median(bare.totalMs).toFixed(0)} ms`, ""],
    ["ratio engine / script", ratio.toFixed(2), ""],
    ["events in the history", `${Math.max(...engine.events)}`, "goal 60"],
    ["billable actions in it", `${Math.max(...engine.actions)}`, "without heartbeats, retries, queries"],
    ["requests", `${engine.requests}`, ""],
    ["failed requests", `${engine.failed}`, "goal 0"],
  ])}\n${table(`The same under ${load.requestsPerSecond} requests/s, a new connection each`, [
    ["requests", `${load.requests}`, ""],
    ["reached, all services", `${load.achievedPerSecond.toFixed(0)}/s`, `asked ${askedPerSecond}/s`],
    ["failed requests", `${load.failed}`, "goal 0"],
    ["start to closed, median", `${median(load.totalMs).toFixed(0)} ms`, ""],
  ])}`;
}
