/** `rekey explain`: why a rotation is where it is, in sentences, with the facts and how old they are. */
import { exitCodes } from "../../../domain/errors.js";
import { command } from "../command.js";
import { explanationOf } from "../explain.js";
import { section } from "../format/layout.js";

const headings = {
  "where it is": "Where it is",
  "what is known": "What is known, and how old it is",
  "what happens next": "What happens next",
  "who can do what": "Who can do what now",
  last: "What happened last",
  records: "Records and Temporal",
} as const;

/** Reads, and prints sentences. */
export const explain = command({
  usage: "explain <rotation>",
  summary: "Say in sentences why a rotation is where it is",
  description:
    "What the gate asks and waits for, which facts it has and how old they are, what would make it go on\n" +
    "and what happens if nothing does, who can do what, and whether the records and Temporal agree.\n" +
    "Changes nothing.",
  arguments: { rotation: "name of a credential, for its latest rotation; or the id of a rotation" },
  examples: [
    ["rekey explain orders-db", "the rotation that runs, or the last one"],
    ["rekey explain rot_5f1c", "this one"],
    ["rekey explain orders-db --json", "for a program"],
  ],
  async run(cli, [word = ""]) {
    const explanation = await explanationOf(await cli.services(), word, cli.now());
    const { credential, policy, rotation, explained } = explanation;
    cli.show(explanation, () => {
      const title = `${cli.paint("strong", credential)}${rotation === null ? "" : cli.paint("quiet", `  ${rotation}`)}`;
      const sides = explained.flatMap(({ about, sentences }) =>
        section(headings[about], sentences.map((sentence) => `  ${sentence}`).join("\n"), cli.paint),
      );
      return [`${title}\nBy policy ${policy}.`, ...sides].join("\n\n");
    });
    return exitCodes.done;
  },
});
