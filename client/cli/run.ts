/** One run of the command line, from the words that were typed to an exit code. Nothing escapes as an exception. */
import { CommanderError } from "commander";
import { exitCodes } from "../../domain/errors.js";
import { cliOf } from "./cli.js";
import type { CliDeps, Clock, Services } from "./deps.js";
import { Detached, detachedCode, failureJson, failureOf, failureText } from "./failure.js";
import { painter } from "./format/style.js";
import { programFor } from "./program.js";

/** Longest wait for connections to close; the process must end even where a server is gone. */
const closeMsMax = 2_000;

/** Runs one command and answers with the exit code (domain/errors.ts). `argv` is without node and script. */
export async function run(argv: readonly string[], deps: CliDeps): Promise<number> {
  const { io } = deps;
  // `rekey status | head -1` is no failure: what nobody reads is not written, and the command ends as it would.
  for (const output of [io.stdout, io.stderr]) output.on?.("error", () => undefined);
  const json = asksJson(argv);
  let connected: Promise<Services> | undefined;
  let known: Clock | undefined;
  let code: number = exitCodes.done;
  const services = async () => {
    connected ??= deps.connect();
    const opened = await connected;
    known = opened.clock;
    return opened;
  };
  const clock: Clock = { now: () => (known ?? io).now(), agree: async () => known?.agree() };
  const program = programFor(
    async (spec, args, options) => {
      code = await spec.run(cliOf(deps, json, { services, clock }), args, options);
    },
    deps.version,
    (text) => io.stdout.write(text),
  );
  try {
    if (argv.length === 0) {
      program.outputHelp();
      return exitCodes.usage;
    }
    await program.parseAsync([...argv], { from: "user" });
    return code;
  } catch (failure) {
    if (isAnswered(failure)) return exitCodes.done;
    if (failure instanceof Detached) return detach(deps, json, failure);
    const named = program.commands.find((one) => one.name() === argv[0])?.name();
    const failed = failureOf(failure, named);
    io.stderr.write(json ? failureJson(failed) : failureText(failed, painter(io.stderr, io.env)));
    return failed.exitCode;
  } finally {
    await connected?.then(close, () => undefined);
  }
}

/** Asked before parsing, because an error in the words must be answered in the same form. What follows `--` are names. */
function asksJson(argv: readonly string[]): boolean {
  const end = argv.indexOf("--");
  return argv.slice(0, end === -1 ? argv.length : end).includes("--json");
}

/** True for what commander throws when it has shown the help or the version. */
function isAnswered(failure: unknown): boolean {
  return failure instanceof CommanderError && /^commander\.(help|version)/.test(failure.code);
}

function detach({ io }: CliDeps, json: boolean, { comeBack }: Detached): number {
  const text = `It goes on without you. Come back with \`${comeBack}\`.`;
  io.stderr.write(json ? `${JSON.stringify({ detached: true, comeBack })}\n` : `\n${text}\n`);
  return detachedCode;
}

async function close(services: Services): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, closeMsMax);
  });
  await Promise.race([services.close().catch(() => undefined), late]);
  clearTimeout(timer);
}
