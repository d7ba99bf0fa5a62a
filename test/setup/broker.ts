/**
 * Shares servers between test files. Vitest runs each file in a process of its own, and a second per file for
 * a server's start adds up to minutes; so this main process owns the servers, starts one when the first file
 * asks for it over loopback HTTP, and stops all at the end.
 */

import { randomBytes } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import pg from "pg";
import type { TestProject } from "vitest/node";
import { Secret } from "../../domain/secret.js";
import { openDatabase } from "../../inventory/database.js";
import { migrate } from "../../inventory/migrate.js";
import { findBinary } from "../../worker/dev/binaries.js";
import { startKubernetes } from "../../worker/dev/kubernetes-server.js";
import { startMoto } from "../../worker/dev/moto.js";
import { findBao } from "../../worker/dev/openbao.js";
import { kubernetesPin, temporalPin, vaultPin } from "../../worker/dev/pins.js";
import { startPostgres } from "../../worker/dev/postgres.js";
import { startTemporal } from "../../worker/dev/temporal-server.js";
import { startVault } from "../../worker/dev/vault-server.js";
import { selfSigned } from "../contract/issuers/certificate.js";
import { administratorOf } from "../support/aws-users.js";
import { operatorsKinds } from "../support/kubernetes.js";

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

interface Started {
  readonly about: Description;
  stop(): Promise<void>;
}

type ServerPath =
  | "/temporal"
  | "/postgres"
  | "/inventory"
  | "/vault"
  | "/openbao"
  | "/moto"
  | "/iam"
  | "/kubernetes";

/** What a start may ask for in its turn. */
type Ask = (path: ServerPath) => Promise<Started>;

const starters: Record<ServerPath, (ask: Ask) => Promise<Started>> = {
  "/temporal": async () => {
    const server = await startTemporal({ program: await findBinary(temporalPin, { progress }) });
    return { about: { address: server.address, namespace: server.namespace }, stop: () => server.stop() };
  },
  "/postgres": async () => {
    // Properties open one inventory after the other, and each keeps what it has opened for a while.
    const server = await startPostgres({ config: ["max_connections = 400"] });
    const about = { port: server.port, user: server.user, password: server.password.reveal() };
    return { about, stop: () => server.stop() };
  },
  "/inventory": async (ask) => {
    const { port, user, password } = (await ask("/postgres")).about;
    return { about: await inventoryTemplate(`${user}:${password}@127.0.0.1:${port}`), stop: async () => {} };
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
  "/kubernetes": async () => {
    const program = await findBinary(kubernetesPin, { progress });
    const { certificate, key } = selfSigned("rekey-by-certificate");
    const server = await startKubernetes(program, { clientAuthority: certificate });
    const { url, caFile, token } = server;
    await operatorsKinds(server);
    return {
      about: { url, caFile, token: token.reveal(), certificate, key },
      stop: () => server.stop(),
    };
  },
};

/** A database with every migration, which others are copied from: migrating takes longer than most tests. */
async function inventoryTemplate(at: string): Promise<Description> {
  const name = "inventory_template";
  const admin = new pg.Client({ connectionString: `postgres://${at}/postgres` });
  await admin.connect();
  await admin.query(`create database ${name}`);
  await admin.end();
  const db = openDatabase({ url: new Secret(`postgres://${at}/${name}`) });
  await migrate(db);
  await db.close();
  return { name };
}

async function vault(program: string) {
  const server = await startVault(program);
  return { about: { address: server.address, token: server.token.reveal() }, stop: () => server.stop() };
}

async function startBroker(): Promise<Broker> {
  const token = randomBytes(16).toString("hex");
  const started = new Map<string, Promise<Started>>();
  const ask: Ask = (path) => {
    const server = started.get(path) ?? starters[path](ask);
    started.set(path, server);
    return server;
  };
  const http: Server = createServer((request, response) => {
    const path = request.url as ServerPath;
    if (request.headers.authorization !== token || !Object.hasOwn(starters, path)) {
      response.writeHead(404).end();
      return;
    }
    ask(path).then(
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
