/** `rekey resume`: an operator's order to a rotation that waits for one, out of the exits that are legal now (H30). */
import { Option } from "commander";
import { shown } from "../../../domain/decide.js";
import { exitCodes, RekeyError } from "../../../domain/errors.js";
import { listed } from "../../../domain/estate/issues.js";
import type { Exit } from "../../../domain/rotation/steps.js";
import { command, option, yesOption } from "../command.js";
import { withVersions } from "../format/rotation.js";
import { lookAt } from "../look.js";
import { requester } from "../person.js";
import { openSubject } from "../subject.js";

interface ResumeOptions {
  readonly exit: Exit;
  readonly as?: string;
  readonly yes?: boolean;
}

const meanings: Readonly<Record<Exit, string>> = {
  retry: "try the same again",
  back: "go back to the version before",
  forward: "go on to the new version",
};

/** Shows why it waits, asks, and sends the order. */
export const resume = command<ResumeOptions>({
  usage: "resume <credential>",
  summary: "Order a rotation that waits for an operator to go on",
  description: "Facts are taken anew first. `rekey status` names the exits that are legal now.",
  arguments: { credential: "name of a credential whose rotation needs an operator" },
  options: [
    new Option("--exit <exit>", "which way").choices(Object.keys(meanings)).makeOptionMandatory(),
    option("--as <person>", "who orders it (default: REKEY_PERSON, or the login name)"),
    yesOption(),
  ],
  examples: [
    ["rekey resume orders-db --exit retry", "what stood in the way was mended"],
    ["rekey resume orders-db --exit back", "give up and go back"],
  ],
  async run(cli, [name = ""], { exit, as, yes }) {
    const services = await cli.services();
    const subject = await openSubject(services, name);
    const look = await lookAt(services, subject.id, cli.io.now());
    const standing = look === null ? null : shown(look.state, look.now);
    if (look === null || standing?.kind !== "needs-operator") {
      throw new RekeyError(
        "bad-input",
        `The rotation of ${name} does not wait for an operator.`,
        `See \`rekey status ${name}\`.`,
      );
    }
    if (!standing.exits.includes(exit)) {
      throw new RekeyError(
        "refused-by-policy",
        `The exit ${exit} is not legal now.`,
        `Legal are ${listed(standing.exits)}.`,
      );
    }
    cli.note(`It waits because: ${withVersions(subject.names, look.state).in(standing.reason)}`);
    if (!(await cli.confirm(`Order the rotation of ${name} to ${meanings[exit]}?`, yes === true))) {
      cli.note("Nothing was ordered.");
      return exitCodes.failed;
    }
    const order = { by: requester(cli.io, as), exit };
    const receipt = await services.rotations.resume(subject.open.workflowId, order, cli.io.randomId("msg"));
    if (!receipt.accepted) throw new RekeyError("refused-by-policy", receipt.sentence);
    cli.show(
      { credential: name, exit, ...receipt },
      `${receipt.sentence}\nWatch it with \`rekey watch ${name}\`.`,
    );
    return exitCodes.done;
  },
});
