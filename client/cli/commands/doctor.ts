/** `rekey doctor`: every right, setting and connection that a safe rotation needs, looked at without changing one. */
import { exitCodes } from "../../../domain/errors.js";
import { refusals } from "../../../domain/finding.js";
import { command } from "../command.js";
import { count } from "../format/layout.js";
import { namesOf } from "../format/names.js";
import { findingsText } from "../format/plan.js";

/** Asks a worker for a diagnosis and prints it. */
export const doctor = command({
  usage: "doctor",
  summary: "Check every right and setting that rotations need",
  description: "Looks and changes nothing. Ends with 3 when something stands in the way of a rotation.",
  examples: [["rekey doctor", "what is missing where, and how to mend it"]],
  async run(cli) {
    const { rotations } = await cli.services();
    const diagnoses = await rotations.doctor();
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
