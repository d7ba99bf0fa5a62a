/**
 * How bytes get to Vault. node-vault's own transport follows redirects with the token attached, obeys proxy
 * and "skip verification" variables of the environment, and cannot be stopped by a signal; none of that is
 * fit for a path that carries every secret, so its documented `request-promise` option is given this one.
 */
import { readFileSync } from "node:fs";
import { Agent as PlainAgent, request as requestPlain } from "node:http";
import { request as requestTls, Agent as TlsAgent } from "node:https";
import type { Socket } from "node:net";
import { RekeyError } from "../../../domain/errors.js";

/** Trust in the server: a CA to check it by and the name it must bear. Verification cannot be switched off. */
export interface TlsTrust {
  readonly caFile?: string | undefined;
  readonly serverName?: string | undefined;
}

/**
 * Why there is no answer. `unreached`: nothing arrived there. `lost`: it may have arrived. `untrusted`: the
 * certificate is not the expected one. `garbled`: what answered does not speak Vault's language.
 */
export type Failure = "unreached" | "lost" | "untrusted" | "garbled";

/** A failure of the transport; it carries neither the request nor what came back. */
export class TransportError extends Error {
  override readonly name = "TransportError";
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure);
    this.failure = failure;
  }
}

/** The part of node-vault's request options that is used here. */
interface SendOptions {
  readonly uri: string;
  readonly method: string;
  readonly headers?: Record<string, string>;
  readonly json?: unknown;
  readonly signal?: AbortSignal;
}

interface Sent {
  readonly statusCode: number;
  readonly body: unknown;
  readonly request: { readonly path: string };
}

/** Answers beyond this are not Vault's: its own limit for a stored document is 1 MiB. */
const answerBytesMax = 4 * 1024 * 1024;

const untrustedCodes = /^(CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|HOSTNAME_MISMATCH|ERR_TLS_CERT_)/;

/** A transport in the shape that node-vault asks for. Connections are kept open between calls and hold no program up. */
export interface Transport {
  defaults(): (options: SendOptions) => Promise<Sent>;
}

/** A transport with its own connections. The CA file is read at the first call, and anew after it failed to prove a server. */
export function createTransport(trust: TlsTrust): Transport {
  const plain = new PlainAgent({ keepAlive: true, maxSockets: 32 });
  let secure: TlsAgent | undefined;
  const agentFor = (url: URL) => {
    if (url.protocol !== "https:") return plain;
    secure ??= new TlsAgent({
      keepAlive: true,
      maxSockets: 32,
      minVersion: "TLSv1.2",
      rejectUnauthorized: true,
      ...(trust.caFile === undefined ? {} : { ca: readCa(trust.caFile) }),
      ...(trust.serverName === undefined ? {} : { servername: trust.serverName }),
    });
    return secure;
  };
  const send = async (options: SendOptions): Promise<Sent> => {
    try {
      const url = new URL(options.uri);
      return await exchange(url, options, agentFor(url));
    } catch (error) {
      if (error instanceof TransportError && error.failure === "untrusted") {
        secure?.destroy();
        secure = undefined;
      }
      throw error;
    }
  };
  return { defaults: () => send };
}

function exchange(url: URL, options: SendOptions, agent: PlainAgent | TlsAgent): Promise<Sent> {
  const body = options.json === undefined ? undefined : Buffer.from(JSON.stringify(options.json), "utf8");
  const headers: Record<string, string> = {
    accept: "application/json",
    "X-Vault-Request": "true",
    ...options.headers,
  };
  if (body !== undefined) {
    headers["Content-Type"] ??= "application/json";
    headers["Content-Length"] = String(body.length);
  }
  const start = url.protocol === "https:" ? requestTls : requestPlain;
  return new Promise((resolve, reject) => {
    let arrived = false;
    const request = start(url, {
      method: options.method,
      headers,
      agent,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    const fail = (error: NodeJS.ErrnoException) => reject(new TransportError(failureOf(error, arrived)));
    request.on("error", fail);
    request.on("socket", (socket) => whenReady(socket, url, () => (arrived = true)));
    request.on("response", (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on("error", fail);
      // A connection cut in the middle of an answer ends the stream without an error event on some paths.
      response.on("close", () => reject(new TransportError("lost")));
      response.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > answerBytesMax) {
          reject(new TransportError("garbled"));
          request.destroy();
        } else chunks.push(chunk);
      });
      response.on("end", () => {
        const parsed = parse(Buffer.concat(chunks).toString("utf8"));
        if (parsed === undefined) reject(new TransportError("garbled"));
        else resolve({ statusCode: response.statusCode ?? 0, body: parsed, request: { path: url.pathname } });
      });
    });
    request.end(body);
  });
}

/** Calls back once the request can have left: at once on a kept connection, else when the (secure) connection stands. */
function whenReady(socket: Socket, url: URL, ready: () => void): void {
  if (socket.connecting) socket.once(url.protocol === "https:" ? "secureConnect" : "connect", ready);
  else ready();
}

function failureOf(error: NodeJS.ErrnoException, arrived: boolean): Failure {
  if (untrustedCodes.test(error.code ?? "")) return "untrusted";
  return arrived ? "lost" : "unreached";
}

/** The JSON object of an answer, `{}` for an empty one, `undefined` for anything that Vault would not say. */
function parse(text: string): Record<string, unknown> | undefined {
  if (text.trim() === "") return {};
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function readCa(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    throw new RekeyError("missing-setup", `The CA file ${path} of the Vault store cannot be read.`);
  }
}
