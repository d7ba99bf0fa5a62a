/** `rekey adopt`: brings an existing login under rotation, as a plan that is shown, agreed to, and can be taken back. */
import { exitCodes, RekeyError } from "../../../domain/errors.js";
import { refusals } from "../../../domain/finding.js";
import type { Cli } from "../cli.js";
import { command, option, yesOption } from "../command.js";
import type { AdoptionPlan } from "../deps.js";
import { indented, section } from "../format/layout.js";
import { findingsText } from "../format/plan.js";
import { credentialNamed } from "../subject.js";

interface AdoptOptions {
  readonly undo?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

/** Shows the steps, asks, and takes them one by one. */
export const adopt = command<AdoptOptions>({
  usage: "adopt <credential>",
  summary: "Bring an existing login under rotation, without an outage",
  description:
    "Shows every step first. Stopped in the middle it can be run again, or taken back with --undo. What only\n" +
    "an administrator may do is printed for them to run.",
  arguments: { credential: "name of a credential of the applied estate" },
  options: [
    option("--dry-run", "only show the steps"),
    option("--undo", "take an adoption back"),
    yesOption(),
  ],
  examples: [
    ["rekey adopt orders-db --dry-run", "what would be done, in order"],
    ["rekey adopt orders-db", "show, ask, do"],
    ["rekey adopt orders-db --undo", "back to the single login"],
  ],
  async run(cli, [name = ""], { undo, dryRun, yes }) {
    const direction = undo === true ? "undo" : "adopt";
    const { id } = await credentialNamed(await cli.services(), name);
    const { adoption } = cli.deps;
    const plan = await adoption.plan(id, direction);
    const left = plan.steps.filter(({ done }) => !done);
    const refused = refusals(plan.findings);
    if (dryRun === true || left.length === 0 || refused.length > 0) {
      cli.show({ credential: name, direction, ...plan }, () => planText(cli, plan, direction));
      return refused.length > 0 ? exitCodes.refused : exitCodes.done;
    }
    if (!cli.json) cli.io.stdout.write(`${planText(cli, plan, direction)}\n\n`);
    const byHand = left.filter(({ run }) => run !== null);
    if (byHand.length > 0) {
      throw new RekeyError(
        "missing-setup",
        "Some of the steps are for an administrator.",
        `Have the printed statements run, then run \`rekey adopt ${name}\` again.`,
      );
    }
    if (!(await cli.confirm(direction === "undo" ? "Take it back?" : "Do this now?", yes === true))) {
      cli.note("Nothing was changed.");
      return exitCodes.failed;
    }
    const done: string[] = [];
    for await (const sentence of adoption.carryOut(id, direction)) {
      done.push(sentence);
      cli.note(`${cli.paintError("good", "✓")} ${sentence}`);
    }
    cli.show({ credential: name, direction, done }, `Done. Look at it with \`rekey plan ${name}\`.`);
    return exitCodes.done;
  },
});

/** Nobody signs for these steps, so what they do not do is said where somebody agrees to them. */
const note =
  "None of these steps changes anything for consumers. The move to another login is a rotation\n" +
  "(`rekey rotate`), which asks the owners for their sign-off like any other.";

function planText({ paint }: Cli, { steps, findings }: AdoptionPlan, direction: "adopt" | "undo"): string {
  const names = { of: (id: string) => id, in: (text: string) => text };
  const lines = steps.map(({ sentence, run, done }, index) => {
    const mark = done ? paint("good", "✓") : `${index + 1}.`;
    const script = run === null || done ? "" : `\n${paint("quiet", indented(`     ${run}`, 5))}`;
    return `  ${mark} ${sentence}${script}`;
  });
  const verdict = steps.every(({ done }) => done)
    ? ["Everything stands already; nothing is to be done."]
    : [];
  return [
    ...section("Steps", lines.join("\n"), paint),
    ...(direction === "adopt" ? [note] : []),
    ...section("What stands in the way, or is worth knowing", findingsText(findings, names, paint), paint),
    ...verdict,
  ].join("\n\n");
}
