/** Listening: where, over TLS or not, how slow a sender may be, and an end that lets begun requests finish. */
import { createServer as createPlain, type Server } from "node:http";
import { createServer as createTls } from "node:https";
import type { AddressInfo } from "node:net";
import { createAdaptorServer } from "@hono/node-server";
import type { Hono } from "hono";
import { RekeyError } from "../../domain/errors.js";
import type { Secret } from "../../domain/secret.js";
import { isLoopback } from "./address.js";

/** Where to listen and how. */
export interface ListenOptions {
  readonly host: string;
  /** 0 for any that is free. */
  readonly port: number;
  readonly tls?: { readonly certificate: string; readonly key: Secret };
  /** Without TLS it listens on loopback only, unless this says otherwise. */
  readonly plainAnywhere?: boolean;
  readonly limits?: Partial<SlowLimits>;
}

interface SlowLimits {
  /** For a request to arrive, its head and all of it, in milliseconds. */
  readonly headMsMax: number;
  readonly requestMsMax: number;
  /** For begun requests, once the end was asked for. */
  readonly graceMs: number;
}

const usual: SlowLimits = { headMsMax: 10_000, requestMsMax: 15_000, graceMs: 20_000 };
const connectionsMax = 500;

/** A server that listens. `stop` takes no new request, lets begun ones end, and resolves when nothing is left. */
export interface RunningApi {
  readonly url: string;
  stop(): Promise<void>;
}

/** Listens. Throws `missing-setup` where it must not or cannot. */
export async function listenApi(app: Hono, options: ListenOptions): Promise<RunningApi> {
  const { host, port, tls } = options;
  if (tls === undefined && !isLoopback(host) && options.plainAnywhere !== true) {
    throw new RekeyError(
      "missing-setup",
      `The API would listen on ${host} without TLS.`,
      "Set REKEY_API_TLS_CERT and REKEY_API_TLS_KEY. Behind a proxy that ends TLS: REKEY_API_PLAIN=anywhere.",
    );
  }
  const limits = { ...usual, ...options.limits };
  const slow = {
    headersTimeout: limits.headMsMax,
    requestTimeout: limits.requestMsMax,
    keepAliveTimeout: 5_000,
    connectionsCheckingInterval: 500,
  };
  const server = adaptorOf(app, tls, slow);
  server.maxConnections = connectionsMax;
  server.maxHeadersCount = 50;
  await new Promise<void>((resolve, reject) => {
    server.once("error", (failure: NodeJS.ErrnoException) => {
      const sentence = `The API cannot listen on ${host}:${port} (${failure.code ?? "no reason given"}).`;
      reject(new RekeyError("missing-setup", sentence, "Set REKEY_API_LISTEN to an address that is free."));
    });
    server.listen(port, host, resolve);
  });
  const { port: chosen } = server.address() as AddressInfo;
  const name = host.includes(":") ? `[${host}]` : host;
  return {
    url: `${tls === undefined ? "http" : "https"}://${name}:${chosen}`,
    stop: () => stopped(server, limits.graceMs),
  };
}

function adaptorOf(app: Hono, tls: ListenOptions["tls"], slow: object): Server {
  const made =
    tls === undefined
      ? createAdaptorServer({ fetch: app.fetch, createServer: createPlain, serverOptions: slow })
      : createAdaptorServer({
          fetch: app.fetch,
          createServer: createTls,
          serverOptions: { ...slow, ...keyPair(tls), minVersion: "TLSv1.2" as const },
        });
  return made as Server;
}

function keyPair({ certificate, key }: NonNullable<ListenOptions["tls"]>) {
  return { cert: certificate, key: key.reveal() };
}

async function stopped(server: Server, graceMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), graceMs);
  await closed;
  clearTimeout(timer);
}
