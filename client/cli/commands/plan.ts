/** `rekey plan`: what a rotation would do to whom, and why it may not start. Changes nothing. */
import { Option } from "commander";
import { errorEntry, exitCodes, RekeyError } from "../../../domain/errors.js";
import { refusals } from "../../../domain/finding.js";
import type { Containment } from "../../../domain/rotation/state.js";
import type { Cli } from "../cli.js";
import { command, option } from "../command.js";
import { namesOf } from "../format/names.js";
import { previewText } from "../format/plan.js";
import { policyText } from "../format/policy.js";
import { moment } from "../format/time.js";
import type { Inventory } from "../inventory.js";
import { credentialNamed } from "../subject.js";

interface PlanOptions {
  readonly emergency?: boolean;
  readonly containment?: Containment;
}

/** Asks a worker for a dry run and prints it. */
export const plan = command<PlanOptions>({
  usage: "plan <credential>",
  summary: "Show what a rotation would do, and why it may not start",
  description:
    "Looks at the issuer, the store and every consumer as a rotation would, and changes nothing. The\n" +
    "keyed hash of the value that is live is kept, so that copies of it are findings from then on.\n" +
    "Ends with 3 when there is a reason against starting.\n\n" +
    "With --emergency: as if a responder had just reported that the present value leaked. Nobody is told.",
  arguments: { credential: "name of a credential" },
  options: [
    option("--emergency", "a dry run of an emergency: who fails, what is not waited for"),
    new Option(
      "--containment <how>",
      "with --emergency: when the leaked version is revoked (default: the policy's)",
    ).choices(["after-adoption", "revoke-now"]),
  ],
  examples: [
    ["rekey plan orders-db", "who moves when, who is asked, what could break"],
    ["rekey plan orders-db --json", "the same for a program"],
    [
      "rekey plan orders-db --emergency --containment revoke-now",
      "who would fail if it were revoked at once",
    ],
  ],
  async run(cli, [name = ""], { emergency, containment }) {
    if (containment !== undefined && emergency !== true)
      throw new RekeyError("bad-input", "--containment belongs to an emergency.", "Add --emergency.");
    const services = await cli.services();
    const subject = await credentialNamed(services, name);
    const { id, names: known, policy, policyBy } = subject;
    const asked = {
      credential: id,
      ...(emergency === true ? { emergency: containment === undefined ? {} : { containment } } : {}),
    };
    const preview = await services.rotations.preview(asked).catch(async (failure: unknown) => {
      if (!(failure instanceof RekeyError) || failure.code !== "unreachable") throw failure;
      await showKept(cli, services.inventory, { id, name });
      throw new RekeyError(
        failure.code,
        `There is no plan of ${name} now: ${failure.message}`,
        failure.hint === errorEntry(failure.code).hint ? awayHint : failure.hint,
      );
    });
    const more = namesOf(Object.entries(preview.names));
    const names = {
      of: (one: string) => known.of(more.of(one)),
      in: (text: string) => known.in(more.in(text)),
    };
    const mayStart = refusals(preview.findings).length === 0;
    const by = policyBy === undefined ? {} : { policyBy };
    cli.show({ ...preview, credential: name, policy, ...by, mayStart }, () =>
      previewText(preview, names, { name, policy: policyText(subject) }, cli.now(), cli.paint),
    );
    return mayStart ? exitCodes.done : exitCodes.refused;
  },
});

const awayHint =
  "`rekey doctor` says what does not answer. Nothing was changed: ask again when all of it is there.";

/** What the inventory knows of a credential by itself: who is on it, where it lies, and what else was found. */
async function showKept(
  cli: Cli,
  inventory: Inventory,
  { id, name }: { readonly id: string; readonly name: string },
): Promise<void> {
  const { findings, at } = await inventory.findings({ credential: id });
  if (at === null || findings.length === 0) return;
  cli.note(`What is found of ${name} without it, as of ${moment(at)}:`);
  for (const { code, sentence } of findings) cli.note(`  ${code}  ${sentence}`);
  cli.note("");
}
