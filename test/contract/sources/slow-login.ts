/** A way to a server on which logins stop halfway: the server has the connection, and the password is not there yet. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { onTestFinished } from "vitest";

/** One such way, for one connection. */
export interface SlowWay {
  readonly port: number;
  /** Settled when the login has come as far as it may. */
  readonly stopped: Promise<unknown>;
  /** Settled when the server has ended the connection. */
  readonly ended: Promise<unknown>;
  /** Lets the rest of it through. */
  goOn(): void;
}

/** Opens one to a port of 127.0.0.1; of what the client sends, the first `chunks` messages pass at once. It ends with the test. */
export async function slowWay(to: number, chunks: number): Promise<SlowWay> {
  let passing = chunks;
  const held: Buffer[] = [];
  let server: Socket | undefined;
  const stopped = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  const listener = createServer((client) => {
    const behind = connect(to, "127.0.0.1");
    server = behind;
    for (const end of [client, behind]) {
      end.on("error", () => undefined);
      onTestFinished(() => void end.destroy());
    }
    behind.on("close", () => {
      client.destroy();
      ended.resolve();
    });
    client.on("end", () => behind.end());
    behind.pipe(client);
    client.on("data", (chunk) => {
      if (passing > 0) behind.write(chunk);
      else held.push(chunk);
      if (passing === 0) stopped.resolve();
      passing--;
    });
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  onTestFinished(() => void listener.close());
  return {
    port: (listener.address() as AddressInfo).port,
    stopped: stopped.promise,
    ended: ended.promise,
    goOn: () => {
      passing = Number.POSITIVE_INFINITY;
      for (const chunk of held.splice(0)) server?.write(chunk);
    },
  };
}
