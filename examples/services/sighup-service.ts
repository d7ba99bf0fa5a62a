/** A consumer of the old school: it reads its credential at the start, and again when it gets a SIGHUP. */
import { rmSync, writeFileSync } from "node:fs";
import { useCredential, watch } from "../../kit/index.js";
import { isAuthFailure, workOnce } from "./database.js";
import { serve } from "./serve.js";
import { readSettings } from "./settings.js";

const settings = readSettings(process.env);
const credential = await watch({ load: settings.load, intervalMs: 0, signals: ["SIGHUP"] });
if (settings.pidFile !== undefined) writeFileSync(settings.pidFile, `${process.pid}\n`);

await serve(settings, credential, async () => ({
  run: () => useCredential(credential, (current) => workOnce(settings, current), isAuthFailure),
  close: async () => {
    if (settings.pidFile !== undefined) rmSync(settings.pidFile, { force: true });
  },
}));
