/**
 * `make faults MUTANTS=1`: applies each planted bug to a copy of the tree, builds the copy, runs the bug's cases
 * there and expects a violation. A bug that nothing notices, or a patch that no longer applies, is a failure.
 */
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { inPatchedTree } from "../../scripts/patched-tree.js";
import { cacheFolder, projectRoot } from "../../worker/dev/places.js";
import { type Mutant, mutants } from "./mutants/list.js";

const run = promisify(execFile);
const root = projectRoot();
const outputMax = 1 << 26;
const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** What became of a bug: the violations that its cases showed, or why there are none. */
interface Tried {
  readonly found: readonly string[];
  readonly why: string;
}

async function tried({ name, cases }: Mutant): Promise<Tried> {
  const patch = join(root, "test", "faults", "mutants", `${name}.patch`);
  try {
    return await inPatchedTree(patch, (copy) => played(copy, cases));
  } catch (error) {
    const { stderr, stdout, message } = error as { stderr?: string; stdout?: string; message: string };
    return { found: [], why: `it could not be built: ${stderr || stdout || message}` };
  }
}

async function played(copy: string, cases: readonly string[]): Promise<Tried> {
  // The product's half has just been checked, and the harness is the same as here.
  await run(join(copy, "test", "faults", "build.sh"), ["--noCheck"], { cwd: copy });
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
  const lines = stdout.split("\n");
  const found = [...lines.filter((line) => line.startsWith("VIOLATION")), ...lines.flatMap(firstRotation)];
  return { found, why: sound ? "nothing was noticed" : stdout.split("\n").slice(-12).join("\n") };
}

/** A lane's first rotation, which nothing disturbs and which does not end as it should, says as much as a case does. */
function firstRotation(line: string): string[] {
  const [, id, sentence] = /^BROKEN (\S+): (the first rotation of lane \d+ ended as .*)$/.exec(line) ?? [];
  return id === undefined ? [] : [`VIOLATION of I11: ${id}: ${sentence}`];
}

/** `VIOLATION of I4: world/direction/fault: sentence`; what is found behind the cases, in files, names none. */
const violation = /^VIOLATION of (I\d+): (?:([\w-]+\/\w+\/\S+): )?(.*)$/;

/** How one was found. */
interface Found {
  readonly mutant: Mutant;
  readonly invariant: string;
  readonly id: string;
  readonly tookSeconds: number;
}

/** Tries one, and says by which invariant, in which case and in how many seconds it was found; null when it was not. */
async function judged(mutant: Mutant): Promise<Found | null> {
  const begunAt = Date.now();
  const { found, why } = await tried(mutant);
  const [first] = found;
  const tookSeconds = Math.round((Date.now() - begunAt) / 1_000);
  if (first === undefined) {
    say(`MISSED  ${mutant.name}, ${tookSeconds} s: ${why}`);
    return null;
  }
  const [, invariant = "?", id = "behind its cases", sentence = first] = violation.exec(first) ?? [];
  say(`found   ${mutant.name} by ${invariant} in ${id}, ${tookSeconds} s: ${sentence}`);
  return { mutant, invariant, id, tookSeconds };
}

/** The page about a run in which each of them was found. */
function page(all: readonly Found[], minutes: string): string {
  const rows = all.map(
    ({ mutant, invariant, id, tookSeconds }) =>
      `| ${mutant.name} | ${mutant.breaks} | ${invariant} | \`${id}\` | ${tookSeconds} |`,
  );
  return `# Planted bugs

Written by \`make faults MUTANTS=1\`, when each was found. A harness that finds none of them would also be content with an engine that has them. Each is a patch in \`test/faults/mutants/\`; it is applied to a copy of the tree, the copy is built, and its cases of the [fault matrix](reliability.md) are played there, two bugs side by side. The seconds are for all of that.

${all.length} of ${all.length} were found in ${minutes} minutes.

| Bug | What it breaks | Found by | In | Seconds |
|---|---|---|---|---|
${rows.join("\n")}
`;
}

/** Building one and watching another hardly get into each other's way on two cores. */
const atOnce = 2;

const wanted = process.argv.slice(2);
const queue = mutants.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
const chosen = queue.length;
const begunAt = Date.now();
const found: Found[] = [];
const work = async (): Promise<void> => {
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const one = await judged(next);
    if (one !== null) found.push(one);
  }
};
await Promise.all(Array.from({ length: atOnce }, work));
const minutes = ((Date.now() - begunAt) / 60_000).toFixed(1);
const missed = chosen - found.length;
say(`${chosen} of ${mutants.length} planted bugs tried in ${minutes} minutes, ${missed} missed`);
if (found.length === mutants.length) {
  const inOrder = mutants.flatMap(({ name }) => found.filter(({ mutant }) => mutant.name === name));
  await writeFile(join(root, "docs", "planted-bugs.md"), page(inOrder, minutes));
}
process.exit(missed === 0 && chosen > 0 ? 0 : 1);
