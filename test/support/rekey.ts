/** Runs the program that users have, `dist/bin/rekey.js`, as a process of its own: nothing in here reaches inside it. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { nodeEnv } from "./node-env.js";

const program = fileURLToPath(new URL("../../dist/bin/rekey.js", import.meta.url));

/** How one run ended. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A run that goes on. */
export interface Running {
  readonly child: ChildProcess;
  /** What it has printed on both so far. */
  printed(): string;
  readonly ended: Promise<Ended>;
}

/** The program in a folder with this environment, and nothing of the test's own but the way to its tools. */
export interface Rekey {
  start(...argv: readonly string[]): Running;
  /** Runs to the end. */
  run(...argv: readonly string[]): Promise<Ended>;
  /** Runs to the end, which has to be a good one, and answers with what `--json` prints. */
  json<T>(...argv: readonly string[]): Promise<T>;
}

/** Prepares runs in `folder`, which is HOME too. */
export function rekeyIn(folder: string, env: NodeJS.ProcessEnv): Rekey {
  const start: Rekey["start"] = (...argv) => {
    const child = spawn(process.execPath, [program, ...argv], {
      cwd: folder,
      env: { ...nodeEnv(), HOME: folder, ...env },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    let [stdout, stderr] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    const ended = once(child, "close").then(([code]) => ({ code: code as number | null, stdout, stderr }));
    return { child, printed: () => stdout + stderr, ended };
  };
  const run: Rekey["run"] = (...argv) => start(...argv).ended;
  return {
    start,
    run,
    json: async <T>(...argv: readonly string[]) => {
      const { code, stdout, stderr } = await run(...argv, "--json");
      if (code !== 0) throw new Error(`rekey ${argv.join(" ")} ended with ${code}: ${stdout}${stderr}`);
      return JSON.parse(stdout) as T;
    },
  };
}
