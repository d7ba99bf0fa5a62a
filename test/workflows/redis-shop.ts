/**
 * A service on Redis as consumers have them: instances with a pool each, requests without a pause, a new document
 * taken up from the store, connections that are ended replaced. What it counts is what its customers would notice.
 */
import { setTimeout as pause } from "node:timers/promises";
import type { InstanceSeen } from "../../adapters/ports.js";
import type { RedisServer } from "../../worker/dev/redis-server.js";
import { clientOf, type RedisClient } from "../contract/issuers/redis-world.js";
import { type Live, Shop, type ShopInstance } from "./shop.js";

/** How an instance treats the connections that it has when a new document comes. */
export type Habit = "replaces" | "keeps";

interface Held {
  readonly document: Readonly<Record<string, string>>;
  readonly client: RedisClient;
}

/** One instance. */
class Instance implements ShopInstance {
  readonly name: string;
  served = 0;
  failed = 0;
  /** Served when it was last asked whether it works. */
  #asked = 0;
  #pool: Held[] = [];
  #document: Readonly<Record<string, string>>;
  readonly #server: RedisServer;
  readonly #live: Live;
  readonly #habit: Habit;
  readonly #application: string;

  constructor(application: string, name: string, server: RedisServer, live: Live, habit: Habit) {
    this.name = name;
    this.#application = application;
    this.#server = server;
    this.#live = live;
    this.#habit = habit;
    this.#document = live();
  }

  /** One request after the other until `over`. */
  async run(over: AbortSignal): Promise<void> {
    while (!over.aborted) {
      await this.#takeUp();
      await this.#serve();
      await pause(5);
    }
    for (const { client } of this.#pool) if (client.isOpen) client.destroy();
  }

  seen(): InstanceSeen {
    const working = this.served > this.#asked;
    this.#asked = this.served;
    const version = this.#document.rekey_version ?? null;
    return { instance: this.name, version, working, sentence: `${this.name} holds ${version}.` };
  }

  /** A new document is tried before the old connections are given up. */
  async #takeUp(): Promise<void> {
    const live = this.#live();
    if (live.rekey_version === this.#document.rekey_version) return;
    this.#document = live;
    if (this.#habit === "keeps") return;
    const old = this.#pool;
    this.#pool = [];
    await this.#client();
    for (const { client } of old) if (client.isOpen) client.destroy();
  }

  /** A request whose connection is ended is made again on another one, as clients do. */
  async #serve(): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        const client = await this.#client();
        await client.sendCommand(["SET", `${this.name}/last`, String(this.served)]);
        this.served += 1;
        return;
      } catch {
        if (attempt < 3) continue;
        this.failed += 1;
        return;
      }
    }
  }

  async #client(): Promise<RedisClient> {
    this.#pool = this.#pool.filter(({ client }) => client.isReady);
    const [kept] = this.#pool;
    if (kept && this.#pool.length >= 2) return (Math.random() < 0.5 ? kept : (this.#pool[1] ?? kept)).client;
    const document = this.#document;
    const { username = "", password = "" } = document;
    const client = await clientOf(this.#server, username, password, this.#application);
    this.#pool.push({ document, client });
    return client;
  }
}

/** The service as a consumer: each instance says which document it would connect with next, and whether it served. */
export class RedisShop extends Shop<Instance> {
  constructor(application: string, server: RedisServer, live: Live, habit: Habit) {
    super(application, (name) => new Instance(application, name, server, live, habit));
  }

  /** Requests so far. */
  counts(): { served: number; failed: number } {
    return { served: this.sum(({ served }) => served), failed: this.sum(({ failed }) => failed) };
  }
}
