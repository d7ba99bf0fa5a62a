/**
 * Starts our own TypeScript programs as processes of their own, as a user would: compiled first, because what
 * a test file imports runs inside the test's process.
 */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const root = fileURLToPath(new URL("../..", import.meta.url));
/** How long a program may take to end by itself, on a machine that is busy. */
const stopMsMax = 20_000;

/** Compiled programs, in a folder of this test file's own. */
export interface Compiled {
  /** Starts a program by its path from the root, without `.ts`. Its first line of output is JSON and means "ready". */
  start<Ready>(path: string, env: NodeJS.ProcessEnv): Promise<Started<Ready>>;
  /** Ends what still runs and removes the folder. */
  close(): Promise<void>;
}

/** A running program. `output` is all that it has printed. */
export interface Started<Ready> {
  readonly ready: Ready;
  readonly child: ChildProcess;
  readonly output: string[];
  /** SIGTERM, and the exit code that came of it. */
  stop(): Promise<number | null>;
}

/** Compiles the programs and what they import. Type errors are the type-checker's business, not this one's. */
export async function compile(paths: readonly string[]): Promise<Compiled> {
  const parent = join(root, ".cache", "test");
  await mkdir(parent, { recursive: true });
  // Inside the project, so that the programs find node_modules and package.json.
  const folder = await mkdtemp(join(parent, "programs-"));
  const options = ["--ignoreConfig", "--noCheck", "--module", "nodenext", "--target", "es2023"];
  await promisify(execFile)(
    process.execPath,
    [
      join(root, "node_modules", "typescript", "bin", "tsc"),
      ...options,
      ...["--rootDir", root, "--outDir", folder],
      ...paths.map((path) => join(root, `${path}.ts`)),
    ],
    { cwd: root, timeout: 60_000 },
  );
  const running = new Set<Started<unknown>>();
  return {
    async start<Ready>(path: string, env: NodeJS.ProcessEnv) {
      const started = await startProgram<Ready>(join(folder, `${path}.js`), env);
      running.add(started);
      started.child.once("exit", () => running.delete(started));
      return started;
    },
    async close() {
      await Promise.all([...running].map((started) => started.stop()));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function startProgram<Ready>(file: string, env: NodeJS.ProcessEnv): Promise<Started<Ready>> {
  const child = spawn(process.execPath, [file], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output: string[] = [];
  const exited = once(child, "exit");
  child.stderr?.on("data", (chunk: Buffer) => output.push(chunk.toString()));
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  lines.on("line", (line) => output.push(line));
  const ready = await Promise.race([
    once(lines, "line").then(([line]) => JSON.parse(line as string) as Ready),
    exited.then(() => {
      throw new Error(`${file} ended before it was ready: ${output.join("\n")}`);
    }),
  ]);
  return {
    ready,
    child,
    output,
    async stop() {
      const kill = setTimeout(() => child.kill("SIGKILL"), stopMsMax);
      if (child.exitCode === null && child.signalCode === null) {
        child.kill("SIGTERM");
        await exited;
      }
      clearTimeout(kill);
      return child.exitCode;
    },
  };
}
