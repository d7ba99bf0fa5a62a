/** Servers that give a value away to whoever logs their words: one sends back all that it was sent, one goes away in the middle. */
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";

/** The ports of both, on 127.0.0.1. */
export interface Hostile {
  readonly echo: number;
  readonly gone: number;
  close(): Promise<void>;
}

/** First words of PostgreSQL's clients: the version of the protocol, and the question for TLS. */
const [startup, tls] = [196_608, 80_877_103];

/** Starts both. */
export async function startHostile(): Promise<Hostile> {
  const sockets = new Set<Socket>();
  const listen = async (answer: (socket: Socket, said: Buffer) => void) => {
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => sockets.delete(socket));
      socket.on("data", (said: Buffer) => answer(socket, said));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return server;
  };
  const [echo, gone] = await Promise.all([listen(repeat), listen((socket) => socket.destroy())]);
  return {
    echo: (echo.address() as AddressInfo).port,
    gone: (gone.address() as AddressInfo).port,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await Promise.all([echo, gone].map((server) => new Promise((resolve) => server.close(resolve))));
    },
  };
}

/** An error of whichever protocol is spoken, with what was said in its text. */
function repeat(socket: Socket, said: Buffer): void {
  const text = said.toString("latin1");
  if (/^[A-Z]+ \//.test(text)) socket.end(httpError(text));
  else if (text.startsWith("*")) socket.write(`-ERR refused ${oneLine(text)}\r\n`);
  else if (said.length >= 8 && said.readInt32BE(4) === tls) socket.write("N");
  else if (said.length >= 8 && said.readInt32BE(4) === startup) socket.write(askForPassword());
  else socket.end(postgresError(`refused ${oneLine(text)}`));
}

/** As providers answer who show a developer the request that failed: in the body as JSON and XML, and in a header. */
function httpError(request: string): string {
  const [head = "", body = ""] = request.split("\r\n\r\n");
  const message = `failed: ${request}`;
  const answer = JSON.stringify({
    errors: [message],
    message,
    __type: "InternalFailure",
    request: { head, body },
  });
  return [
    "HTTP/1.1 500 Internal Server Error",
    "content-type: application/json",
    `content-length: ${Buffer.byteLength(answer)}`,
    `x-request: ${oneLine(head)}`,
    "connection: close",
    "",
    answer,
  ].join("\r\n");
}

/** The password as it is, not a proof of it. */
function askForPassword(): Buffer {
  const message = Buffer.alloc(9);
  message.write("R");
  message.writeInt32BE(8, 1);
  message.writeInt32BE(3, 5);
  return message;
}

function postgresError(message: string): Buffer {
  const fields = Buffer.from(`SFATAL\0VFATAL\0C28P01\0M${message}\0D${message}\0\0`, "latin1");
  const head = Buffer.alloc(5);
  head.write("E");
  head.writeInt32BE(fields.length + 4, 1);
  return Buffer.concat([head, fields]);
}

function oneLine(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]+/g, " ");
}
