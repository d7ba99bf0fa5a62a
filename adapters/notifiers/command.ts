/** Tells people by a program of the user's own, for everything that has no webhook: `sendmail`, a pager's command line. */
import { z } from "zod";
import { duration } from "../../domain/estate/duration.js";
import type { Notice, Notifier, NotifierKind } from "../ports.js";
import { isProgram, programFields, programName, runProgram } from "../shared/program.js";
import { retryRead } from "../shared/retry.js";

const config = z.strictObject({
  ...programFields,
  timeout: duration({ positive: true }).prefault("10s").describe("For one run of the program."),
  attempts: z.int().min(1).max(10).prefault(3).describe("How often a notice is tried before it is an error."),
});

type Config = z.output<typeof config>;

/** The notice as JSON on a program's standard input; docs/kinds/command-notifier.md says what it holds. */
export const commandNotifier: NotifierKind<typeof config> = {
  config,
  create: (settings) => createCommandNotifier(settings),
};

function createCommandNotifier(settings: Config): Notifier {
  const program = { ...settings, timeoutMs: settings.timeout };
  return {
    preflight: async () => {
      if (await isProgram(program)) return [];
      const sentence = `${programName(program)} cannot be run: there is no such program for the worker's user.`;
      return [{ code: "program-missing", severity: "refuse", sentence }];
    },
    async notify(notice, call) {
      await retryRead(call, programName(program), (frame) => runProgram(program, inputOf(notice), frame), {
        attempts: settings.attempts,
        attemptTimeoutMs: settings.timeout + 5_000,
        pauseMs: 200,
        pauseMsMax: 2_000,
      });
    },
  };
}

/** Only what a notice has today: a field that is added to it later does not leave by itself. */
function inputOf({ id, kind, recipients, subject, text, rotation }: Notice) {
  return { protocol: "rekey-notice/1", id, kind, recipients, subject, text, rotation };
}
