/**
 * Runs a program of the user's own: no shell, JSON in, JSON out, a bare environment, a deadline that also
 * reaches the processes it started, and no word of what it printed in any error.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { access, constants } from "node:fs/promises";
import { basename, delimiter, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { RekeyError } from "../../domain/errors.js";
import type { Call } from "../ports.js";

/** How the program is started. `environment` names the variables of ours that it gets besides the usual few. */
export interface Program {
  readonly command: readonly string[];
  readonly environment: readonly string[];
  readonly workingDirectory?: string | undefined;
  readonly timeoutMs: number;
}

/** Needed to find programs and to write text; nothing that could hold a secret. */
const usualVariables = ["PATH", "LANG", "LC_ALL", "TZ"];

const outputBytesMax = 1024 * 1024;

/** From the polite signal to the one that cannot be ignored. */
const graceMs = 2_000;

/** Exit codes with a meaning, as sysexits.h has them. */
const exits = { unsupported: 64, temporary: 75, notPermitted: 77 } as const;

/** The settings that every kind has which runs a program. */
export const programFields = {
  command: z
    .array(z.string())
    .refine(([file]) => file !== undefined && file !== "", { error: "expected a program's name first" })
    .describe("The program and its arguments, each an entry of its own; no shell is involved."),
  environment: z
    .array(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, { error: "expected the name of a variable" }))
    .prefault([])
    .describe("Environment variables that the program gets besides PATH, LANG, LC_ALL and TZ."),
  workingDirectory: z.string().min(1).optional().describe("Where it runs; absent: where the engine runs."),
} as const;

/** Whether there is a program of that name that this user may start; it is not started. */
export async function isProgram({ command, workingDirectory }: Program): Promise<boolean> {
  const [file = ""] = command;
  const places = file.includes("/")
    ? [resolve(workingDirectory ?? ".", file)]
    : (process.env.PATH ?? "").split(delimiter).map((folder) => join(folder, file));
  const allowed = await Promise.all(
    places.map((place) =>
      access(place, constants.X_OK).then(
        () => true,
        () => false,
      ),
    ),
  );
  return allowed.includes(true);
}

/**
 * Runs the program with `input` as JSON on its standard input and gives back what it wrote on its standard
 * output; its standard error is dropped. Throws `missing-setup` when it cannot be started, `unreachable` when
 * it is not done in time or says so (exit code 75), `not-permitted` (77), `unsupported` (64), and
 * `proof-failed` for any other exit code and for too much output.
 */
export async function runProgram(program: Program, input: object, call: Call): Promise<string> {
  const name = programName(program);
  const signal = AbortSignal.any([call.signal, AbortSignal.timeout(program.timeoutMs)]);
  if (signal.aborted) throw late(name);
  const child = start(program);
  const output = collect(child);
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once("error", () => reject(new RekeyError("missing-setup", `${name} could not be started.`)));
    child.once("close", (code) => resolve(code));
    // A process that it left behind may hold the pipe open; the program itself is done.
    child.once("exit", (code) => setTimeout(() => resolve(code), 500).unref());
  });
  ended.catch(() => undefined);
  child.stdin?.on("error", () => undefined);
  child.stdin?.end(JSON.stringify(input));
  let code: number | null;
  try {
    code = await Promise.race([ended, whenAborted(signal, name), output.overflow(name)]);
  } catch (error) {
    await stop(child, ended);
    throw error;
  } finally {
    endGroup(child, "SIGKILL");
    child.stdout?.destroy();
  }
  if (code !== 0) throw exitError(name, code);
  return output.text();
}

/** The output as the schema wants it. The error names the fields that are wrong and nothing that stood in them. */
export function parseOutput<S extends z.ZodType>(schema: S, text: string, what: string): z.output<S> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new RekeyError("proof-failed", `${what} gave an answer that is not JSON.`);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const places = [...new Set(parsed.error.issues.map((issue) => issue.path.join(".") || "the whole"))];
  throw new RekeyError(
    "proof-failed",
    `${what} gave an answer of the wrong shape, at: ${places.join(", ")}.`,
  );
}

/** What a program is called in sentences: its file name without folders and arguments, which may say too much. */
export function programName(program: { readonly command: readonly string[] }): string {
  return `The program ${basename(program.command[0] ?? "")}`;
}

function start(program: Program): ChildProcess {
  const names = [...usualVariables, ...program.environment];
  const env = Object.fromEntries(
    names.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  );
  const [file = "", ...parameters] = program.command;
  return spawn(file, parameters, {
    env,
    // Its own process group, so that what it starts ends with it.
    detached: true,
    stdio: ["pipe", "pipe", "ignore"],
    ...(program.workingDirectory === undefined ? {} : { cwd: program.workingDirectory }),
  });
}

function collect(child: ChildProcess) {
  const chunks: Buffer[] = [];
  let bytes = 0;
  let tooMuch = () => {};
  const overflow = new Promise<void>((resolve) => {
    tooMuch = resolve;
  });
  child.stdout?.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= outputBytesMax) chunks.push(chunk);
    else tooMuch();
  });
  return {
    text: () => Buffer.concat(chunks).toString("utf8"),
    overflow: async (name: string): Promise<never> => {
      await overflow;
      throw new RekeyError("proof-failed", `${name} wrote more than ${outputBytesMax} bytes.`);
    },
  };
}

function whenAborted(signal: AbortSignal, name: string): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(late(name)), { once: true });
  });
}

async function stop(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  endGroup(child, "SIGTERM");
  const grace = new AbortController();
  await Promise.race([
    ended.catch(() => undefined),
    sleep(graceMs, undefined, { signal: grace.signal }).catch(() => undefined),
  ]);
  grace.abort();
}

function endGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // The group is gone already, which is what was wanted.
  }
}

function late(name: string): RekeyError {
  return new RekeyError("unreachable", `${name} was not done in time and was stopped.`);
}

function exitError(name: string, code: number | null): RekeyError {
  if (code === null) return new RekeyError("unreachable", `${name} was ended by a signal.`);
  if (code === exits.temporary) return new RekeyError("unreachable", `${name} asks to be tried again later.`);
  if (code === exits.notPermitted) return new RekeyError("not-permitted", `${name} lacks a right.`);
  if (code === exits.unsupported) {
    return new RekeyError("unsupported", `${name} does not do what it was asked for.`);
  }
  return new RekeyError("proof-failed", `${name} ended with exit code ${code}.`);
}
