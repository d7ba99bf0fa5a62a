/** `rekey migrate`: brings the inventory database to this release, where the worker's login may not. */
import { exitCodes } from "../../../domain/errors.js";
import { command } from "../command.js";

/** Applies what is missing and names it. */
export const migrate = command({
  usage: "migrate",
  summary: "Bring the inventory database up to this release",
  description: "A worker does this at its start; the command is for installations where its login may not.",
  examples: [["rekey migrate", "apply what is missing; does nothing the second time"]],
  async run(cli) {
    const applied = await cli.deps.migrate();
    cli.show({ applied }, () =>
      applied.length === 0 ? "The inventory database is up to date." : `Applied: ${applied.join(", ")}.`,
    );
    return exitCodes.done;
  },
});
