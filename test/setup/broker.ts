/**
 * Shares servers between test files. Vitest runs each file in a process of its own, and a second per file for
 * a server's start adds up to minutes; so this main process owns the servers, starts one when the first file
 * asks for it over loopback HTTP, and stops all at the end.
 */

import { randomBytes } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestProject } from "vitest/node";
import { findBinary } from "../../worker/dev/binaries.js";
import { startMoto } from "../../worker/dev/moto.js";
import { findBao } from "../../worker/dev/openbao.js";
import { temporalPin, vaultPin } from "../../worker/dev/pins.js";
import { startPostgres } from "../../worker/dev/postgres.js";
import { startTemporal } from "../../worker/dev/temporal-server.js";
import { startVault } from "../../worker/dev/vault-server.js";
import { administratorOf } from "../support/aws-users.js";

declare module "vitest" {
  interface ProvidedContext {
    broker: { readonly url: string; readonly token: string };
  }
}

/** What the broker tells a test file about one server: plain data, secrets revealed, over loopback only. */
type Description = Readonly<Record<string, string | number>>;

interface Broker {
  readonly url: string;
  readonly token: string;
  users: number;
  stop(): Promise<void>;
}

const progress = (line: string): void => void process.stderr.write(`set-up: ${line}\n`);

const starters = {
  "/temporal": async () => {
    const server = await startTemporal({ program: await findBinary(temporalPin, { progress }) });
    return { about: { address: server.address, namespace: server.namespace }, stop: () => server.stop() };
  },
  "/postgres": async () => {
    const server = await startPostgres();
    const about = { port: server.port, user: server.user, password: server.password.reveal() };
    return { about, stop: () => server.stop() };
  },
  "/vault": async () => {
    return vault(await findBinary(vaultPin, { progress }));
  },
  "/openbao": async () => {
    return vault(await findBao({ progress }));
  },
  "/moto": async () => {
    const server = await startMoto({ progress });
    return { about: { address: server.address }, stop: () => server.stop() };
  },
  "/iam": async () => {
    const server = await startMoto({ progress, authorised: true });
    return {
      about: { address: server.address, ...(await administratorOf(server.address)) },
      stop: () => server.stop(),
    };
  },
} satisfies Record<string, () => Promise<{ about: Description; stop: () => Promise<void> }>>;

async function vault(program: string) {
  const server = await startVault(program);
  return { about: { address: server.address, token: server.token.reveal() }, stop: () => server.stop() };
}

async function startBroker(): Promise<Broker> {
  const token = randomBytes(16).toString("hex");
  const started = new Map<string, ReturnType<(typeof starters)[keyof typeof starters]>>();
  const http: Server = createServer((request, response) => {
    const path = request.url as keyof typeof starters;
    const start = starters[path];
    if (request.headers.authorization !== token || start === undefined) {
      response.writeHead(404).end();
      return;
    }
    const server = started.get(path) ?? start();
    started.set(path, server);
    server.then(
      ({ about }) => response.writeHead(200).end(JSON.stringify(about)),
      (error: Error) => response.writeHead(500).end(error.message),
    );
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  http.unref();
  const stop = async (): Promise<void> => {
    http.close();
    // A server whose start failed has nothing to stop; its error was already given to whoever asked.
    await Promise.allSettled([...started.values()].map(async (server) => (await server).stop()));
  };
  return { url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`, token, users: 0, stop };
}

// Vitest loads this file once per suite; the servers are one set for all of them.
const shared = globalThis as { rekeyTestBroker?: Promise<Broker> | undefined };

/** Called by Vitest before a suite: tells its test files where to ask for servers. */
export async function setup(project: TestProject): Promise<void> {
  shared.rekeyTestBroker ??= startBroker();
  const broker = await shared.rekeyTestBroker;
  broker.users++;
  project.provide("broker", { url: broker.url, token: broker.token });
}

/** Called by Vitest after the run, once per suite: the last call stops the servers. */
export async function teardown(): Promise<void> {
  const broker = await shared.rekeyTestBroker;
  if (broker === undefined || --broker.users > 0) return;
  shared.rekeyTestBroker = undefined;
  await broker.stop();
}
