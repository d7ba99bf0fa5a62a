/** `rekey expedite`: reports a leak to the rotation that runs, which then goes on as an emergency. */
import { exitCodes } from "../../../domain/errors.js";
import { command, option } from "../command.js";
import { confirmReport, type ReportOptions, reasonOf, reportOf, reportOptions } from "../emergency.js";
import { openSubject } from "../subject.js";
import { expedite as tell } from "./rotate.js";

/** Signs the report and sends it. */
export const expedite = command<ReportOptions>({
  usage: "expedite <credential>",
  summary: "Report a leak to the rotation that runs",
  description:
    "The rotation goes on as an emergency: waiting and soaking are cut short, owners sign afterwards. Asks first,\n" +
    "unless --yes.",
  arguments: { credential: "name of a credential with an open rotation" },
  options: [option("--reason <text>", "what happened; signed, shown and kept"), ...reportOptions()],
  examples: [
    [
      "rekey expedite orders-db --reason 'in a public log' --yes --value-from stdin < leak.txt",
      "with evidence",
    ],
    [
      "rekey expedite orders-db --reason 'laptop lost' --leaked both --document bob.jws",
      "with a second responder",
    ],
  ],
  async run(cli, [name = ""], options) {
    reasonOf(options);
    const services = await cli.services();
    const subject = await openSubject(services, name);
    if (!(await confirmReport(cli, name, options, false))) return exitCodes.failed;
    const emergency = await reportOf(cli, services, subject, options);
    const told = await tell(cli, services, subject.open.workflowId, emergency);
    cli.show({ credential: name, ...told }, `${told.sentence}\nWatch it with \`rekey watch ${name}\`.`);
    return exitCodes.done;
  },
});
