/**
 * Not for people: what the part `map` has each of its processes do, which is the command `rekey apply` and nothing else. So that
 * its memory and its time are the command's.
 */
import { kinds } from "../adapters/registry.js";
import type { CliDeps, Services } from "../client/cli/deps.js";
import { inventoryIn } from "../client/cli/inventory.js";
import { run } from "../client/cli/run.js";
import { shapesOf } from "../domain/estate/shapes.js";
import { Secret } from "../domain/secret.js";
import { openDatabase } from "../inventory/database.js";
import type { EstateDiff } from "../inventory/estate-diff.js";
import { installationClock } from "../worker/clock.js";
import { newId } from "../worker/installation.js";
import type { ApplyRun } from "./map.js";

/** Applies a folder; time counts from the start of the process. */
async function applyFolder(folder: string, url: string): Promise<ApplyRun> {
  const db = openDatabase({ url: new Secret(url) });
  const inventory = inventoryIn(db, { randomId: newId, shapes: shapesOf(kinds) });
  const printed = { out: "", problems: "" };
  const keep = (where: keyof typeof printed) => (text: string) => {
    printed[where] += text;
  };
  const deps: Pick<CliDeps, "kinds" | "io" | "connect"> = {
    kinds,
    io: {
      stdin: process.stdin,
      stdout: { write: keep("out") },
      stderr: { write: keep("problems") },
      env: process.env,
      now: Date.now,
      randomId: newId,
      onInterrupt: () => () => undefined,
    },
    // The command asks the inventory, and nobody else.
    connect: async () =>
      ({ inventory, clock: await installationClock(db), close: () => db.close() }) as unknown as Services,
  };
  const code = await run(["apply", "-f", folder, "--yes", "--json", "--as", "bench"], deps as CliDeps);
  if (code !== 0) throw new Error(`rekey apply failed: ${printed.problems}`);
  const { diff } = JSON.parse(printed.out) as { diff: EstateDiff };
  const changed = Object.values(diff.sections).map(
    (part) => part.created.length + part.changed.length + part.ended.length,
  );
  return {
    wallMs: performance.now(),
    peakMib: process.resourceUsage().maxRSS / 1_024,
    changed: changed.reduce((sum, number) => sum + number, 0),
  };
}

const [folder = ""] = process.argv.slice(2);
process.stdout.write(
  `${JSON.stringify(await applyFolder(folder, process.env.REKEY_BENCH_DATABASE ?? ""))}\n`,
);
process.exit(0);
