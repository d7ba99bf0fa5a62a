/** `rekey keygen`: the pair that a person's decisions are signed with. The private half never leaves the file. */
import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { exitCodes } from "../../../domain/errors.js";
import { newKey } from "../../documents.js";
import { command, option } from "../command.js";
import { unwritable } from "../files.js";
import { keyPath, personFor } from "../person.js";

/** Makes the pair, writes one half, prints the other. */
export const keygen = command<{ as?: string; out?: string }>({
  usage: "keygen",
  summary: "Make the key that your decisions are signed with",
  description:
    "Writes the private half to a file that only you can read and prints the public half as the line for\n" +
    "`owners` in estate.yaml. An existing key is never overwritten.",
  options: [
    option("--as <person>", "your name in the estate (default: REKEY_PERSON)"),
    option("--out <file>", "where the private half goes (default: REKEY_KEY, or ~/.config/rekey/key.json)"),
  ],
  examples: [
    ["rekey keygen --as alice", "write ~/.config/rekey/key.json and print the public line"],
    ["rekey keygen --as alice --out alice.key.json", "keep it somewhere else"],
  ],
  async run(cli, _args, { as, out }) {
    const person = personFor(cli.io, as);
    const file = keyPath(cli.io, out);
    const { jwk, publicLine } = await newKey(person);
    try {
      await mkdir(dirname(file), { recursive: true, mode: 0o700 });
      await writeFile(file, jwk.reveal(), { flag: "wx", mode: 0o600 });
    } catch (failure) {
      throw unwritable(file, failure);
    } finally {
      jwk.clear();
    }
    cli.show({ person, file, public: publicLine }, () =>
      [
        `Wrote ${cli.paint("name", file)}. Keep it to yourself. In estate.yaml, under owners › ${person}:`,
        "    keys:",
        `      - ${publicLine}`,
      ].join("\n"),
    );
    return exitCodes.done;
  },
});
