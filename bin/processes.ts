/** The commands that run until they are told to stop, and the demo. */
import { once } from "node:events";
import type { Processes } from "../client/cli/deps.js";
import { exitCodes } from "../domain/errors.js";
import { readInstallation } from "../worker/config.js";
import { version } from "./version.js";

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
    server: async () => {
      const [{ startApi }, { apiSettingsOf }, { openServices }] = await Promise.all([
        import("../client/api/start.js"),
        import("../worker/installation.js"),
        import("./services.js"),
      ]);
      const services = await openServices(env, { tells: true });
      try {
        const settings = await apiSettingsOf(readInstallation(env));
        const api = await startApi({ ...settings, services, version: version(), now: Date.now, say });
        if (settings.tokens.length === 0) say("REKEY_API_TOKENS names no token, so nobody can read.");
        say(`The API listens at ${api.url}. Ctrl-C ends it once begun requests are answered.`);
        await told();
        await api.stop();
      } finally {
        await services.close();
      }
      return exitCodes.done;
    },
    up: async ({ directory }) => {
      const { startHouse } = await import("../worker/up.js");
      const house = await startHouse({ folder: directory, lasting: true, progress: say });
      say(`Everything runs; its state is kept in ${directory}. Ctrl-C ends all of it.`);
      const lost = await Promise.race([told(), house.worker.done, house.lost]);
      if (lost) say(`${lost} has ended without being told to; the rest is ended too.`);
      await house.stop();
      return lost ? exitCodes.unavailable : exitCodes.done;
    },
    demo: async (options) => (await import("../examples/demo/play.js")).playDemo(options),
  };
}

/** Resolves when somebody asks the process to stop. */
async function told(): Promise<void> {
  await Promise.race(["SIGINT", "SIGTERM"].map((signal) => once(process, signal)));
}
