/** `rekey validate`: everything that is wrong with an estate, before anybody relies on it. Needs no server. */
import { exitCodes } from "../../../domain/errors.js";
import { sections } from "../../../domain/estate/schema.js";
import { type SubmittedEntry, submissionOf } from "../../../inventory/submission.js";
import { refuseLongExceptions } from "../../estate/exceptions.js";
import { isFolder, readFolder } from "../../estate/folder.js";
import { formatProblems } from "../../estate/format.js";
import { loadEstate } from "../../estate/load.js";
import { command, fileOption } from "../command.js";
import { count } from "../format/layout.js";

/** Checks the file, or the folder, and prints every problem, or what it holds. */
export const validate = command<{ file: string }>({
  usage: "validate",
  summary: "Check estate.yaml and list everything that is wrong with it",
  options: [fileOption()],
  examples: [
    ["rekey validate", "check estate.yaml in this folder"],
    ["rekey validate -f prod/estate.yaml --json", "for an editor or a pipeline"],
  ],
  async run(cli, _args, { file }) {
    const { kinds } = cli.deps;
    const result = (await isFolder(file))
      ? await readFolder(file, kinds, null)
      : await loadEstate(file, kinds);
    if (!result.ok) {
      cli.show({ valid: false, problems: result.problems }, "");
      if (!cli.json) cli.io.stderr.write(`${formatProblems(result.problems)}\n`);
      return exitCodes.usage;
    }
    const { digest, entries } =
      "submission" in result ? result.submission : submissionOf(result.estate, result.digest);
    await refuseLongExceptions(entries, async () => ({}), cli.io.now());
    cli.show(
      { valid: true, file, digest },
      () => `${cli.paint("good", "valid")}  ${file}: ${contents(entries)}`,
    );
    return exitCodes.done;
  },
});

/** `3 credentials, 5 consumers, …`: what the file holds, for the eye. */
function contents(entries: readonly SubmittedEntry[]): string {
  if (entries.length === 0) return "an empty estate, which names its installation and declares nothing";
  const singular = { policies: "policy" } as Partial<Record<string, string>>;
  return sections
    .map((section) => [section, entries.filter((entry) => entry.section === section).length] as const)
    .filter(([, number]) => number > 0)
    .map(([section, number]) => count(number, singular[section] ?? section.slice(0, -1), section))
    .join(", ");
}
