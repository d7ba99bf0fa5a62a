/**
 * A door between the engine and one server, that can be shut, can swallow whatever comes, or can be slow, while
 * everybody else goes on to reach the server: an outage as the engine sees it, for one lane and not for the others.
 */

import { createServer, connect as dial, type Server, type Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";

/** What the door does. `hung`: connections are accepted and never answered, and open ones fall silent. */
export type DoorState = "open" | "stopped" | "hung" | "slow";

const slowMs = 300;

/** One door. */
export class Gateway {
  readonly #server: Server;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  readonly #waiting = new Set<Socket>();
  #state: DoorState = "open";

  private constructor(server: Server) {
    this.#server = server;
  }

  /** Opens a door to `host:port`. */
  static async to(host: string, port: number): Promise<Gateway> {
    const server = createServer();
    const gateway = new Gateway(server);
    server.on("connection", (socket) => gateway.#accept(socket, host, port));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return gateway;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  }

  /** Changes what it does, for open connections too. */
  become(state: DoorState): void {
    this.#state = state;
    if (state === "stopped" || state === "open") {
      for (const socket of this.#waiting) socket.destroy();
      this.#waiting.clear();
    }
    for (const [near, far] of this.#pairs) {
      // What fell silent in the middle of an answer cannot go on later as if nothing had been.
      if (state === "stopped") near.destroy();
      else if (state === "hung") for (const socket of [near, far]) socket.pause();
      else for (const socket of [near, far]) socket.resume();
    }
  }

  #accept(near: Socket, host: string, port: number): void {
    near.on("error", () => undefined);
    if (this.#state === "stopped") {
      near.destroy();
      return;
    }
    if (this.#state === "hung") {
      this.#waiting.add(near);
      near.once("close", () => this.#waiting.delete(near));
      return;
    }
    const far = dial(port, host);
    far.on("error", () => near.destroy());
    const pair = [near, far] as const;
    this.#pairs.add(pair);
    for (const [from, to] of [pair, [far, near] as const]) {
      // One after the other: what is sent while it is quick again must not overtake what was slow.
      let before: Promise<unknown> = Promise.resolve();
      from.on("data", (chunk: Buffer) => {
        const ready = this.#state === "slow" ? Promise.all([before, pause(slowMs)]) : before;
        before = ready.then(() => to.write(chunk));
      });
      from.once("close", () => {
        to.destroy();
        this.#pairs.delete(pair);
      });
    }
  }

  async close(): Promise<void> {
    this.become("stopped");
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
