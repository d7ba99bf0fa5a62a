/** `rekey worker`: the process that does the work of rotations. */
import { command } from "../command.js";

/** Runs until it is told to stop. */
export const worker = command({
  usage: "worker",
  summary: "Run a worker, which does what rotations ask for",
  description:
    "Takes its settings from REKEY_* variables (docs/installation.md), brings the inventory database up to\n" +
    "date, and runs until it is told to stop; steps under way are finished first.",
  examples: [["rekey worker", "run until Ctrl-C or SIGTERM"]],
  run: (cli) => cli.deps.processes.worker(),
});
