/**
 * A consumer of a provider's key, in a process of its own: it takes the key from a file with the kit, calls the provider
 * all the time, and keeps count of what it was answered, with which version.
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { attestHandler, fromFile, watch } from "../../kit/index.js";

/** Its first line of output. */
export interface Ready {
  readonly url: string;
}

/** So many calls in a row that were answered alike. */
export interface Stretch {
  /** The version that it held, `""` before the first rotation. */
  readonly version: string;
  readonly ok: boolean;
  calls: number;
}

const env = process.env as Record<string, string>;
const credential = await watch({ load: fromFile(env.STORE_FILE ?? ""), intervalMs: 20 });
const stretches: Stretch[] = [];
let stopped = false;

async function work(): Promise<void> {
  while (!stopped) {
    const { current } = credential;
    const headers = { authorization: `Bearer ${current.password}` };
    const { status } = await fetch(`${env.PROVIDER}/v1/me`, { headers });
    const ok = status === 200;
    if (ok) credential.reportWorking(current);
    const last = stretches.at(-1);
    const version = current.version ?? "";
    if (last?.ok === ok && last.version === version) last.calls += 1;
    else stretches.push({ version, ok, calls: 1 });
    await pause(15);
  }
}
const working = work();

const server = createServer();
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
const instance = `127.0.0.1:${(server.address() as AddressInfo).port}`;
const attest = attestHandler({
  watch: credential,
  keys: JSON.parse(env.ENGINE_JWK ?? ""),
  credential: env.CREDENTIAL ?? "",
  consumer: env.CONSUMER ?? "",
  instance,
});
server.on("request", async (request, response) => {
  if (request.url === "/rekey/attest") return attest(request, response);
  if (request.url === "/stop") {
    stopped = true;
    await working;
  }
  response.end(JSON.stringify(stretches));
});
const ready: Ready = { url: `http://${instance}` };
process.stdout.write(`${JSON.stringify(ready)}\n`);
