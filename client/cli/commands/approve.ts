/** `rekey approve` and `rekey reject`: a person's signed word on the plan that was shown to them. */
import { exitCodes, RekeyError } from "../../../domain/errors.js";
import { readDocument } from "../../documents.js";
import { adoptionNamed, decideOnAdoption, sendToAdoption } from "../adoption.js";
import type { Cli } from "../cli.js";
import { type AnyCommand, type AsOptions, asOptions, command, option, yesOption } from "../command.js";
import { decisionText, type OpenPlan, plansOf, signDecisions, waitingFor } from "../decide.js";
import { type Desk, deskFor, serverOf } from "../desk.js";
import { signingKey } from "../person.js";
import { readDocuments, type Sent, writeDocuments } from "../signing.js";

interface DecideOptions extends AsOptions {
  readonly yes?: boolean;
  readonly file?: string;
  readonly document?: string;
  readonly server?: string;
  readonly token?: string;
}

type Word = "approve" | "reject";

function decision(says: Word, summary: string, description: string): AnyCommand {
  return command<DecideOptions>({
    usage: `${says} <credential>`,
    summary,
    description,
    arguments: { credential: "name of a credential with an open rotation or adoption" },
    options: [
      ...asOptions(),
      yesOption(),
      option("--file <path>", "only write the signed decision there, to be sent from elsewhere"),
      option("--document <path>", "send a decision that was signed elsewhere").conflicts("file"),
      option("--server <url>", "through this server's API instead of Temporal (default: REKEY_SERVER)"),
      option(
        "--token <file>",
        "token to read there (default: REKEY_API_TOKEN_FILE, or ~/.config/rekey/api-token)",
      ),
    ],
    examples: [
      [`rekey ${says} orders-db`, "show the plan, ask, sign and send"],
      [`rekey ${says} orders-db --file decision.jws`, "sign on the machine that has the key"],
      [`rekey ${says} orders-db --document decision.jws`, "send it from one that reaches Rekey"],
      [`rekey ${says} orders-db --server https://rekey.example.com`, "without access to Temporal"],
    ],
    async run(cli, [name = ""], options) {
      const documents = options.document === undefined ? null : await readDocuments(options.document);
      // An adoption runs in the command line, and is decided on where the installation is.
      const adopting = serverOf(cli, options) === "" ? await adoptionNamed(cli, name) : null;
      if (adopting !== null && documents?.every((one) => readDocument(one).rotation === adopting.record.id)) {
        return sendToAdoption(cli, adopting, documents);
      }
      if (adopting !== null && documents === null && adopting.subject.open === null) {
        return decideOnAdoption(cli, adopting, says, options);
      }
      const desk = await deskFor(cli, options);
      if (documents !== null) return sendAll(cli, desk, name, documents);
      const found = await desk.look(name);
      const { look } = found;
      const key = await signingKey(cli.io, options);
      const open = openFor(says, look.state, key.person, cli.now());
      if (open.length === 0) {
        if (adopting !== null) return decideOnAdoption(cli, adopting, says, options);
        cli.show({ credential: name, sent: [] }, "Nothing waits for your signature.");
        return exitCodes.done;
      }
      if (!cli.json) cli.io.stdout.write(`${decisionText(cli, found, open)}\n\n`);
      if (!(await cli.confirm(`Sign as ${key.person}: ${says} this?`, options.yes === true))) {
        cli.note("Nothing was signed.");
        return exitCodes.failed;
      }
      const made = await signDecisions(cli, found, open, key, says);
      if (options.file === undefined) return sendAll(cli, desk, name, made);
      await writeDocuments(options.file, made);
      const sentence = `Signed, and written to ${options.file}. Nothing was sent.`;
      cli.show({ credential: name, file: options.file, documents: made }, sentence);
      return exitCodes.done;
    },
  });
}

/** A rejection counts also against a plan that has its signatures; an agreement is only asked where it is missing. */
function openFor(says: Word, state: Parameters<typeof plansOf>[0], person: string, now: number): OpenPlan[] {
  return says === "approve" ? waitingFor(state, person, now) : plansOf(state).slice(-1);
}

async function sendAll(cli: Cli, desk: Desk, name: string, documents: readonly string[]): Promise<number> {
  const sent: Sent[] = [];
  for (const document of documents) sent.push(await desk.send(name, document));
  cli.show({ credential: name, sent }, sent.map(({ sentence }) => sentence).join("\n"));
  if (sent.length === 0) throw new RekeyError("internal", "There was nothing to send.");
  return exitCodes.done;
}

/** Agrees to the plan. */
export const approve = decision(
  "approve",
  "Agree to a plan, with your signature",
  "Shows the plan and every amendment that waits for you, asks, and signs each with your key. The signature\n" +
    "is bound to this run of this rotation and this very plan. An open adoption is decided on alike.",
);

/** Refuses the plan. */
export const reject = decision(
  "reject",
  "Refuse a plan, with your signature",
  "Before anything was issued the rotation ends; after that it goes back. Past the point of no return a\n" +
    "rejection is recorded as an objection. An adoption ends before its first step, and later goes no further.",
);
