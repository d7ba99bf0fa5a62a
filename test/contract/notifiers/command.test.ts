/** Notices to a program of the user's own, which talks more than it should and must not be quoted. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { commandNotifier } from "../../../adapters/notifiers/command.js";
import { testEngine } from "../../support/engine.js";
import { notifierContract } from "../notifier.js";

const program = fileURLToPath(new URL("notify-program.mjs", import.meta.url));
const canary = "canary-program-44e9a1c7";

notifierContract("command", async () => {
  const { deps } = await testEngine();
  const folder = await mkdtemp(join(tmpdir(), "rekey-test-"));
  const command = [process.execPath, program, folder, canary];
  return {
    notifier: commandNotifier.create(commandNotifier.config.parse({ command }), deps),
    receive: (how) => writeFile(join(folder, "how"), how),
    received: async () => {
      const lines = (await readFile(join(folder, "received"), "utf8")).trim().split("\n");
      return lines.map((line) => {
        const notice = JSON.parse(line) as Record<string, unknown>;
        return { key: String(notice.id), notice };
      });
    },
    canary,
    close: () => rm(folder, { recursive: true, force: true }),
  };
});
