/** A consumer with a long-lived pool: the new pool is proven before the old one is left, and no request notices. */
import { swapPool, watch } from "../../kit/index.js";
import { poolHooks, workWith } from "./database.js";
import { serve } from "./serve.js";
import { readSettings } from "./settings.js";

const settings = readSettings(process.env);
const credential = await watch({
  load: settings.load,
  intervalMs: settings.pollMs,
  ...(settings.file === undefined ? {} : { file: settings.file }),
});

await serve(settings, credential, async () => {
  const pool = await swapPool(credential, poolHooks(settings));
  return {
    run: () => pool.use((current) => workWith(settings, current)),
    close: () => pool.close(),
  };
});
