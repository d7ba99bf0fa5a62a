/**
 * What the three example services have in common: a small web server that works on request, answers the
 * engine's challenges, tells its figures, and ends cleanly. They differ only in how they notice a new version.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { attestHandler, type CredentialWatch } from "../../kit/index.js";
import type { ServiceSettings } from "./settings.js";

/** What is not finished by then is broken off. */
const endMsMax = 10_000;

/** A service's own part: one request's work, which resolves with the login that did it, and its end. */
export interface Work {
  run(): Promise<string>;
  close(): Promise<void>;
}

/** Serves until SIGTERM, or until the process that started it is gone. Prints `{port, attestUrl, instance, pid}` once it listens. */
export async function serve(
  settings: ServiceSettings,
  watch: CredentialWatch,
  begin: () => Promise<Work>,
): Promise<void> {
  const figures = { requests: 0, failed: 0, changes: 0, troubles: 0 };
  let refusing = settings.refuseToMove;
  watch.onChange(() => figures.changes++);
  watch.onTrouble(() => figures.troubles++);
  // For the demonstration of a rollback: this service reads the new version and does not take it up.
  watch.beforeChange(async () => {
    if (refusing) throw new Error("told not to move");
    return undefined;
  });
  const work = await begin();

  const server = createServer();
  await new Promise<void>((resolve) => server.listen(settings.httpPort, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const instance = `127.0.0.1:${port}`;
  const attest = attestHandler({
    watch,
    keys: settings.engineKeys,
    credential: settings.credential,
    consumer: settings.service,
    instance,
  });

  const answer = async (response: ServerResponse) => {
    figures.requests++;
    try {
      json(response, 200, { ok: true, login: await work.run(), version: watch.current.version });
    } catch (error) {
      figures.failed++;
      json(response, 503, { ok: false, code: (error as { code?: string }).code ?? "error" });
    }
  };
  const refuse = async (request: IncomingMessage, response: ServerResponse) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    refusing = (JSON.parse(body) as { on: boolean }).on === true;
    if (!refusing) await watch.reload();
    json(response, 200, { on: refusing });
  };
  const stats = () => ({
    service: settings.service,
    instance,
    version: watch.current.version,
    since: watch.since,
    working: watch.working,
    refusing,
    ...figures,
  });

  server.on("request", (request, response) => {
    const route = `${request.method} ${request.url}`;
    if (route === "GET /work") void answer(response);
    else if (route === "GET /healthz") json(response, 200, { ok: true });
    else if (route === "GET /stats") json(response, 200, stats());
    else if (route === "POST /demo/refuse") {
      refuse(request, response).catch(() => json(response, 400, { error: "expected {on: true or false}" }));
    } else if (request.url === "/rekey/attest") attest(request, response);
    else json(response, 404, { error: "no such page" });
  });

  endWith(server, watch, work);
  const ready = { port, attestUrl: `http://${instance}/rekey/attest`, instance, pid: process.pid };
  process.stdout.write(`${JSON.stringify(ready)}\n`);
}

function json(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}

/** Stops taking requests, finishes those that run, and lets go of the database. */
function endWith(server: Server, watch: CredentialWatch, work: Work): void {
  const parent = process.ppid;
  let ending = false;
  const end = () => {
    if (ending) return;
    ending = true;
    watch.close();
    server.close(() => void work.close().finally(() => process.exit(0)));
    // A client keeps its connection open after the answer that it waited for.
    setInterval(() => server.closeIdleConnections(), 50).unref();
    setTimeout(() => process.exit(1), endMsMax).unref();
  };
  process.on("SIGTERM", end);
  process.on("SIGINT", end);
  setInterval(() => process.ppid !== parent && end(), 250).unref();
}
