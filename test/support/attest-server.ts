/** A consumer that does nothing but hold a credential from a file and attest to it; each instance is a process of its own. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { attestHandler, bearer, fromFile, watch } from "../../kit/index.js";

/** Its first line of output. */
export interface Ready {
  readonly instance: string;
  readonly url: string;
}

const env = process.env as Record<string, string>;
const credential = await watch({ load: fromFile(env.STORE_FILE ?? ""), intervalMs: 0 });
let staying = false;
let idle = false;

credential.beforeChange(async () => {
  if (staying) throw new Error("told to stay");
  return undefined;
});
const work = () => (idle ? undefined : credential.reportWorking(credential.current));
credential.onChange(work);
work();

const server = createServer();
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
const instance = `127.0.0.1:${(server.address() as AddressInfo).port}`;
const attest = attestHandler({
  watch: credential,
  keys: JSON.parse(env.ENGINE_JWK ?? ""),
  credential: env.CREDENTIAL ?? "",
  consumer: env.CONSUMER ?? "",
  instance: env.INSTANCE ?? instance,
  ...(env.BURST === undefined ? {} : { burst: Number(env.BURST), perSecond: 0.001 }),
  ...(env.BEARER === undefined ? {} : { authorize: bearer(() => env.BEARER ?? "") }),
});
server.on("request", (request, response) => {
  if (request.url === "/stay") staying = true;
  else if (request.url === "/idle") idle = true;
  else return attest(request, response);
  response.end();
});
const ready: Ready = { instance, url: `http://${instance}` };
process.stdout.write(`${JSON.stringify(ready)}\n`);
