/**
 * A service that counts orders at Redis: it writes at the primary and reads at the replica, with a connection for
 * each request or with one that it keeps. Sessions that are ended under its hands are opened again, as clients of
 * Redis do (docs/kinds/redis.md).
 */
import { serve, type Work } from "../../../examples/services/serve.js";
import { readServiceSettings } from "../../../examples/services/settings.js";
import { type Credential, swapPool, useCredential } from "../../../kit/index.js";
import { connectAs, hangUp, isLost, isRefused, nameOfPassword, type RedisClient } from "./redis-client.js";
import { isRefusal, Refused, styleOf, watchAs } from "./style.js";

/** How often a request is tried whose connection is lost: several who end sessions may follow one another. */
const triesMax = 4;

const settings = readServiceSettings(process.env);
const style = styleOf(process.env);
const key = `${process.env.REDIS_USER}:orders`;
const nodes = (process.env.REDIS_NODES ?? "").split(",").map((node) => {
  const [host = "", port = ""] = node.split(":");
  return { host, port: Number(port) };
});

/** Connections of one version to all nodes, opened when there is something to do. */
class Connections {
  readonly #credential: Credential;
  readonly #open = new Map<number, RedisClient>();

  constructor(credential: Credential) {
    this.#credential = credential;
  }

  /** One order, and a look at the other nodes. Returns what tells the password that all this was done with. */
  async work(): Promise<string> {
    for (let tries = 1; ; tries++) {
      try {
        await (await this.#at(0)).sendCommand(["INCR", key]);
        for (const index of nodes.keys())
          if (index > 0) await (await this.#at(index)).sendCommand(["GET", key]);
        return nameOfPassword(this.#credential.password);
      } catch (error) {
        if (isRefused(error)) throw new Refused("the password is refused");
        if (!isLost(error) || tries >= triesMax) throw error;
      }
    }
  }

  end(): void {
    for (const client of this.#open.values()) hangUp(client);
    this.#open.clear();
  }

  async #at(index: number): Promise<RedisClient> {
    const open = this.#open.get(index);
    if (open?.isReady) return open;
    const { username, password } = this.#credential;
    const at = nodes[index] ?? { host: "", port: 0 };
    const client = await connectAs(at, { username: username ?? "", password, name: settings.service });
    this.#open.set(index, client);
    return client;
  }
}

async function workOnce(credential: Credential): Promise<string> {
  const connections = new Connections(credential);
  try {
    return await connections.work();
  } finally {
    connections.end();
  }
}

const credential = await watchAs(style, settings);

async function begin(): Promise<Work> {
  if (style !== "pool") {
    const run = () => useCredential(credential, workOnce, isRefusal);
    return { run, close: async () => undefined };
  }
  const pool = await swapPool<Connections>(credential, {
    open: (current) => new Connections(current),
    prove: async (connections) => void (await connections.work()),
    drain: async (connections) => connections.end(),
    isAuthFailure: isRefusal,
  });
  return { run: () => pool.use((connections) => connections.work()), close: () => pool.close() };
}

await serve(settings, credential, begin);
