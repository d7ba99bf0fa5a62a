/** `rekey confirm`: a person's signed word that a consumer holds the new version, where nothing else can see it. */
import { exitCodes } from "../../../domain/errors.js";
import { knownName } from "../choose.js";
import { type AsOptions, asOptions, command, yesOption } from "../command.js";
import { lookToDecide, plansOf } from "../decide.js";
import { signingKey } from "../person.js";
import { boundTo, send, sign } from "../signing.js";
import { openSubject } from "../subject.js";

/** Asks, signs and sends the confirmation. */
export const confirm = command<AsOptions & { readonly yes?: boolean }>({
  usage: "confirm <credential> <consumer>",
  summary: "Confirm that a consumer works with the new version",
  description: "For consumers that cannot be observed, such as a vendor's portal. Signed with your key.",
  arguments: {
    credential: "name of a credential with an open rotation",
    consumer: "name of a consumer of it",
  },
  options: [...asOptions(), yesOption()],
  examples: [["rekey confirm orders-db partner-portal", "you have seen it work with the new version"]],
  async run(cli, [name = "", consumerName = ""], options) {
    const services = await cli.services();
    const subject = await openSubject(services, name);
    const consumer = knownName(consumerName, subject.consumers, `consumer of ${name}`);
    const { state } = await lookToDecide(cli, services, subject);
    const digest = plansOf(state).at(-1)?.plan.digest ?? "";
    const id = state.plan?.consumers.find((one) => subject.names.of(one.id) === consumer)?.id ?? consumer;
    const key = await signingKey(cli.io, options);
    const question = `Sign as ${key.person}: ${consumer} works with the new version of ${name}?`;
    if (!(await cli.confirm(question, options.yes === true))) {
      cli.note("Nothing was signed.");
      return exitCodes.failed;
    }
    const what = { says: "confirm" as const, digest, consumer: id, version: state.target };
    const document = await sign(cli, key, boundTo(state, name), what);
    const hint = `\`rekey status ${name}\` shows to whom the version was delivered. Look again once it was, and confirm then.`;
    const sent = await send(services, subject.open.workflowId, document, hint);
    cli.show({ credential: name, consumer, sent }, sent.sentence);
    return exitCodes.done;
  },
});
