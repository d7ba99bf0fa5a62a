/** `rekey resume`: an operator's order to a rotation that waits for one, out of the exits that are legal now (H30). */
import { Option } from "commander";
import { shown } from "../../../domain/decide.js";
import { declarable, declarationDigest, declaredBy, personsNeeded } from "../../../domain/declaration.js";
import { exitCodes, RekeyError } from "../../../domain/errors.js";
import { listed } from "../../../domain/estate/issues.js";
import { holdOf } from "../../../domain/rotation/moves.js";
import type { Exit } from "../../../domain/rotation/steps.js";
import type { ResumeOrder } from "../../../workflows/messages.js";
import type { Cli } from "../cli.js";
import { command, option, yesOption } from "../command.js";
import type { Services } from "../deps.js";
import { withVersions } from "../format/rotation.js";
import { type Look, lookAt } from "../look.js";
import { requester, signingKey } from "../person.js";
import { boundTo, send, sign } from "../signing.js";
import { type OpenSubject, openSubject } from "../subject.js";

interface ResumeOptions {
  readonly exit: Exit;
  readonly live?: string;
  readonly as?: string;
  readonly key?: string;
  readonly yes?: boolean;
}

const meanings: Readonly<Record<Exit, string>> = {
  retry: "try the same again",
  back: "go back to the version before",
  forward: "go on to the new version",
  declare: "go to the version that two persons have declared live",
};

/** Shows why it waits, asks, and sends the order. */
export const resume = command<ResumeOptions>({
  usage: "resume <credential>",
  summary: "Order a rotation that waits for an operator to go on",
  description: "Facts are taken anew first. `rekey status` names the exits that are legal now.",
  arguments: { credential: "name of a credential whose rotation needs an operator" },
  options: [
    new Option("--exit <exit>", "which way").choices(Object.keys(meanings)).makeOptionMandatory(),
    option("--live <version>", "with --exit declare: `old`, `new` or the id of the version that is live"),
    option("--as <person>", "who orders it (default: REKEY_PERSON, or the login name)"),
    option(
      "--key <file>",
      "with --exit declare: the person's private key (default: REKEY_KEY, or ~/.config/rekey/key.json)",
    ),
    yesOption(),
  ],
  examples: [
    ["rekey resume orders-db --exit retry", "what stood in the way was mended"],
    ["rekey resume orders-db --exit back", "give up and go back"],
    [
      "rekey resume orders-db --exit declare --live old",
      "sign that the old one is live; a second person does the same",
    ],
  ],
  async run(cli, [name = ""], options) {
    const { exit, as, yes } = options;
    const services = await cli.services();
    const subject = await openSubject(services, name);
    const look = await lookAt(services, subject.id, cli.now());
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
    if (exit === "declare") return declareLive(cli, services, subject, look, options);
    cli.note(`It waits because: ${withVersions(subject.names, look.state).in(standing.reason)}`);
    if (!(await cli.confirm(`Order the rotation of ${name} to ${meanings[exit]}?`, yes === true))) {
      cli.note("Nothing was ordered.");
      return exitCodes.failed;
    }
    const order = { ...orderFor(look), by: requester(cli.io, as), exit };
    const receipt = await services.rotations.resume(subject.open.workflowId, order, cli.io.randomId("msg"));
    if (!receipt.accepted) throw new RekeyError("refused-by-policy", receipt.sentence);
    cli.show(
      { credential: name, exit, ...receipt },
      `${receipt.sentence}\nWatch it with \`rekey watch ${name}\`.`,
    );
    return exitCodes.done;
  },
});

/** The rotation and the hold that were looked at, and no other. */
function orderFor({ state }: Look): Pick<ResumeOrder, "rotation" | "hold"> {
  return { rotation: state.id, hold: holdOf(state) };
}

/** Signs that a version is live, and gives the order once two persons have (H30). */
async function declareLive(
  cli: Cli,
  services: Services,
  subject: OpenSubject,
  look: Look,
  options: ResumeOptions,
): Promise<number> {
  const { name } = subject;
  const { state } = look;
  const words: Readonly<Record<string, string>> = { old: state.origin, new: state.target };
  const version = words[options.live ?? ""] ?? options.live ?? "";
  const can = declarable(state);
  if (!can.includes(version)) {
    const hint = `These can be declared live: ${listed(can)}.`;
    throw new RekeyError("bad-input", `--live does not name a version that can be declared live now.`, hint);
  }
  const key = await signingKey(cli.io, options);
  const question = `Sign as ${key.person}: version ${version} of ${name} is live?`;
  if (!(await cli.confirm(question, options.yes === true))) {
    cli.note("Nothing was signed.");
    return exitCodes.failed;
  }
  const digest = declarationDigest(state, version);
  const document = await sign(cli, key, boundTo(state, name), { says: "approve", digest });
  const sent = await send(services, subject.open.workflowId, document);
  const signed = new Set([...declaredBy(state, version, cli.now()), key.person]);
  if (!sent.answered || signed.size < personsNeeded) {
    const next = `A second person signs it with \`rekey resume ${name} --exit declare --live ${version}\`.`;
    cli.show({ credential: name, exit: "declare", version, ...sent }, `${sent.sentence}\n${next}`);
    return exitCodes.done;
  }
  const order = { ...orderFor(look), by: key.person, exit: "declare" as const, version };
  const receipt = await services.rotations.resume(subject.open.workflowId, order, cli.io.randomId("msg"));
  if (!receipt.accepted) throw new RekeyError("refused-by-policy", receipt.sentence);
  cli.show({ credential: name, exit: "declare", version, ...receipt }, receipt.sentence);
  return exitCodes.done;
}
