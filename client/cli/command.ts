/**
 * How a command is declared: its words, its options and its examples in one place, so that `--help`, the
 * completion and the documentation say the same.
 */
import { Command, Option } from "commander";
import type { Cli } from "./cli.js";

/** A command line and what it is good for. */
type Example = readonly [line: string, what: string];

/** One command. `Options` are what commander makes of its flags. */
export interface CommandSpec<Options> {
  /** Name and arguments as commander reads them: `rotate <credential>`. */
  readonly usage: string;
  /** One line, in the list of commands. */
  readonly summary: string;
  /** What more there is to say; follows the summary in the command's own help. */
  readonly description?: string;
  /** What each argument is, by its name. */
  readonly arguments?: Readonly<Record<string, string>>;
  readonly options?: readonly Option[];
  readonly examples: readonly Example[];
  /** Does it, and answers with the exit code. */
  run(cli: Cli, args: readonly string[], options: Options): Promise<number>;
}

/** A command whose options' type is no longer of interest. */
export type AnyCommand = CommandSpec<Record<string, unknown>>;

/** Declares a command, with the type of its options. */
export function command<Options>(spec: CommandSpec<Options>): AnyCommand {
  return spec as unknown as AnyCommand;
}

/** A flag, with its description. */
export function option(flags: string, description: string): Option {
  return new Option(flags, description);
}

/** `--yes`, for what asks first. */
export function yesOption(): Option {
  return option("-y, --yes", "do not ask");
}

/** `--file`, for what reads an estate. */
export function fileOption(what = "the estate: a file, or a folder of them"): Option {
  return option("-f, --file <path>", what).default("estate.yaml");
}

/** Names of the options that say who is speaking. */
export interface AsOptions {
  readonly as?: string;
  readonly key?: string;
}

/** `--as` and `--key`, for what is signed. */
export function asOptions(): Option[] {
  return [
    option(
      "--as <person>",
      "who is speaking, by the name in the estate (default: the key's, or REKEY_PERSON)",
    ),
    option("--key <file>", "the person's private key (default: REKEY_KEY, or ~/.config/rekey/key.json)"),
  ];
}

/** Turns a declaration into commander's object. `act` runs the command with what was read. */
export function build(
  spec: AnyCommand,
  act: (spec: AnyCommand, args: readonly string[], options: Record<string, unknown>) => Promise<void>,
): Command {
  const made = new Command(spec.usage.split(" ")[0] ?? "").summary(spec.summary);
  // Lines are broken where the text is written for its readers here; the terminal's width breaks them anew.
  const more = spec.description?.replaceAll(/(?<!\n)\n(?!\n)/g, " ");
  made.description(more === undefined ? `${spec.summary}.` : `${spec.summary}.\n\n${more}`);
  for (const word of spec.usage.split(" ").slice(1)) {
    made.argument(word, spec.arguments?.[word.replaceAll(/[<>[\].]/g, "")] ?? "");
  }
  for (const one of spec.options ?? []) made.addOption(one);
  made.option("--json", "print the same as an object");
  made.addHelpText("after", () => examplesText(spec.examples));
  made.action(async (...given: unknown[]) => {
    // Commander hands over the arguments one by one, then the options, then itself.
    const args = given
      .slice(0, -2)
      .flatMap((arg) => (Array.isArray(arg) ? arg : arg === undefined ? [] : [arg]));
    await act(spec, args.map(String), made.opts());
  });
  return made;
}

function examplesText(examples: readonly Example[]): string {
  return `\nExamples:\n${examples.map(([line, what]) => `  # ${what}\n  ${line}`).join("\n")}`;
}
