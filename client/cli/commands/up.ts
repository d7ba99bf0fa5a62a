/** `rekey up`: everything that Rekey needs, on this machine, begun and ended together, for development. */
import { command, option } from "../command.js";

/** Runs until it is told to stop. */
export const up = command<{ dir: string }>({
  usage: "up",
  summary: "Run Temporal, the inventory database and a worker here, for development",
  description:
    "State is kept in the folder over a restart, what the servers print in postgres.log and temporal.log\n" +
    "until the next one. Ctrl-C ends all of it; so does the end of one of its servers, with 5, and no\n" +
    "server outlives a killed `rekey up`. Not for production.",
  options: [option("--dir <path>", "folder of the state").default(".rekey")],
  examples: [
    ["rekey up", "then, in another terminal: rekey status"],
    ["rekey up --dir /tmp/try", "with another, empty state"],
  ],
  run: (cli, _args, { dir }) => cli.deps.processes.up({ directory: dir }),
});
