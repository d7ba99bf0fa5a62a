/**
 * One small HTTP request whose failure never repeats what the other side said. Redirects are not followed: a
 * question that is meant for one instance must not be answered by another, nor a token be carried elsewhere.
 */
import { readFile } from "node:fs/promises";
import { type IncomingHttpHeaders, request as plainRequest, type RequestOptions } from "node:http";
import { request as tlsRequest } from "node:https";
import type { LookupFunction } from "node:net";
import { z } from "zod";
import { RekeyError } from "../../domain/errors.js";
import { secretRef } from "../../domain/estate/secret-ref.js";
import type { AdapterDeps, Call } from "../ports.js";

/** What is sent. `name` says in sentences who is asked; the address itself may hold a token and is never shown. */
export interface Outgoing {
  readonly name: string;
  readonly url: URL;
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly tls?: TlsMaterial;
  /** Leads to an address that was looked at before; absent where the system resolves the name. */
  readonly lookup?: LookupFunction;
  readonly answerBytesMax: number;
}

/** What came back, whatever its status. */
export interface Incoming {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** Read and resolved TLS settings. */
export interface TlsMaterial {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly servername?: string;
}

/** The `tls` of a kind's settings. Verification cannot be switched off. */
export function tlsSchema() {
  return z.strictObject({
    caFile: z.string().min(1).optional().describe("Certificate authority to check the server by, as PEM."),
    serverName: z.string().min(1).optional().describe("Name that the server's certificate must bear."),
    certFile: z.string().min(1).optional().describe("Our client certificate, as PEM."),
    key: secretRef().optional().describe("The client certificate's private key, as a reference."),
  });
}

/** Settings of `tlsSchema` as they come out of it. */
export type TlsSettings = z.output<ReturnType<typeof tlsSchema>>;

/** Reads the files and the key anew, so that certificates can be replaced while the engine runs. Throws `missing-setup`. */
export async function tlsMaterial(
  settings: TlsSettings | undefined,
  deps: AdapterDeps,
  call: Call,
): Promise<TlsMaterial> {
  if (settings === undefined) return {};
  const key = settings.key === undefined ? undefined : await deps.resolve(settings.key, call);
  return {
    ...(settings.caFile === undefined ? {} : { ca: await pem(settings.caFile) }),
    ...(settings.certFile === undefined ? {} : { cert: await pem(settings.certFile) }),
    ...(key === undefined ? {} : { key: key.reveal() }),
    ...(settings.serverName === undefined ? {} : { servername: settings.serverName }),
  };
}

async function pem(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch {
    throw new RekeyError("missing-setup", `The certificate file ${path} could not be read.`);
  }
}

/** Sends the request once. Throws `unreachable` when there is no whole answer before the call ends. */
export function exchange(outgoing: Outgoing, call: Call): Promise<Incoming> {
  const { url, method, body } = outgoing;
  const secure = url.protocol === "https:";
  const options: RequestOptions & TlsMaterial = {
    method,
    agent: false,
    signal: call.signal,
    ...(outgoing.lookup === undefined ? {} : { lookup: outgoing.lookup }),
    headers: { ...outgoing.headers, "content-length": Buffer.byteLength(body ?? "") },
    ...(secure ? outgoing.tls : {}),
  };
  return new Promise((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException) => reject(translated(error, outgoing.name, call));
    const request = (secure ? tlsRequest : plainRequest)(url, options, (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on("error", fail);
      response.on("close", () => reject(unreachable(outgoing.name, "broke off its answer")));
      response.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes <= outgoing.answerBytesMax) return void chunks.push(chunk);
        reject(unreachable(outgoing.name, "answered at more length than it may"));
        request.destroy();
      });
      response.on("end", () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text: Buffer.concat(chunks).toString("utf8"),
        }),
      );
    });
    request.on("error", fail);
    request.end(body);
  });
}

const untrusted = /^(CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|HOSTNAME_MISMATCH|ERR_TLS_CERT_)/;

function translated(error: NodeJS.ErrnoException, name: string, call: Call): RekeyError {
  const code = error.code ?? "";
  if (call.signal.aborted) return unreachable(name, "did not answer in time");
  if (code === "ECONNREFUSED") return unreachable(name, "refused the connection");
  if (code === "ENOTFOUND" || code === "EAI_AGAIN")
    return unreachable(name, "has a name that does not resolve");
  if (untrusted.test(code)) return unreachable(name, "showed a certificate that is not trusted");
  return unreachable(name, "could not be reached");
}

function unreachable(name: string, what: string): RekeyError {
  return new RekeyError("unreachable", `${name} ${what}.`);
}
