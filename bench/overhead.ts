/**
 * What intents, fences and the audit log cost: the same rotations by this tree and by a copy of it without them
 * (`without-guards.patch`), by turns in one run.
 */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { openScene } from "../examples/demo/scene.js";
import { inPatchedTree } from "../scripts/patched-tree.js";
import { cacheFolder, projectRoot } from "../worker/dev/places.js";
import { idlePerSecond, measureRotations } from "./rotations.js";
import { benchPolicy, median, type Table } from "./tables.js";

const run = promisify(execFile);
const rounds = 3;
const rotationsEach = 10;
const roundMsMax = 300_000;

/** Times from start to close, in milliseconds. */
export interface OverheadFigures {
  readonly withMs: readonly number[];
  readonly withoutMs: readonly number[];
  readonly ratio: number;
}

/** Measures by turns, so that whatever the machine does meets both. */
export async function measureOverhead(progress: (line: string) => void): Promise<OverheadFigures> {
  const patch = join(projectRoot(), "bench", "without-guards.patch");
  progress("building a copy without intents, fences and audit");
  return inPatchedTree(patch, async (without) => {
    const withMs: number[] = [];
    const withoutMs: number[] = [];
    for (let round = 1; round <= rounds; round++) {
      progress(`round ${round} of ${rounds}`);
      withMs.push(...(await timesOf(projectRoot())));
      withoutMs.push(...(await timesOf(without)));
    }
    return { withMs, withoutMs, ratio: median(withMs) / median(withoutMs) };
  });
}

/** One round in a process of its own, of this tree or of the copy. */
async function timesOf(root: string): Promise<number[]> {
  const { stdout } = await run(process.execPath, [join(root, "dist", "bench", "main.js"), "times"], {
    env: { ...process.env, REKEY_CACHE: cacheFolder(process.env) },
    timeout: roundMsMax,
  });
  return JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as number[];
}

/** The times of some rotations, as the last line of the output. */
export async function measureTimes(progress: (line: string) => void): Promise<readonly number[]> {
  const scene = await openScene({ store: "file", policy: benchPolicy, progress, pollMs: 20 });
  try {
    const asked = { rotations: rotationsEach, requestsPerSecond: idlePerSecond };
    return (await measureRotations(scene, asked)).totalMs;
  } finally {
    await scene.stop();
  }
}

/** The figures as a table. */
export function overheadTable({ withMs, withoutMs, ratio }: OverheadFigures): Table {
  const of = (times: readonly number[]) => ({
    value: median(times),
    unit: "ms",
    note: `${times.length} rotations`,
  });
  return {
    title: "Intents, fences and audit, start to closed",
    rows: [
      { what: "with, median", ...of(withMs) },
      { what: "without, median", ...of(withoutMs) },
      { what: "ratio", value: ratio, digits: 2, atMost: 1.3 },
    ],
  };
}
