/**
 * A sample of the fault matrix in every `make test`: real processes, real servers, the same program that `make
 * faults` runs to the end. The seed is fixed, so that a failure here is a failure everywhere.
 */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, expect, test } from "vitest";
import { projectRoot } from "../../worker/dev/places.js";

const run = promisify(execFile);
const root = projectRoot();
const program = join(root, "dist.faults", "test", "faults", "main.js");
const outputMax = 1 << 26;

beforeAll(async () => {
  await run(join(root, "test", "faults", "build.sh"));
});

/** Runs the harness; its output, and whether it was content. */
async function faults(...args: string[]): Promise<{ output: string; sound: boolean }> {
  try {
    const { stdout } = await run(process.execPath, [program, ...args], { maxBuffer: outputMax });
    return { output: stdout, sound: true };
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    return { output: `${stdout ?? ""}${stderr ?? ""}`, sound: false };
  }
}

test("H3 H8: a sample of kills, lost answers, late writes and duplicates leaves no orphan and breaks no consumer", async () => {
  const { output, sound } = await faults(
    "--world",
    "postgres-file,redis-file,jwks-file",
    "--sample",
    "12",
    "--seed",
    "1",
    "--lanes",
    "3",
  );
  expect(sound, output).toBe(true);
  expect(output).toMatch(/^\d{2} distinct cases, .* 0 violations, seed 1/m);
  for (const invariant of ["I1", "I2", "I3", "I4", "I5", "I6", "I8", "I11"]) {
    expect(output).toMatch(new RegExp(`^  ${invariant} +[1-9]\\d* times asked, 0 did not hold$`, "m"));
  }
});
