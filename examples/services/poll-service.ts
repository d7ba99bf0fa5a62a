/** The simplest consumer there is: it looks at its store every so often, and opens a connection for each request. */
import { useCredential, watch } from "../../kit/index.js";
import { isAuthFailure, workOnce } from "./database.js";
import { serve } from "./serve.js";
import { readSettings } from "./settings.js";

const settings = readSettings(process.env);
const credential = await watch({ load: settings.load, intervalMs: settings.pollMs });

await serve(settings, credential, async () => ({
  run: () => useCredential(credential, (current) => workOnce(settings, current), isAuthFailure),
  close: async () => {},
}));
