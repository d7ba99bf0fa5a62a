/** A service that works with a key at a provider: each request shows the key, and the provider says whose it is. */
import { serve, type Work } from "../../../examples/services/serve.js";
import { readServiceSettings } from "../../../examples/services/settings.js";
import { type Credential, swapPool, useCredential } from "../../../kit/index.js";
import { letsIn } from "./http-key.js";
import { nameOfPassword } from "./redis-client.js";
import { isRefusal, Refused, styleOf, watchAs } from "./style.js";

const settings = readServiceSettings(process.env);
const style = styleOf(process.env);
const provider = process.env.PROVIDER ?? "";

async function work({ username, password }: Credential): Promise<string> {
  if (!(await letsIn(provider, { username: username ?? "", password })))
    throw new Refused("the key is refused");
  return nameOfPassword(password);
}

const credential = await watchAs(style, settings);

async function begin(): Promise<Work> {
  if (style !== "pool") {
    const run = () => useCredential(credential, work, isRefusal);
    return { run, close: async () => undefined };
  }
  const pool = await swapPool<Credential>(credential, {
    open: (current) => current,
    prove: async (current) => void (await work(current)),
    drain: async () => undefined,
    isAuthFailure: isRefusal,
  });
  return { run: () => pool.use(work), close: () => pool.close() };
}

await serve(settings, credential, begin);
