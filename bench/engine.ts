/** What a rotation costs beside a bare script that makes the same outside calls, idle and under load. */
import { openScene } from "../examples/demo/scene.js";
import { Customers } from "../examples/demo/services.js";
import { idlePerSecond, type Measured, measureRotations } from "./rotations.js";
import { measureScript } from "./script.js";
import { benchPolicy, median, type Table } from "./tables.js";

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
export function engineTables({ engine, bare, ratio, load }: EngineFigures): Table[] {
  return [
    {
      title: "One credential, three consumers, no soak",
      rows: [
        { what: "start to closed, median", value: median(engine.totalMs), unit: "ms", atMost: 1_000 },
        ...engine.steps.map(({ what, ms }) => ({ what: `  ${what}`, value: median(ms), unit: "ms" })),
        { what: "bare script, same outside calls", value: median(bare.totalMs), unit: "ms" },
        { what: "ratio engine / script", value: ratio, digits: 2 },
        { what: "events in the history", value: Math.max(...engine.events), atMost: 60 },
        {
          what: "billable actions in it",
          value: Math.max(...engine.actions),
          note: "without heartbeats, retries, queries",
        },
        { what: "requests", value: engine.requests },
        { what: "failed requests", value: engine.failed, atMost: 0 },
      ],
    },
    {
      title: `The same under ${load.requestsPerSecond} requests/s, a new connection each`,
      rows: [
        { what: "requests", value: load.requests },
        {
          what: "reached, all services",
          value: load.achievedPerSecond,
          unit: "/s",
          note: `asked ${askedPerSecond}/s`,
        },
        { what: "failed requests", value: load.failed, atMost: 0 },
        { what: "start to closed, median", value: median(load.totalMs), unit: "ms" },
      ],
    },
  ];
}
