/**
 * A connection pool that goes over to a new credential while it is in use: the new pool is proven before the
 * old one is left, and what runs on the old one is allowed to finish. Works with any driver's pool.
 */
import type { Credential } from "./credential.js";
import { useCredential } from "./use.js";
import type { CredentialWatch } from "./watch.js";

/** How a driver's pool is made, tried and ended. */
export interface PoolHooks<Pool> {
  open(credential: Credential): Pool;
  /** One real query through the pool. When it throws, the change does not happen. */
  prove(pool: Pool): Promise<void>;
  /** Ends the pool's connections. Called when nothing runs on it any more. */
  drain(pool: Pool): Promise<void>;
  /** True for the driver's "wrong password", "not permitted to log in", and nothing else. */
  isAuthFailure(error: unknown): boolean;
}

/** The pool of the moment. Made by `swapPool`. */
export interface SwappedPool<Pool> {
  /** Runs `work` with the pool, which stays open until it ends. Tried once more after a refused log-in, see `useCredential`. */
  use<T>(work: (pool: Pool) => Promise<T>): Promise<T>;
  /** Waits for what is running and ends all connections. */
  close(): Promise<void>;
}

/** Opens and proves a pool for the current credential, and swaps it at each change. Throws what `prove` throws. */
export async function swapPool<Pool>(
  watch: CredentialWatch,
  hooks: PoolHooks<Pool>,
): Promise<SwappedPool<Pool>> {
  const prepare = async (credential: Credential): Promise<Held<Pool>> => {
    const held = new Held(hooks.open(credential), hooks.drain);
    try {
      await hooks.prove(held.pool);
      return held;
    } catch (error) {
      await held.retire();
      throw error;
    }
  };

  const state: { held: Held<Pool> | null } = { held: null };
  const stops = [
    watch.beforeChange(async (next) => {
      const fresh = await prepare(next);
      return {
        commit: () => {
          void state.held?.retire();
          state.held = fresh;
        },
        discard: () => void fresh.retire(),
      };
    }),
    // The proof was a query with this very credential, so an idle service can say that it works.
    watch.onChange((current) => watch.reportWorking(current)),
  ];
  const stop = () => {
    for (const end of stops) end();
  };

  const first = watch.current;
  try {
    const opened = await prepare(first);
    // A change may have come while the first pool was being proven; then its pool is the one to use.
    if (state.held === null) state.held = opened;
    else await opened.retire();
    watch.reportWorking(first);
  } catch (error) {
    stop();
    throw error;
  }

  return {
    use: (work) => useCredential(watch, () => (state.held as Held<Pool>).run(work), hooks.isAuthFailure),
    close: async () => {
      stop();
      await state.held?.retire();
    },
  };
}

/** A pool that knows how much runs on it. */
class Held<Pool> {
  readonly pool: Pool;
  readonly #drain: (pool: Pool) => Promise<void>;
  #uses = 0;
  #retired: { readonly done: Promise<void>; readonly begin: () => void } | null = null;

  constructor(pool: Pool, drain: (pool: Pool) => Promise<void>) {
    this.pool = pool;
    this.#drain = drain;
  }

  async run<T>(work: (pool: Pool) => Promise<T>): Promise<T> {
    this.#uses++;
    try {
      return await work(this.pool);
    } finally {
      this.#uses--;
      if (this.#uses === 0) this.#retired?.begin();
    }
  }

  /** Drains the pool once nothing runs on it. A drain that fails is not worth failing for: the server ends idle sessions. */
  retire(): Promise<void> {
    if (this.#retired === null) {
      let begin = () => {};
      const idle = new Promise<void>((resolve) => {
        begin = resolve;
      });
      this.#retired = { done: idle.then(() => this.#drain(this.pool)).catch(() => {}), begin };
      if (this.#uses === 0) begin();
    }
    return this.#retired.done;
  }
}
