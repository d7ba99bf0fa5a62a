/** A provider of keys with an HTTP API, a process of its own that all lanes share; each lane has an account there. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { ProviderAccount, Ready } from "../../contract/issuers/http-provider.js";
import { nodeEnv } from "../../support/node-env.js";
import type { Provider } from "../worlds/world.js";

const program = fileURLToPath(new URL("../../contract/issuers/http-provider.js", import.meta.url));

/** The provider as the house has it: with the file in which it keeps everything. */
export type OwnProvider = Provider & { readonly traces: readonly string[]; stop(): Promise<void> };

/** Starts it. */
export async function startProvider(folder: string): Promise<OwnProvider> {
  const stateFile = join(folder, "provider.state");
  const child = spawn(process.execPath, [program], {
    env: { ...nodeEnv(), STATE_FILE: stateFile },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const { url } = await firstLine(child);
  const control = async (method: string, token: string, account?: Partial<ProviderAccount>) => {
    const answer = await fetch(new URL("/control/account", url), {
      method,
      headers: { "x-token": token },
      ...(account === undefined ? {} : { body: JSON.stringify(account) }),
    });
    return (await answer.json()) as ProviderAccount;
  };
  return {
    url,
    put: async (token, account) => void (await control("PUT", token, account)),
    account: (token) => control("GET", token),
    refuse: async (token, status) => void (await control("PATCH", token, { refuse: status })),
    traces: [stateFile],
    stop: async () => {
      const exit = once(child, "exit");
      child.kill("SIGTERM");
      await exit;
    },
  };
}

async function firstLine(child: ChildProcess): Promise<Ready> {
  const lines = createInterface({ input: child.stdout ?? process.stdin });
  const [line] = await Promise.race([
    once(lines, "line"),
    once(child, "exit").then(([code]) => Promise.reject(new Error(`the provider ended with ${code}`))),
  ]);
  return JSON.parse(String(line)) as Ready;
}
