/**
 * Starts a server as a child process that cannot outlive us. A killed parent runs no handler, so each server
 * gets a guard: a tiny shell that holds one end of a pipe and ends the server when the other end closes,
 * however this process ended.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream } from "node:fs";
import { RekeyError } from "../../domain/errors.js";
import type { Secret } from "../../domain/secret.js";

/** How to start one server and how to know that it is ready. */
export interface ChildOptions {
  /** The server's name in errors. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Besides the few variables that every server gets. */
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Run as this user; only possible for root. */
  readonly user?: { readonly uid: number; readonly gid: number } | undefined;
  /** Resolves to true once the server answers; called every 50 ms. `output` is what the server printed so far. */
  readonly ready: (output: string) => Promise<boolean> | boolean;
  readonly readyMsMax: number;
  /** The signal of an orderly end; `SIGKILL` follows when it has not ended after `stopMsMax`. */
  readonly stopSignal: NodeJS.Signals;
  readonly stopMsMax?: number;
  /** Values that the server may print and that must not reach an error message. */
  readonly redact?: readonly Secret[];
  /** A file that gets everything that the server prints; only its owner can read it. */
  readonly logFile?: string | undefined;
  /** A folder that the guard removes after the server's end, if this process cannot do it itself. */
  readonly removeAfter?: string | undefined;
}

/** A server that runs. */
export interface Child {
  readonly pid: number;
  /** What the server printed last (both streams, at most 16 KiB), for error reports. */
  output(): string;
  /** Resolves when the server has ended, whoever ended it. */
  readonly ended: Promise<void>;
  /** Ends the server and resolves once it is gone; a second call waits for the same end. */
  stop(): Promise<void>;
}

const outputMax = 16 * 1024;

/** What a server needs of ours. Anything else may be a secret that only the engine is to know (I6). */
const usualVariables = /^(PATH|HOME|USER|LOGNAME|LANG|LC_\w+|TZ|TMPDIR|LD_LIBRARY_PATH)$/;

// `read` returns only when the parent wrote "done" or when the pipe closed because the parent is gone.
const guardScript = `
trap '' INT TERM HUP
read -r word
if [ "$word" != done ]; then
  kill -s "$2" "$1" 2>/dev/null
  n=0
  while kill -0 "$1" 2>/dev/null && [ $n -lt 50 ]; do sleep 0.1; n=$((n + 1)); done
  kill -s KILL "$1" 2>/dev/null
  if [ -n "$3" ]; then rm -rf "$3"; fi
fi
`;

/**
 * Starts the server and waits until it is ready. Throws `missing-setup` when the program cannot be started,
 * when it ends early or when it is not ready in time; nothing is left running then.
 */
export async function startChild(options: ChildOptions): Promise<Child> {
  const child = spawn(options.command, options.args, {
    stdio: ["ignore", "pipe", "pipe"],
    // A group of its own: Ctrl-C reaches us, and we end servers in our order.
    detached: true,
    env: { ...usualEnvironment(), ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.user === undefined ? {} : options.user),
  });
  let output = "";
  const keep = (chunk: Buffer): void => {
    output = (output + chunk.toString("utf8")).slice(-outputMax);
  };
  const log = options.logFile === undefined ? null : createWriteStream(options.logFile, { mode: 0o600 });
  // A log that cannot be written is no reason to end the server, nor us.
  log?.on("error", () => undefined);
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", keep);
    if (log !== null) stream?.on("data", (chunk: Buffer) => log.write(chunk));
  }
  child.once("close", () => log?.end());
  const ended = new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
    child.once("error", () => resolve());
  });
  const failed = new Promise<Error | undefined>((resolve) => {
    child.once("error", resolve);
    child.once("spawn", () => resolve(undefined));
  });
  const failure = await failed;
  const pid = child.pid;
  if (failure !== undefined || pid === undefined) {
    throw new RekeyError("missing-setup", `${options.name} could not be started from ${options.command}`);
  }
  const guard = startGuard(pid, options);
  // Once the server is gone its process id may be given to somebody else: the guard must not use it then.
  void ended.then(() => dismiss(guard));

  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    stopping ??= end(child, ended, options);
    return stopping;
  };
  try {
    await untilReady(child, options, () => redacted(output, options.redact ?? []));
  } catch (error) {
    await stop();
    throw error;
  }
  // A server must not keep a program alive that has nothing else to do.
  child.unref();
  for (const stream of [child.stdout, child.stderr]) (stream as unknown as { unref(): void }).unref();
  return { pid, output: () => redacted(output, options.redact ?? []), ended, stop };
}

function usualEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => usualVariables.test(name)));
}

function startGuard(pid: number, options: ChildOptions): ChildProcess {
  const guard = spawn(
    "sh",
    ["-c", guardScript, "rekey-guard", String(pid), options.stopSignal.slice(3), options.removeAfter ?? ""],
    {
      stdio: ["pipe", "ignore", "ignore"],
      detached: true,
      cwd: "/",
      env: usualEnvironment(),
    },
  );
  guard.on("error", () => undefined);
  guard.stdin.on("error", () => undefined);
  guard.unref();
  (guard.stdin as unknown as { unref(): void }).unref();
  return guard;
}

function dismiss(guard: ChildProcess): void {
  guard.stdin?.end("done\n");
}

async function untilReady(child: ChildProcess, options: ChildOptions, output: () => string): Promise<void> {
  const deadline = Date.now() + options.readyMsMax;
  for (;;) {
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new RekeyError("missing-setup", `${options.name} ended while starting: ${lastLines(output())}`);
    }
    if (await options.ready(output())) return;
    if (Date.now() > deadline) {
      const seconds = Math.round(options.readyMsMax / 1000);
      throw new RekeyError(
        "missing-setup",
        `${options.name} was not ready after ${seconds} s: ${lastLines(output())}`,
      );
    }
    await sleep(50);
  }
}

async function end(child: ChildProcess, ended: Promise<void>, options: ChildOptions): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.ref();
  child.kill(options.stopSignal);
  const timer = setTimeout(() => killGroup(child), options.stopMsMax ?? 10_000);
  await ended;
  clearTimeout(timer);
}

function killGroup(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
  } catch {
    // Already gone: that is what was wanted.
  }
}

function redacted(text: string, secrets: readonly Secret[]): string {
  return secrets.reduce((rest, secret) => rest.replaceAll(secret.reveal(), "[secret]"), text);
}

function lastLines(text: string): string {
  return text.trim().split("\n").slice(-5).join(" | ");
}

/** Resolves after `ms` milliseconds. */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
