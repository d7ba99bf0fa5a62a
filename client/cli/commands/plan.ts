/** `rekey plan`: what a rotation would do to whom, and why it may not start. Changes nothing. */
import { exitCodes } from "../../../domain/errors.js";
import { refusals } from "../../../domain/finding.js";
import { command } from "../command.js";
import { namesOf } from "../format/names.js";
import { previewText } from "../format/plan.js";
import { credentialNamed } from "../subject.js";

/** Asks a worker for a dry run and prints it. */
export const plan = command({
  usage: "plan <credential>",
  summary: "Show what a rotation would do, and why it may not start",
  description:
    "Looks at the issuer, the store and every consumer as a rotation would, and changes nothing.\n" +
    "Ends with 3 when there is a reason against starting.",
  arguments: { credential: "name of a credential" },
  examples: [
    ["rekey plan orders-db", "who moves when, who is asked, what could break"],
    ["rekey plan orders-db --json", "the same for a program"],
  ],
  async run(cli, [name = ""]) {
    const services = await cli.services();
    const { id, names: known } = await credentialNamed(services, name);
    const preview = await services.rotations.preview(id);
    const more = namesOf(Object.entries(preview.names));
    const names = {
      of: (one: string) => known.of(more.of(one)),
      in: (text: string) => known.in(more.in(text)),
    };
    const mayStart = refusals(preview.findings).length === 0;
    cli.show({ ...preview, credential: name, mayStart }, () =>
      previewText(preview, names, name, cli.io.now(), cli.paint),
    );
    return mayStart ? exitCodes.done : exitCodes.refused;
  },
});
