/**
 * A service behind a pooler as consumers have them: instances with two connections each, requests without a pause, and
 * a new document taken up by connecting with it before the old connections are left. No request is made a second time.
 */
import { setTimeout as pause } from "node:timers/promises";
import type pg from "pg";
import type { InstanceSeen } from "../../adapters/ports.js";
import type { PgBouncer } from "../../worker/dev/pgbouncer.js";
import { clientOf, database } from "../contract/issuers/postgres-world.js";
import { type Live, Shop, type ShopInstance } from "./shop.js";

/** One request: a transaction, so that a pooler has to keep its two statements on one connection. */
const workSql = ["BEGIN", "SELECT session_user::text AS login", "COMMIT"];

/** One instance. */
class Instance implements ShopInstance {
  readonly name: string;
  served = 0;
  failed = 0;
  /** Logins that did the work, as the server said. */
  readonly logins = new Set<string>();
  /** Served when it was last asked whether it works. */
  #asked = 0;
  #document: Readonly<Record<string, string>>;
  #pool: pg.Client[] = [];
  readonly #connect: (document: Readonly<Record<string, string>>) => Promise<pg.Client>;
  readonly #live: Live;

  constructor(application: string, name: string, pooler: PgBouncer, live: Live) {
    this.name = name;
    this.#live = live;
    this.#document = live();
    const { host, port } = pooler;
    this.#connect = ({ username = "", password = "" }) =>
      clientOf({ host, port, database, user: username, password, application_name: application });
  }

  /** One request after the other until `over`. */
  async run(over: AbortSignal): Promise<void> {
    this.#pool = await this.#opened();
    for (let turn = 0; !over.aborted; turn++) {
      await this.#takeUp();
      await this.#serve(this.#pool[turn % this.#pool.length]);
      await pause(5);
    }
    await this.#left(this.#pool);
  }

  seen(): InstanceSeen {
    const working = this.served > this.#asked;
    this.#asked = this.served;
    const version = this.#document.rekey_version ?? null;
    return { instance: this.name, version, working, sentence: `${this.name} holds ${version}.` };
  }

  async #takeUp(): Promise<void> {
    const live = this.#live();
    if (live.rekey_version === this.#document.rekey_version) return;
    const before = this.#document;
    this.#document = live;
    const old = this.#pool;
    try {
      this.#pool = await this.#opened();
    } catch {
      // It goes on with what it has, and says so.
      this.#document = before;
      return;
    }
    await this.#left(old);
  }

  #opened(): Promise<pg.Client[]> {
    return Promise.all([this.#connect(this.#live()), this.#connect(this.#live())]);
  }

  async #left(pool: readonly pg.Client[]): Promise<void> {
    await Promise.all(pool.map((client) => client.end().catch(() => undefined)));
  }

  async #serve(client: pg.Client | undefined): Promise<void> {
    try {
      const results = [];
      for (const text of workSql) results.push(await client?.query<{ login: string }>(text));
      this.logins.add(results[1]?.rows[0]?.login ?? "");
      this.served += 1;
    } catch {
      this.failed += 1;
    }
  }
}

/** The service as a consumer: each instance says which document it connected with, and whether it served since. */
export class PooledShop extends Shop<Instance> {
  constructor(application: string, pooler: PgBouncer, live: Live) {
    super(application, (name) => new Instance(application, name, pooler, live));
  }

  /** Requests so far, and the logins that did them. */
  counts(): { served: number; failed: number; logins: string[] } {
    const logins = new Set(this.instances.flatMap((instance) => [...instance.logins]));
    return {
      served: this.sum(({ served }) => served),
      failed: this.sum(({ failed }) => failed),
      logins: [...logins].sort(),
    };
  }
}
