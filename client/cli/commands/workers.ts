/** `rekey workers`: an upgrade in the middle of rotations, seen and steered. */
import { exitCodes } from "../../../domain/errors.js";
import { command, option } from "../command.js";
import { table } from "../format/layout.js";
import { moment } from "../format/time.js";

interface WorkersOptions {
  readonly current?: string;
}

const meaning = {
  current: "new rotations go to it",
  waiting: "gets nothing yet: `rekey workers --current BUILD`",
  draining: "rotations that it began still run; keep its workers",
  drained: "nothing needs it; its workers may be stopped",
} as const;

/** Lists the builds of workers, and sends new rotations to one of them. */
export const workers = command<WorkersOptions>({
  usage: "workers",
  summary: "Show which builds of workers there are, and which one gets new rotations",
  description:
    "With REKEY_WORKER_VERSIONS=on a rotation stays with the build that began it. To upgrade: start workers\n" +
    "of the new build beside the old ones, make it current, and stop the old ones once they are drained.",
  options: [
    option("--current <build>", "send new rotations to this build; those that run stay where they are"),
  ],
  examples: [
    ["rekey workers", "which builds there are, and which may be stopped"],
    ["rekey workers --current 0.2.0-3f9a1c0b7d52", "new rotations go to this one"],
  ],
  async run(cli, _arguments, { current }) {
    const { rotations } = await cli.services();
    if (current !== undefined) await rotations.makeCurrent(current);
    const builds = await rotations.builds();
    cli.show({ builds }, () => {
      if (builds.length === 0)
        return "Workers tell no build: REKEY_WORKER_VERSIONS is off, and any worker takes up any rotation.";
      const rows = builds.map(({ build, standing, since }) => [
        build,
        cli.paint(standing === "current" ? "good" : "quiet", standing),
        moment(since),
        meaning[standing],
      ]);
      return table(["build", "", "since", ""], rows, cli.paint);
    });
    return exitCodes.done;
  },
});
