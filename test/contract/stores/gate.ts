/**
 * A gate in front of a real HTTP server: it passes everything through, counts it, and can be shut, fall
 * silent, lose an answer or let somebody else go first. The server behind it is the real one.
 */
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request,
  type ServerResponse,
} from "node:http";
import type { Socket } from "node:net";
import { freePort } from "../../../worker/dev/ports.js";

/** One request that came through. */
export interface Passed {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** An answer with another status than the server's. */
interface Rewritten {
  readonly status: number;
  readonly text: string;
}

/** What a gate takes for a change: for a REST server whatever is not GET, and not below `/sys` or `/auth`. */
export type IsChange = (request: Passed) => boolean;

const restChange: IsChange = ({ method, path }) => method !== "GET" && !/^\/v1\/(sys|auth)\//.test(path);

/** The gate; open and passing at first. */
export interface Gate {
  readonly address: string;
  readonly passed: Passed[];
  /** Requests are accepted and never answered, until it is set back. */
  silent: boolean;
  /** The next change arrives, and its answer is cut off; once. */
  losing: boolean;
  /** Puts another answer in the place of the server's; `null` for as it is. */
  rewrite: ((request: Passed, answer: string, status: number) => string | Rewritten) | null;
  /** Waited for before any request goes through. */
  onRequest: ((request: Passed) => Promise<void>) | null;
  /** Runs once, before the next change goes through. */
  beforeChange: (() => Promise<void>) | null;
  /** Nobody listens any more; resolves to what opens it again at the same address. */
  shut(): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

/** Opens a gate to the server at `target` on a free port of 127.0.0.1. */
export async function openGate(target: string, isChange: IsChange = restChange): Promise<Gate> {
  const sockets = new Set<Socket>();
  const gate = {
    passed: [] as Passed[],
    silent: false,
    losing: false,
    beforeChange: null,
    rewrite: null,
    onRequest: null,
  } as unknown as Gate & {
    address: string;
  };
  const server = createServer((incoming, outgoing) => {
    void pass(gate, target, isChange, incoming, outgoing);
  });
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  const listen = (port: number) => new Promise<void>((done) => server.listen(port, "127.0.0.1", done));
  const stop = () =>
    new Promise<void>((done) => {
      server.close(() => done());
      for (const socket of sockets) socket.destroy();
    });
  // Of those that no connection takes while it is shut, be it one that looks for itself there.
  const port = await freePort();
  await listen(port);
  return Object.assign(gate, {
    address: `http://127.0.0.1:${port}`,
    shut: async () => {
      await stop();
      return () => listen(port);
    },
    close: stop,
  });
}

async function pass(
  gate: Gate,
  target: string,
  isChange: IsChange,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const method = incoming.method ?? "";
  const path = incoming.url ?? "";
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const passed = { method, path, headers: incoming.headers, body: Buffer.concat(chunks).toString("utf8") };
  gate.passed.push(passed);
  if (gate.silent) return;
  await gate.onRequest?.(passed);
  const changes = isChange(passed);
  if (changes && gate.beforeChange !== null) {
    const first = gate.beforeChange;
    gate.beforeChange = null;
    await first();
  }
  const lose = changes && gate.losing;
  if (lose) gate.losing = false;
  // The host as the client named it: a signed request is signed for that.
  const { headers } = incoming;
  const onward = request(`${target}${path}`, { method, headers }, (answer) => {
    if (lose) {
      answer.resume();
      answer.on("end", () => outgoing.destroy());
      return;
    }
    const { rewrite } = gate;
    if (rewrite !== null) {
      void textOf(answer).then((text) => {
        const { "content-length": _, ...headers } = answer.headers;
        const status = answer.statusCode ?? 502;
        const given = rewrite(passed, text, status);
        const other = typeof given === "string" ? { status, text: given } : given;
        outgoing.writeHead(other.status, headers).end(other.text);
      });
      return;
    }
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(outgoing);
  });
  onward.on("error", () => outgoing.destroy());
  onward.end(Buffer.concat(chunks));
}

async function textOf(stream: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}
