/** `rekey cancel`: ends a rotation where it is, by going back to a working state and never by stopping in the middle. */
import { exitCodes, RekeyError } from "../../../domain/errors.js";
import { command, option, yesOption } from "../command.js";
import { requester } from "../person.js";
import { openSubject } from "../subject.js";

interface CancelOptions {
  readonly reason?: string;
  readonly as?: string;
  readonly yes?: boolean;
}

/** Asks and sends the order. */
export const cancel = command<CancelOptions>({
  usage: "cancel <credential>",
  summary: "Cancel a rotation: it goes back to the version before",
  description:
    "Legal until the point of no return. Consumers that have moved are moved back; that takes its time.",
  arguments: { credential: "name of a credential with an open rotation" },
  options: [
    option("--reason <text>", "why; shown to the owners and kept").default("cancelled on the command line"),
    option("--as <person>", "who orders it (default: REKEY_PERSON, or the login name)"),
    yesOption(),
  ],
  examples: [["rekey cancel orders-db --reason 'release day'", "ask, then go back"]],
  async run(cli, [name = ""], { reason = "", as, yes }) {
    const services = await cli.services();
    const { open } = await openSubject(services, name);
    if (!(await cli.confirm(`Cancel the rotation of ${name} and go back?`, yes === true))) {
      cli.note("Nothing was cancelled.");
      return exitCodes.failed;
    }
    const order = { rotation: open.id, by: requester(cli.io, as), reason };
    const receipt = await services.rotations.cancel(open.workflowId, order, cli.io.randomId("msg"));
    if (!receipt.accepted)
      throw new RekeyError("refused-by-policy", receipt.sentence, `See \`rekey status ${name}\`.`);
    cli.show({ credential: name, ...receipt }, `${receipt.sentence}\nWatch it with \`rekey watch ${name}\`.`);
    return exitCodes.done;
  },
});
