/** What every command is given: the dependencies, where to print, and the one connection of this run. */
import { RekeyError } from "../../domain/errors.js";
import type { CliDeps, Clock, Io, Services } from "./deps.js";
import { type Paint, painter, plain } from "./format/style.js";

/** One run of the program. */
export interface Cli {
  readonly deps: CliDeps;
  readonly io: Io;
  /** `--json` was given: one object on standard output, and nothing else there. */
  readonly json: boolean;
  /** Colours for standard output; none with `--json`. */
  readonly paint: Paint;
  /** Colours for standard error. */
  readonly paintError: Paint;
  /** Connects at the first call; `run` closes. */
  services(): Promise<Services>;
  /** Milliseconds since the epoch by the installation's clock (H38); by this machine's as long as nothing is connected. */
  now(): number;
  /** Prints a result: the object with `--json`, otherwise the text. `text` may be empty. */
  show(object: unknown, text: string | (() => string)): void;
  /** A remark for people, on standard error; silent with `--json`. */
  note(text: string): void;
  /** Asks before something that cannot simply be undone; true at once with `--yes`. Throws `bad-input` when nobody can answer. */
  confirm(question: string, yes: boolean): Promise<boolean>;
}

/** Makes the run's context. `services` is shared with whoever closes it. */
export function cliOf(
  deps: CliDeps,
  json: boolean,
  { services, clock }: { readonly services: () => Promise<Services>; readonly clock: Clock },
): Cli {
  const { io } = deps;
  return {
    deps,
    io,
    json,
    paint: json ? plain : painter(io.stdout, io.env),
    paintError: painter(io.stderr, io.env),
    services,
    now: () => clock.now(),
    show(object, text) {
      const shown = json ? JSON.stringify(object, null, 2) : typeof text === "string" ? text : text();
      if (shown !== "") io.stdout.write(`${shown}\n`);
    },
    note(text) {
      if (!json) io.stderr.write(`${text}\n`);
    },
    async confirm(question, yes) {
      const agreed = await confirm(io, question, yes);
      // An answer may take a night, and the machine sleep meanwhile.
      await clock.agree();
      return agreed;
    },
  };
}

async function confirm(io: Io, question: string, yes: boolean): Promise<boolean> {
  if (yes) return true;
  if (io.stdin.isTTY !== true) {
    throw new RekeyError(
      "bad-input",
      "This asks before it acts, and standard input is no terminal.",
      "Look at it first, then add --yes.",
    );
  }
  io.stderr.write(`${question} [y/N] `);
  const answer = await firstLine(io);
  return /^y(es)?$/i.test(answer.trim());
}

async function firstLine(io: Io): Promise<string> {
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of io.stdin) {
    text += typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true });
    if (text.includes("\n")) break;
  }
  return text.split("\n")[0] ?? "";
}
