/**
 * `make faults MUTANTS=1`: applies each planted bug to a copy of the tree, builds the copy, runs the bug's cases
 * there and expects a violation. A bug that nothing notices, or a patch that no longer applies, is a failure.
 */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { inPatchedTree } from "../../scripts/patched-tree.js";
import { cacheFolder, projectRoot } from "../../worker/dev/places.js";
import { type Mutant, mutants } from "./mutants/list.js";

const run = promisify(execFile);
const root = projectRoot();
const outputMax = 1 << 26;
const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** What became of the bug: the violations that its cases showed, or why there are none. */
async function tried({ name, cases }: Mutant): Promise<{ found: readonly string[]; why: string }> {
  const patch = join(root, "test", "faults", "mutants", `${name}.patch`);
  try {
    return await inPatchedTree(patch, (copy) => played(copy, cases));
  } catch (error) {
    const { stderr, stdout, message } = error as { stderr?: string; stdout?: string; message: string };
    return { found: [], why: `it could not be built: ${stderr || stdout || message}` };
  }
}

async function played(
  copy: string,
  cases: readonly string[],
): Promise<{ found: readonly string[]; why: string }> {
  await run(join(copy, "test", "faults", "build.sh"), { cwd: copy });
  const program = join(copy, "dist.faults", "test", "faults", "main.js");
  const env = { ...process.env, REKEY_CACHE: cacheFolder(process.env) };
  const args = [program, "--lanes", "1", "--case", cases.join(" ")];
  const { stdout, sound } = await run(process.execPath, args, {
    cwd: copy,
    env,
    maxBuffer: outputMax,
  }).then(
    ({ stdout }) => ({ stdout, sound: true }),
    (error: { stdout?: string; stderr?: string }) => ({
      stdout: `${error.stdout ?? ""}${error.stderr ?? ""}`,
      sound: false,
    }),
  );
  const found = stdout.split("\n").filter((line) => line.startsWith("VIOLATION"));
  return { found, why: sound ? "nothing was noticed" : stdout.split("\n").slice(-12).join("\n") };
}

const wanted = process.argv.slice(2);
let missed = 0;
for (const mutant of mutants.filter(({ name }) => wanted.length === 0 || wanted.includes(name))) {
  const { found, why } = await tried(mutant);
  if (found.length > 0) {
    say(`found   ${mutant.name}: ${found[0]}`);
    continue;
  }
  missed += 1;
  say(`MISSED  ${mutant.name}: ${why}`);
}
say(`${mutants.length} planted bugs, ${missed} of the tried ones missed`);
process.exit(missed === 0 ? 0 : 1);
