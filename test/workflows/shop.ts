/** What services under load have in common: two instances each, that serve without a pause until the service is stopped. */
import type { Consumer, InstanceSeen, ObserveRequest } from "../../adapters/ports.js";

/** What stands in the store. */
export type Live = () => Readonly<Record<string, string>>;

/** One instance of a service. */
export interface ShopInstance {
  /** One request after the other until `over`. */
  run(over: AbortSignal): Promise<void>;
  seen(): InstanceSeen;
}

/** A service as a consumer: each instance says for itself what it holds, and whether it served since it was last asked. */
export class Shop<I extends ShopInstance> implements Consumer {
  protected readonly instances: readonly I[];
  readonly #over = new AbortController();
  readonly #runs: Promise<void>[];

  constructor(application: string, instanceNamed: (name: string) => I) {
    this.instances = [1, 2].map((number) => instanceNamed(`${application}-${number}`));
    this.#runs = this.instances.map((instance) => instance.run(this.#over.signal));
  }

  preflight = async () => [];
  observe = async (_request: ObserveRequest) => this.instances.map((instance) => instance.seen());
  close = async () => {};

  protected sum(pick: (instance: I) => number): number {
    return this.instances.reduce((all, one) => all + pick(one), 0);
  }

  /** Ends its requests and connections. */
  async stop(): Promise<void> {
    this.#over.abort();
    await Promise.all(this.#runs);
  }
}
