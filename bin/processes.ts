/** The commands that run until they are told to stop, and the demo. */
import { once } from "node:events";
import type { Processes } from "../client/cli/deps.js";
import { exitCodes } from "../domain/errors.js";
import { readInstallation } from "../worker/config.js";

/**
 * Starts them with this environment; progress goes to standard error, so that output can be piped. Each is
 * loaded when it is asked for: a worker is a second's worth of code that `rekey status` should not wait for.
 */
export function processesWith(env: NodeJS.ProcessEnv): Processes {
  const say = (line: string) => void process.stderr.write(`${line}\n`);
  return {
    worker: async () => {
      const { startWorker } = await import("../worker/worker.js");
      const worker = await startWorker(readInstallation(env));
      say("The worker polls. Ctrl-C ends it once its steps are done.");
      await Promise.race([told(), worker.done]);
      await worker.stop();
      return exitCodes.done;
    },
    up: async ({ directory }) => {
      const { startHouse } = await import("../worker/up.js");
      const house = await startHouse({ folder: directory, lasting: true, progress: say });
      say(`Everything runs; its state is kept in ${directory}. Ctrl-C ends all of it.`);
      await Promise.race([told(), house.worker.done]);
      await house.stop();
      return exitCodes.done;
    },
    demo: async (options) => (await import("../examples/demo/play.js")).playDemo(options),
  };
}

/** Resolves when somebody asks the process to stop. */
async function told(): Promise<void> {
  await Promise.race(["SIGINT", "SIGTERM"].map((signal) => once(process, signal)));
}
