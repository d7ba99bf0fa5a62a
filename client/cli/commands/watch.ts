/** `rekey watch`: a rotation as it goes, until it ends. */

import { parseDuration } from "../../../domain/duration.js";
import { RekeyError } from "../../../domain/errors.js";
import { command, option } from "../command.js";
import { follow } from "../follow.js";
import { credentialNamed, latestRotation } from "../subject.js";

/** Follows the latest rotation; one that has ended is shown once. */
export const watch = command<{ every: string }>({
  usage: "watch <credential>",
  summary: "Show a rotation live until it ends",
  description:
    "On a terminal the picture is redrawn; elsewhere each thing that happens is a line. The exit code says how\n" +
    "it ended. Ctrl-C ends the watching and never the rotation.",
  arguments: { credential: "name of a credential" },
  options: [option("--every <duration>", "how often to look").default("500ms")],
  examples: [
    ["rekey watch orders-db", "gates, waves, instances and what happened"],
    ["rekey watch orders-db --json | jq .sentence", "an object a line"],
  ],
  async run(cli, [name = ""], { every }) {
    const everyMs = parseDuration(every);
    if (everyMs === undefined || everyMs < 50) {
      throw new RekeyError("bad-input", `--every takes a duration of at least 50ms, and "${every}" is none.`);
    }
    const services = await cli.services();
    const subject = await credentialNamed(services, name);
    if ((await latestRotation(services, subject.id)) === null) {
      throw new RekeyError("not-found", `${name} was never rotated.`, `Start with \`rekey rotate ${name}\`.`);
    }
    return follow(cli, services, subject, { everyMs, show: "live", stopAtOperator: false });
  },
});
