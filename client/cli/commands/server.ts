/** `rekey server`: the HTTP API, for people and programs that reach neither Temporal nor the inventory. */
import { command } from "../command.js";

/** Runs until it is told to stop. */
export const server = command({
  usage: "server",
  summary: "Run the HTTP API, which takes decisions and tells what runs",
  description:
    "Takes its settings from REKEY_* variables (docs/api.md): where it listens, TLS, and who may read. It\n" +
    "reaches the inventory database and Temporal, and nothing else. Runs until it is told to stop.",
  examples: [["rekey server", "run until Ctrl-C or SIGTERM"]],
  run: (cli) => cli.deps.processes.server(),
});
