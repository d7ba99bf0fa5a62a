/**
 * A service on a PostgreSQL pair of servers as consumers have them: instances that look for the primary when theirs is
 * gone, and take a new document up by connecting with it first. While there is no primary nobody could work; a login
 * that a primary refuses is a failure.
 */
import { setTimeout as pause } from "node:timers/promises";
import type pg from "pg";
import type { InstanceSeen } from "../../adapters/ports.js";
import { clientOf, database } from "../contract/issuers/postgres-world.js";
import { type Live, Shop, type ShopInstance } from "./shop.js";

/** Where a server answers, or answered. */
export interface At {
  readonly host: string;
  readonly port: number;
}

/** One instance. */
class Instance implements ShopInstance {
  readonly name: string;
  served = 0;
  /** Logins that were refused for what they are. */
  refused = 0;
  readonly #application: string;
  readonly #servers: readonly At[];
  readonly #live: Live;
  #asked = 0;
  #document: Readonly<Record<string, string>>;
  #client: pg.Client | null = null;

  constructor(application: string, name: string, servers: readonly At[], live: Live) {
    this.name = name;
    this.#application = application;
    this.#servers = servers;
    this.#live = live;
    this.#document = live();
  }

  /** One request after the other until `over`. */
  async run(over: AbortSignal): Promise<void> {
    while (!over.aborted) {
      await this.#connected();
      await this.#serve();
      await pause(5);
    }
    await this.#client?.end().catch(() => undefined);
  }

  seen(): InstanceSeen {
    const working = this.served > this.#asked;
    this.#asked = this.served;
    const version = this.#document.rekey_version ?? null;
    return { instance: this.name, version, working, sentence: `${this.name} holds ${version}.` };
  }

  async #connected(): Promise<void> {
    const live = this.#live();
    if (this.#client !== null && live.rekey_version === this.#document.rekey_version) return;
    const next = await this.#toPrimary(live);
    if (next === null) return;
    await this.#client?.end().catch(() => undefined);
    this.#client = next;
    this.#document = live;
  }

  /** The first of the servers that is a primary; null while none is. */
  async #toPrimary({
    username: user,
    password,
  }: Readonly<Record<string, string>>): Promise<pg.Client | null> {
    for (const { host, port } of this.#servers) {
      try {
        const application_name = this.#application;
        const client = await clientOf({ host, port, database, user, password, application_name });
        const { rows } = await client.query("SELECT pg_is_in_recovery() AS standby");
        if (rows[0]?.standby === false) return client;
        await client.end();
      } catch (error) {
        if (String((error as { code?: string }).code).startsWith("28")) this.refused += 1;
      }
    }
    return null;
  }

  async #serve(): Promise<void> {
    try {
      if (this.#client === null) return;
      await this.#client.query("SELECT 1");
      this.served += 1;
    } catch {
      // Its server is gone; the next turn looks for another one.
      await this.#client?.end().catch(() => undefined);
      this.#client = null;
    }
  }
}

/** The service as a consumer: each instance says which document it connected with, and whether it served since. */
export class FailoverShop extends Shop<Instance> {
  constructor(application: string, servers: readonly At[], live: Live) {
    super(application, (name) => new Instance(application, name, servers, live));
  }

  /** Requests so far, and the logins that were refused. */
  counts(): { served: number; refused: number } {
    return { served: this.sum(({ served }) => served), refused: this.sum(({ refused }) => refused) };
  }
}
