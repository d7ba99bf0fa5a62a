/** `rekey apply`: makes the inventory say what the estate says, after showing what that changes. */
import { exitCodes, RekeyError } from "../../../domain/errors.js";
import type { Applied } from "../../../inventory/estate-apply.js";
import type { EstateChanges } from "../../../inventory/estate-changes.js";
import type { EstateDiff } from "../../../inventory/estate-diff.js";
import type { FindingNews } from "../../../inventory/finding-keep.js";
import { type Submission, submissionOf } from "../../../inventory/submission.js";
import { refuseLongExceptions } from "../../estate/exceptions.js";
import { isFolder, readFolder } from "../../estate/folder.js";
import { formatProblems } from "../../estate/format.js";
import { loadEstate } from "../../estate/load.js";
import type { Cli } from "../cli.js";
import { command, fileOption, option, yesOption } from "../command.js";
import { diffText } from "../format/diff.js";
import { count } from "../format/layout.js";
import { idleExceptions } from "../idle-exceptions.js";
import type { Inventory } from "../inventory.js";
import { requester } from "../person.js";

interface ApplyOptions {
  readonly file: string;
  readonly yes?: boolean;
  readonly dryRun?: boolean;
  readonly rename?: boolean;
  readonly as?: string;
}

/** Shows the difference, asks, applies. */
export const apply = command<ApplyOptions>({
  usage: "apply",
  summary: "Make the inventory say what estate.yaml says",
  description: "Shows what would change and asks first. Nothing is rotated by it.",
  options: [
    fileOption(),
    option("--dry-run", "only show what would change"),
    option("--rename", "the installation has another name in the estate from now on"),
    yesOption(),
    option("--as <person>", "who applies it (default: REKEY_PERSON, or the login name)"),
  ],
  examples: [
    ["rekey apply", "show the difference, ask, apply"],
    ["rekey apply --dry-run", "show the difference"],
    ["rekey apply -f prod/estate.yaml --yes", "in a pipeline, after review"],
  ],
  async run(cli, _args, { file, yes, dryRun, rename, as }) {
    const { submission, changes } = await submissionIn(cli, file);
    const { inventory } = await cli.services();
    const known = async () => (await inventory.shared())?.policies ?? {};
    await refuseLongExceptions(submission.entries, known, cli.now());
    const told = changes ?? (await inventory.changes(submission));
    const { diff } = told;
    if (diff.empty && dryRun !== true) await inventory.notePieces(submission);
    if (diff.empty || dryRun === true) {
      const warnings = await idleExceptions(inventory, submission.entries, cli.now());
      for (const warning of warnings) cli.note(`warning: ${warning}`);
      cli.show({ applied: false, diff, warnings }, () => diffText(diff, cli.paint));
      return exitCodes.done;
    }
    if (rename !== true) refuseAnother(diff, file);
    if (!cli.json) cli.io.stdout.write(`${diffText(diff, cli.paint)}\n`);
    if (!(await cli.confirm("Apply this?", yes === true))) {
      cli.note("Nothing was changed.");
      return exitCodes.failed;
    }
    const applied = await inventory.apply(submission, requester(cli.io, as), told);
    const news = await findingNews(cli, inventory, applied);
    const warnings = news === null ? [] : await idleExceptions(inventory, submission.entries, cli.now());
    for (const warning of warnings) cli.note(`warning: ${warning}`);
    cli.show(
      { applied: true, revision: applied.revision, diff: applied.diff, findings: news, warnings },
      () => `Applied as revision ${applied.revision}.${newsText(news)}`,
    );
    return exitCodes.done;
  },
});

/** An estate that came to the wrong inventory would end all that is in it. Throws `conflict`. */
function refuseAnother({ renamed }: EstateDiff, file: string): void {
  if (renamed === undefined) return;
  throw new RekeyError(
    "conflict",
    `The inventory is that of the installation ${renamed.from}, and ${file} is the estate of ${renamed.to}.`,
    `Look whether the file and REKEY_DATABASE_URL belong together; \`rekey apply --dry-run -f ${file}\` shows what it would change. With --rename the installation takes the new name.`,
  );
}

/** What the change of the estate means for the findings; null, with a remark, where that could not be looked at: it is applied all the same. */
async function findingNews(cli: Cli, inventory: Inventory, applied: Applied): Promise<FindingNews | null> {
  try {
    return await inventory.lookAfter(applied);
  } catch (failure) {
    if (!(failure instanceof RekeyError)) throw failure;
    cli.note(`The findings were not brought up to date: ${failure.message} \`rekey findings\` does it.`);
    return null;
  }
}

function newsText(news: FindingNews | null): string {
  if (news === null) return "";
  const { open, excepted, ended } = news;
  const parts = [
    open === 0 ? "" : `${count(open, "finding")} opened`,
    excepted === 0 ? "" : `${excepted} excepted`,
    ended === 0 ? "" : `${ended} ended`,
  ].filter((part) => part !== "");
  return parts.length === 0 ? "" : ` ${parts.join(", ")}: see \`rekey findings\`.`;
}

/** Of a file all of it; of a folder what the inventory does not know yet, with what that changes. */
async function submissionIn(
  cli: Cli,
  file: string,
): Promise<{ readonly submission: Submission; readonly changes: EstateChanges | null }> {
  const { kinds } = cli.deps;
  const read = (await isFolder(file))
    ? await readFolder(file, kinds, (await cli.services()).inventory.known)
    : await loadEstate(file, kinds);
  if (!read.ok) {
    cli.note(formatProblems(read.problems));
    throw new RekeyError("bad-input", `${file} is not a valid estate.`, `See \`rekey validate -f ${file}\`.`);
  }
  return "submission" in read ? read : { submission: submissionOf(read.estate, read.digest), changes: null };
}
