/** `rekey sign-off`: an owner signs afterwards for what an emergency did without them. */
import { exitCodes, RekeyError } from "../../../domain/errors.js";
import { foldAll } from "../../../domain/rotation/fold.js";
import { type AsOptions, asOptions, command, yesOption } from "../command.js";
import { plansOf } from "../decide.js";
import { moment } from "../format/time.js";
import { signingKey } from "../person.js";
import { boundTo, send, sign } from "../signing.js";
import { credentialNamed, latestRotation } from "../subject.js";

/** Shows what is unsigned, asks, signs and sends. */
export const signOff = command<AsOptions & { readonly yes?: boolean }>({
  usage: "sign-off <credential>",
  summary: "Sign for what an emergency did without you",
  description:
    "Owners are told at once and sign by the policy's deadline; `rekey status` shows what is unsigned.",
  arguments: { credential: "name of a credential" },
  options: [...asOptions(), yesOption()],
  examples: [["rekey sign-off orders-db", "show the reports that nobody signed, ask, sign"]],
  async run(cli, [name = ""], options) {
    const services = await cli.services();
    const subject = await credentialNamed(services, name);
    // Signed is what is shown, and not what is reported while somebody reads it (H37).
    const shownAt = cli.now();
    const unsigned = await services.inventory.unsigned(subject.id);
    if (unsigned.length === 0) {
      cli.show({ credential: name, sent: null }, "Nothing is to be signed off.");
      return exitCodes.done;
    }
    const row = unsigned.at(-1)?.rotation ?? (await latestRotation(services, subject.id))?.id;
    if (row === undefined)
      throw new RekeyError("internal", "A report without a rotation cannot be signed off.");
    const record = await services.inventory.rotation(row);
    const state = foldAll(record.initial, record.events);
    const digest = plansOf(state).at(-1)?.plan.digest ?? "";
    for (const { at, reportedBy, reason, signOffBy } of unsigned) {
      cli.note(`${moment(at)}  ${reportedBy}: ${reason} (sign by ${moment(signOffBy)})`);
    }
    const key = await signingKey(cli.io, options);
    if (!(await cli.confirm(`Sign as ${key.person} for what was done?`, options.yes === true))) {
      cli.note("Nothing was signed.");
      return exitCodes.failed;
    }
    const what = { says: "sign-off" as const, digest };
    const document = await sign(cli, key, boundTo(state, name), what, undefined, shownAt);
    const sent =
      record.closedAt === null
        ? await send(services, record.workflowId, document)
        : await services.rotations.signOff(subject.id, document);
    if (!sent.accepted) throw new RekeyError("decision-refused", sent.sentence);
    cli.show({ credential: name, sent }, sent.sentence);
    return exitCodes.done;
  },
});
