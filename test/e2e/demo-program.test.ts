/** `rekey demo` as a new user runs it: what it prints, how it ends, and that nothing of it is left behind. */
import { chmod, mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { temporalPin } from "../../worker/dev/pins.js";
import { knowing, wordsOf } from "../support/marked.js";
import { type Running, rekeyIn } from "../support/rekey.js";

const testMsMax = 400_000;
const untilMsMax = 120_000;

/** The program in an empty folder. What it needs for a while it puts into `temporary`, whose path every process of it knows. */
async function prepared(more: Readonly<Record<string, string>> = {}) {
  const folder = await mkdtemp(join(tmpdir(), "rekey-show-"));
  const temporary = join(folder, "tmp");
  await mkdir(temporary);
  // PostgreSQL does not run as root: whoever it runs as has to get through.
  for (const path of [folder, temporary]) await chmod(path, 0o711);
  onTestFinished(async () => {
    for (const pid of await knowing(temporary)) process.kill(pid, "SIGKILL");
    await rm(folder, { recursive: true, force: true });
  });
  const tools = ["REKEY_CACHE", temporalPin.envName].flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  const env = { ...Object.fromEntries(tools), TMPDIR: temporary, ...more };
  return { temporary, rekey: rekeyIn(folder, env) };
}

/** Files that are left. A copy of PostgreSQL's programs that its own user can read is kept for the next run, as any cache. */
async function leftIn(folder: string): Promise<string[]> {
  return (await readdir(folder)).filter((name) => !name.startsWith("rekey-postgres-"));
}

async function until<T>(what: string, run: Running, look: () => Promise<T | undefined> | T | undefined) {
  const deadline = Date.now() + untilMsMax;
  for (;;) {
    const seen = await look();
    if (seen !== undefined) return seen;
    if (Date.now() > deadline || run.child.exitCode !== null)
      throw new Error(`it never came to this: ${what}\n${run.printed()}`);
    await pause(50);
  }
}

test(
  "all acts: 0, with the counts and the time it took, and neither a process nor a file is left",
  async () => {
    const { temporary, rekey } = await prepared();
    const { code, stdout } = await rekey.run("demo");
    expect([code, stdout.match(/^Act \d/gm)], stdout).toEqual([0, ["Act 1", "Act 2", "Act 3"]]);
    expect(stdout.match(/✓ [1-9]\d* requests \(\d+ a second\), 0 failed/g)).toHaveLength(3);
    expect(stdout).toMatch(/^[1-9]\d* requests, 0 failed, [1-9]\d* a second\.$/m);
    expect(stdout).toContain("Every password that was replaced is refused.");
    process.stdout.write(`demo: ${/^The whole took .*$/m.exec(stdout)?.[0]}\n`);
    expect(await knowing(temporary)).toEqual([]);
    expect(await leftIn(temporary)).toEqual([]);
  },
  testMsMax,
);

test(
  "KEEP=1 leaves its files for a look, and no process",
  async () => {
    const { temporary, rekey } = await prepared({ KEEP: "1" });
    const { code, stdout } = await rekey.run("demo", "--act", "1");
    expect(code).toBe(0);
    const kept = /^Files are left in (.*)\.$/m.exec(stdout)?.[1] ?? "";
    expect(kept.startsWith(temporary)).toBe(true);
    expect(await readdir(kept)).toEqual(expect.arrayContaining(["live", "staging"]));
    expect(await knowing(temporary)).toEqual([]);
  },
  testMsMax,
);

test(
  "a service that dies under it makes it end with 1, and nothing is left all the same",
  async () => {
    const { temporary, rekey } = await prepared();
    const run = rekey.start("demo", "--act", "1");
    const victim = await until("the services work", run, async () => {
      if (!run.printed().includes("Act 1")) return undefined;
      const pids = await knowing(temporary);
      const words = await Promise.all(pids.map(wordsOf));
      return pids[words.findIndex((text) => text.includes("sighup-service"))];
    });
    process.kill(victim, "SIGKILL");
    const { code, stdout } = await run.ended;
    expect(code).toBe(1);
    expect(stdout).toMatch(/, [1-9]\d* failed/);
    expect(await knowing(temporary)).toEqual([]);
    expect(await leftIn(temporary)).toEqual([]);
  },
  testMsMax,
);

test.each(["SIGINT", "SIGTERM"] as const)(
  "%s in the middle ends everything",
  async (signal) => {
    const { temporary, rekey } = await prepared();
    const run = rekey.start("demo", "--act", "1");
    await until("it plays", run, () => (run.printed().includes("olivia signs") ? true : undefined));
    run.child.kill(signal);
    expect((await run.ended).code).toBe(1);
    expect(await knowing(temporary)).toEqual([]);
    expect(await leftIn(temporary)).toEqual([]);
  },
  testMsMax,
);
