/**
 * Free ports for development servers, kept apart because every server needs one and none may be left to
 * chance: two test runs on one machine must not meet.
 */

import { connect, createServer } from "node:net";

/**
 * A TCP port on 127.0.0.1 that was free a moment ago. The kernel hands out another one each time, so that a
 * clash needs a third program to take this very port before the server does.
 */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.unref();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

/** True when something accepts TCP connections on 127.0.0.1 at that port; never throws. */
export function accepts(port: number, timeoutMs = 500): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
    const done = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(timeoutMs, () => done(false));
    socket.once("connect", () => done(true));
    socket.once("error", () => done(false));
  });
}
