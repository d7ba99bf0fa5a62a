/** `rekey completion`: commands and options behind the tab key, written from the same declarations as `--help`. */
import type { Command } from "commander";
import { exitCodes } from "../../../domain/errors.js";
import { knownName } from "../choose.js";
import { type AnyCommand, command } from "../command.js";

/** A command with the words that may follow it. */
interface Words {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly { readonly flag: string; readonly what: string }[];
}

const shells = { bash, zsh, fish } as const;

/** The command; `program` is asked when it runs, because the command is itself part of it. */
export function completion(program: () => Command): AnyCommand {
  return command({
    usage: "completion <shell>",
    summary: "Print the completion script of a shell",
    arguments: { shell: "bash, zsh or fish" },
    examples: [
      ["source <(rekey completion bash)", "in ~/.bashrc"],
      ["rekey completion zsh > ~/.zfunc/_rekey", "with ~/.zfunc in fpath"],
      ["rekey completion fish > ~/.config/fish/completions/rekey.fish", "for fish"],
    ],
    async run(cli, [shell = ""]) {
      const known = knownName(shell, Object.keys(shells), "completion for") as keyof typeof shells;
      cli.io.stdout.write(shells[known](wordsOf(program())));
      return exitCodes.done;
    },
  });
}

function wordsOf(program: Command): Words[] {
  return program.commands.map((one) => ({
    name: one.name(),
    summary: one.summary(),
    options: [...one.options, { long: "--help", description: "show the command's help" }].flatMap(
      ({ long, description }) => (long ? [{ flag: long, what: description }] : []),
    ),
  }));
}

function bash(words: readonly Words[]): string {
  const cases = words.map(
    ({ name, options }) => `    ${name}) words="${options.map(({ flag }) => flag).join(" ")}" ;;`,
  );
  return `# Completion of rekey for bash: source <(rekey completion bash)
_rekey() {
  local words
  if [ "$COMP_CWORD" -eq 1 ]; then
    words="${words.map(({ name }) => name).join(" ")}"
  else
    case "\${COMP_WORDS[1]}" in
${cases.join("\n")}
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _rekey rekey
`;
}

function zsh(words: readonly Words[]): string {
  const commands = words.map(({ name, summary }) => `    ${quoted(`${name}:${summary}`)}`);
  const cases = words.map(({ name, options }) => {
    const each = options.map(({ flag, what }) => quoted(`${flag}[${what.replaceAll(/[[\]:]/g, " ")}]`));
    return `    ${name}) _arguments ${each.join(" ")} '*:file:_files' ;;`;
  });
  return `#compdef rekey
# Completion of rekey for zsh.
_rekey() {
  local -a commands
  commands=(
${commands.join("\n")}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local name=$words[2]
  shift words
  (( CURRENT-- ))
  case $name in
${cases.join("\n")}
  esac
}
if [ "$funcstack[1]" = _rekey ]; then _rekey "$@"; else compdef _rekey rekey; fi
`;
}

function fish(words: readonly Words[]): string {
  const lines = words.flatMap(({ name, summary, options }) => [
    `complete -c rekey -n __fish_use_subcommand -f -a ${name} -d ${quoted(summary)}`,
    ...options.map(
      ({ flag, what }) =>
        `complete -c rekey -n '__fish_seen_subcommand_from ${name}' -l ${flag.slice(2)} -d ${quoted(what)}`,
    ),
  ]);
  return `# Completion of rekey for fish.\n${lines.join("\n")}\n`;
}

/** One word for any of the three shells. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "’")}'`;
}
