/**
 * Free ports for development servers, kept apart because every server needs one and none may be left to
 * chance: two test runs on one machine must not meet.
 */

import { randomInt } from "node:crypto";
import { connect, createServer } from "node:net";

/** Below what Linux (from 32768) and macOS (from 49152) give to whoever connects: such a port is taken by no connection meanwhile. */
const lowest = 15_000;
const highest = 32_000;
const triesMax = 100;

/**
 * A TCP port on 127.0.0.1 that was free a moment ago, by chance and not by turns, so that two runs that ask at once do not
 * get the same. A clash needs a third program that takes this very port before the server does.
 */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < triesMax; tries++) {
    const port = randomInt(lowest, highest);
    if (await mayListen(port)) return port;
  }
  throw new Error(`of ${triesMax} ports between ${lowest} and ${highest} none is free on 127.0.0.1`);
}

function mayListen(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.unref();
    probe.once("error", (error: NodeJS.ErrnoException) =>
      error.code === "EADDRINUSE" ? resolve(false) : reject(error),
    );
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(true)));
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
