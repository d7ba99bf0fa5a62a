/** Notices to a program of the user's own, which talks more than it should and must not be quoted. */
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { commandNotifier } from "../../../adapters/notifiers/command.js";
import { calling, testEngine } from "../../support/engine.js";
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

test("a program that is not there, or may not be started, is named before it is needed", async () => {
  const { deps } = await testEngine();
  const folder = await mkdtemp(join(tmpdir(), "rekey-test-"));
  const codes = async (settings: object) =>
    (await commandNotifier.create(commandNotifier.config.parse(settings), deps).preflight(calling())).map(
      ({ code, severity }) => `${severity} ${code}`,
    );
  const file = join(folder, "tell");
  expect(await codes({ command: [file] })).toEqual(["refuse program-missing"]);
  await writeFile(file, "#!/bin/sh\n", { mode: 0o644 });
  expect(await codes({ command: [file] })).toEqual(["refuse program-missing"]);
  await chmod(file, 0o755);
  expect(await codes({ command: [file] })).toEqual([]);
  expect(await codes({ command: ["./tell"], workingDirectory: folder })).toEqual([]);
  expect(await codes({ command: ["sh", "-c", "true"] })).toEqual([]);
  expect(await codes({ command: ["no-such-program-anywhere"] })).toEqual(["refuse program-missing"]);
  await rm(folder, { recursive: true });
});
