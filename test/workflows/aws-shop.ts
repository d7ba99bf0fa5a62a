/**
 * A service that calls AWS as consumers do: it signs every request with the key that it holds, looks into Secrets Manager
 * for a new one, and takes it up when AWS knows it. What it counts is what its customers would notice.
 */
import { setTimeout as pause } from "node:timers/promises";
import type { Consumer } from "../../adapters/ports.js";
import type { IamWorld } from "../contract/issuers/aws-iam-world.js";

/** What stands in the store. */
export type Live = () => Promise<Readonly<Record<string, string>>>;

/** One instance, as a consumer. */
export class AwsShop implements Consumer {
  served = 0;
  failed = 0;
  readonly #name: string;
  readonly #world: Pick<IamWorld, "connect">;
  readonly #live: Live;
  readonly #over = new AbortController();
  readonly #run: Promise<void>;
  #held: Readonly<Record<string, string>> = {};
  /** Served when it was last asked whether it works. */
  #asked = 0;

  constructor(name: string, world: Pick<IamWorld, "connect">, live: Live) {
    this.#name = name;
    this.#world = world;
    this.#live = live;
    this.#run = this.#work();
  }

  preflight = async () => [];
  close = async () => {};

  observe = async () => {
    const working = this.served > this.#asked;
    this.#asked = this.served;
    const version = this.#held.rekey_version ?? null;
    return [{ instance: this.#name, version, working, sentence: `${this.#name} holds ${version}.` }];
  };

  /** Ends its requests. */
  async stop(): Promise<void> {
    this.#over.abort();
    await this.#run;
  }

  async #work(): Promise<void> {
    while (!this.#over.signal.aborted) {
      const live = await this.#live();
      if (live.rekey_version !== this.#held.rekey_version && (await this.#calls(live))) this.#held = live;
      if (await this.#calls(this.#held)) this.served += 1;
      else this.failed += 1;
      await pause(20);
    }
  }

  /** A request to AWS with this key; true when AWS let it in. */
  async #calls({ username = "", password = "" }: Readonly<Record<string, string>>): Promise<boolean> {
    return (await this.#world.connect(username, password)) !== null;
  }
}
