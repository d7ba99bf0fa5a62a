/** `rekey schema`: the JSON Schema of an estate, by which an editor completes and checks while one types. */
import { exitCodes } from "../../../domain/errors.js";
import { estateJsonSchema } from "../../estate/json-schema.js";
import { command } from "../command.js";

/** Prints the schema of the registered kinds. */
export const schema = command({
  usage: "schema",
  summary: "Print the JSON Schema of estate.yaml, for editors",
  examples: [
    [
      "rekey schema > estate.schema.json",
      "then, as the first line of estate.yaml: # yaml-language-server: $schema=estate.schema.json",
    ],
  ],
  async run(cli) {
    cli.io.stdout.write(`${JSON.stringify(estateJsonSchema(cli.deps.kinds), null, 2)}\n`);
    return exitCodes.done;
  },
});
