/** How a failure leaves the program: *error*, then *hint*, in one voice, and an exit code that a script can read. */
import { CommanderError } from "commander";
import { exitCodeOf, exitCodes, RekeyError } from "../../domain/errors.js";
import type { Paint } from "./format/style.js";

/** Ctrl-C while waiting: nothing was cancelled, and nothing is known of the end. The shells' own number for it. */
export const detachedCode = 130;

/** Thrown by `watch` and `--wait` when the person has seen enough. `comeBack` is the command that continues. */
export class Detached extends Error {
  constructor(readonly comeBack: string) {
    super("detached");
  }
}

/** What is printed about a failure, and how the process ends. */
export interface Failed {
  readonly code: string;
  readonly error: string;
  readonly hint: string;
  readonly exitCode: number;
}

/** Any failure of a command in the program's own words. A foreign one is reported by its class only: its text may quote anything. */
export function failureOf(failure: unknown, command?: string): Failed {
  if (failure instanceof CommanderError) return usage(failure, command);
  const known = failure instanceof RekeyError ? failure : foreign(failure);
  return { code: known.code, error: known.message, hint: known.hint, exitCode: exitCodeOf(known.code) };
}

/** Commander's message is `error: …`, with a suggestion in brackets on a line of its own. */
function usage(failure: CommanderError, command: string | undefined): Failed {
  const [first = "", suggestion = ""] = failure.message.replace(/^error: /, "").split("\n");
  const meant = /Did you mean (?:one of )?(.+?)\?\)?$/.exec(suggestion)?.[1];
  const hint =
    meant === undefined
      ? `see \`rekey ${command === undefined ? "" : `${command} `}--help\``
      : `did you mean ${meant}?`;
  return { code: "bad-input", error: sentence(first), hint: sentence(hint), exitCode: exitCodes.usage };
}

function sentence(text: string): string {
  const begun = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.?!]$/.test(begun) ? begun : `${begun}.`;
}

const absent = new Set(["ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "ENOTFOUND", "EHOSTUNREACH", "EAI_AGAIN"]);

function foreign(failure: unknown): RekeyError {
  const code = failure instanceof Error && "code" in failure ? String(failure.code) : "";
  if (absent.has(code)) {
    return new RekeyError("unreachable", "Nothing is listening.", "Start everything with `rekey up`.");
  }
  const name = failure instanceof Error ? failure.constructor.name : typeof failure;
  return new RekeyError("internal", `The program met a failure that it does not know (${name}).`);
}

/** The two lines for people. */
export function failureText({ error, hint }: Failed, paint: Paint): string {
  return `${paint("bad", "error:")} ${error}\n${hint === "" ? "" : `${paint("name", "hint:")} ${hint}\n`}`;
}

/** The same as an object, for `--json`. */
export function failureJson({ code, error, hint }: Failed): string {
  return `${JSON.stringify({ code, error, hint })}\n`;
}
