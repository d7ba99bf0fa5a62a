/** `rekey init`: a first estate with the reason for each line beside it, to be filled in and not to be written. */
import { writeFile } from "node:fs/promises";
import { exitCodes } from "../../../domain/errors.js";
import { command, fileOption } from "../command.js";
import { unwritable } from "../files.js";
import { starterEstate } from "../starter.js";

/** Writes the starter, never over an existing file. */
export const init = command<{ file: string }>({
  usage: "init",
  summary: "Write a commented estate.yaml to begin with",
  options: [fileOption("the estate")],
  examples: [["rekey init", "write estate.yaml here; never over an existing one"]],
  async run(cli, _args, { file }) {
    try {
      await writeFile(file, starterEstate, { flag: "wx" });
    } catch (failure) {
      throw unwritable(file, failure);
    }
    const next = ["rekey keygen --as alice", "rekey validate", "rekey apply"];
    cli.show({ file, next }, () =>
      [
        `Wrote ${cli.paint("name", file)}. Next:`,
        `  ${next[0]}  # a key to sign with; paste the line that it prints`,
        `  ${next[1]}           # once the names in the file are yours`,
        `  ${next[2]}              # shows what would change, and asks`,
      ].join("\n"),
    );
    return exitCodes.done;
  },
});
