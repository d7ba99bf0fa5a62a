/** A wire in front of a real server that can be cut at the worst moment: after a change was sent, before or after it was made. */
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** The wire; it passes everything on at first. */
export interface Wire {
  readonly port: number;
  /**
   * What happens to the next statement that contains `text`: `before` cuts without passing it on, `after`
   * passes it on and cuts when the server has answered. Then the wire is whole again unless `stayDown`.
   */
  cutNext(text: string, moment: "before" | "after", stayDown?: boolean): void;
  /** All that went to the server so far, as text. */
  sent(): string;
  close(): Promise<void>;
}

/** Opens a wire to a server on 127.0.0.1. */
export async function wireTo(port: number): Promise<Wire> {
  const sockets = new Set<Socket>();
  let cut: { text: string; moment: "before" | "after"; stayDown: boolean } | null = null;
  let down = false;
  let sent = "";
  const server = createServer((near) => {
    if (down) {
      near.destroy();
      return;
    }
    const far = connect(port, "127.0.0.1");
    const ended = joined(near, far, sockets);
    let cutting = false;
    near.on("data", (chunk) => {
      sent += chunk.toString("latin1");
      if (cut !== null && chunk.includes(cut.text)) {
        down = cut.stayDown;
        cutting = true;
        const { moment } = cut;
        cut = null;
        if (moment === "before") return ended();
      }
      far.write(chunk);
    });
    far.on("data", (chunk) => {
      if (cutting) ended();
      else near.write(chunk);
    });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return {
    port: (server.address() as AddressInfo).port,
    cutNext: (text, moment, stayDown = false) => {
      cut = { text, moment, stayDown };
    },
    sent: () => sent,
    close: () => shut(server, sockets),
  };
}

/** An address in front of servers. */
export interface Way {
  readonly port: number;
  close(): Promise<void>;
}

/** A way to a server on 127.0.0.1 on which all that a client says arrives late. */
export async function slowTo(port: number, delayMs: number): Promise<Way> {
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(port, "127.0.0.1");
    joined(near, far, sockets);
    near.on("data", (chunk) => setTimeout(() => far.write(chunk), delayMs));
    far.pipe(near);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return {
    port: (server.address() as AddressInfo).port,
    close: () => shut(server, sockets),
  };
}

/** One that leads to one server for its first connections, and to another one from then on: `first` gets `connections`, `then` the rest. */
export async function switchTo(
  first: number,
  then: number,
  connections: number,
  at: { readonly host: string; readonly port: number } = { host: "127.0.0.1", port: 0 },
): Promise<Way> {
  const sockets = new Set<Socket>();
  let passed = 0;
  const server = createServer((near) => {
    const far = connect(++passed > connections ? then : first, "127.0.0.1");
    joined(near, far, sockets);
    near.pipe(far);
    far.pipe(near);
  });
  await new Promise<void>((done) => server.listen(at.port, at.host, done));
  return {
    port: (server.address() as AddressInfo).port,
    close: () => shut(server, sockets),
  };
}

/** Both ends of one connection: where one ends, the other does. Answers with what ends both. */
function joined(near: Socket, far: Socket, sockets: Set<Socket>): () => void {
  const ended = () => {
    near.destroy();
    far.destroy();
  };
  for (const socket of [near, far]) {
    sockets.add(socket);
    socket.on("error", ended);
    socket.on("close", ended);
  }
  return ended;
}

function shut(server: Server, sockets: Iterable<Socket>): Promise<void> {
  return new Promise((done) => {
    for (const socket of sockets) socket.destroy();
    server.close(() => done());
  });
}
