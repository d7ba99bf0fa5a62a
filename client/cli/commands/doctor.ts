/** `rekey doctor`: every right, setting and connection that a safe rotation needs, looked at without changing one. */

import { clockFindings } from "../../../domain/clocks.js";
import { exitCodes } from "../../../domain/errors.js";
import { type Finding, refusals } from "../../../domain/finding.js";
import type { Diagnosis } from "../../../domain/rotation/work.js";
import type { Cli } from "../cli.js";
import { command } from "../command.js";
import { count } from "../format/layout.js";
import { namesOf } from "../format/names.js";
import { findingsText } from "../format/plan.js";
import type { Inventory } from "../inventory.js";

/** Asks a worker for a diagnosis and prints it. */
export const doctor = command({
  usage: "doctor",
  summary: "Check every right and setting that rotations need",
  description:
    "Looks and changes nothing: at the installation, the notifiers, what each source would lack at its next reading, and each\n" +
    "credential, as `rekey plan` does. Ends with 3 when something stands in the way of a rotation, or of reading a source.",
  examples: [["rekey doctor", "what is missing where, and how to mend it"]],
  async run(cli) {
    const { rotations, inventory } = await cli.services();
    const here = await clockHere(cli, inventory);
    const diagnoses = withClock(await rotations.doctor(), here);
    const missing = diagnoses.flatMap(({ findings }) => refusals(findings)).length;
    cli.show({ healthy: missing === 0, diagnoses }, () => {
      const each = diagnoses.map(({ subject, findings }) => {
        const sound = refusals(findings).length === 0;
        const mark = sound ? cli.paint("good", "✓") : cli.paint("bad", "✗");
        return [
          `${mark} ${cli.paint("strong", subject)}`,
          ...(findings.length === 0 ? [] : [findingsText(findings, namesOf([]), cli.paint)]),
        ].join("\n");
      });
      const verdict = missing === 0 ? "Nothing stands in the way." : `${count(missing, "thing")} to mend.`;
      return [...each, verdict].join("\n");
    });
    return missing === 0 ? exitCodes.done : exitCodes.refused;
  },
});

/** People sign here, and what they sign has times in it. */
async function clockHere({ io }: Cli, { time }: Pick<Inventory, "time">): Promise<Finding[]> {
  const before = io.now();
  const inventory = await time();
  return clockFindings({ whose: "The clock of this machine", before, inventory, after: io.now() });
}

/** The diagnoses with what was found here among what the worker found of clocks. */
function withClock(diagnoses: readonly Diagnosis[], here: readonly Finding[]): Diagnosis[] {
  const subject = "clocks";
  const known = diagnoses.some((one) => one.subject === subject);
  return [...diagnoses, ...(known ? [] : [{ subject, findings: [] }])].map((one) =>
    one.subject === subject ? { subject, findings: [...one.findings, ...here] } : one,
  );
}
