/**
 * A place in front of a real server, where its answers can be spoilt on their way: what no server can be made to say itself,
 * and a gateway, a bad disk or a release to come may.
 */
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import {
  createServer as createHttp,
  type IncomingMessage,
  request as requestHttp,
  type ServerResponse,
} from "node:http";
import { createServer as createHttps, request as requestHttps } from "node:https";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { buffer } from "node:stream/consumers";
import type { TestCertificate } from "../issuers/certificate.js";

/** One that listens. Until `change` is set, everything passes as it is. */
export interface Front {
  readonly port: number;
  /** What is made of an answer; `path` is what was asked for, with its query. */
  change: (answer: Buffer, path: string) => Buffer;
  close(): Promise<void>;
}

/** How a front for HTTP speaks TLS, and by which certificate it knows the server. */
export interface FrontTls {
  readonly own: TestCertificate;
  readonly caFile: string;
}

async function listening(server: Server, end: () => void): Promise<Front> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    change: (answer) => answer,
    close: async () => {
      const closed = once(server, "close");
      server.close();
      end();
      await closed;
    },
  };
}

/** In front of a server of HTTP; with `tls`, of HTTPS on both sides. */
export async function httpFront(to: string, tls?: FrontTls): Promise<Front> {
  const ca = tls === undefined ? undefined : await readFile(tls.caFile);
  const pass = async (asked: IncomingMessage, answer: ServerResponse) => {
    const body = await buffer(asked);
    const send = tls === undefined ? requestHttp : requestHttps;
    const { method, headers } = asked;
    const question = send(new URL(asked.url ?? "/", to), { method, headers, ...(ca ? { ca } : {}) });
    question.end(body);
    const [response] = (await once(question, "response")) as [IncomingMessage];
    const changed = front.change(await buffer(response), asked.url ?? "/");
    const { "transfer-encoding": _, ...rest } = response.headers;
    answer.writeHead(response.statusCode ?? 500, { ...rest, "content-length": changed.length });
    answer.end(changed);
  };
  const take = (asked: IncomingMessage, answer: ServerResponse) =>
    void pass(asked, answer).catch(() => answer.destroy());
  const server =
    tls === undefined ? createHttp(take) : createHttps({ cert: tls.own.certificate, key: tls.own.key }, take);
  const front = await listening(server, () => server.closeAllConnections());
  return front;
}

/** In front of any server of 127.0.0.1: `change` is asked of each piece that it sends, with an empty path. */
export async function tcpFront(to: number): Promise<Front> {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const behind = connect(to, "127.0.0.1");
    for (const [one, other] of [
      [client, behind],
      [behind, client],
    ] as const) {
      sockets.add(one);
      one.on("error", () => undefined).on("close", () => other.destroy());
    }
    client.pipe(behind);
    behind.on("data", (piece: Buffer) => client.write(front.change(piece, "")));
  });
  const front = await listening(server, () => {
    for (const socket of sockets) socket.destroy();
  });
  return front;
}
