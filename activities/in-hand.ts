/**
 * What an activity has in hand is cleared when it ends, however it ends: values that it read, made, or had made. Who
 * reads one need not think of it, so nobody can forget it (I6).
 */
import { AsyncLocalStorage } from "node:async_hooks";
import type { AdapterDeps, Issuer, SecretDocument, Store } from "../adapters/ports.js";
import type { Secret } from "../domain/secret.js";
import type { Systems } from "./deps.js";

/** The secrets of one activity; null once it has ended. */
interface Hand {
  held: Set<Secret> | null;
}

const hands = new AsyncLocalStorage<Hand>();

/**
 * Runs the body, and clears every secret that came into hand in it. Bodies may be nested: what came in the inner one is
 * gone after it. What arrives after the end, from a call that was given up, is left to the collector.
 */
export async function clearedAfter<T>(body: () => Promise<T>): Promise<T> {
  const hand: Hand = { held: new Set() };
  try {
    return await hands.run(hand, body);
  } finally {
    for (const secret of hand.held ?? []) secret.clear();
    hand.held = null;
  }
}

/** Takes a secret into hand; outside of an activity nobody clears it but its owner. */
export function inHand(secret: Secret): Secret {
  hands.getStore()?.held?.add(secret);
  return secret;
}

function documentInHand<D extends SecretDocument | null>(document: D): D {
  for (const secret of Object.values<Secret>(document ?? {})) inHand(secret);
  return document;
}

/** A resolver whose answers are in the hand of whichever activity asks. */
export function resolveInHand(resolve: AdapterDeps["resolve"]): AdapterDeps["resolve"] {
  return async (reference, call) => inHand(await resolve(reference, call));
}

/** The systems, whose documents are in the hand of whichever activity asks for them. */
export function systemsInHand(systems: Systems): Systems {
  const { main, ...others } = systems.stores;
  const stores = Object.entries(others).map(([place, store]) => [place, storeInHand(store)] as const);
  return {
    ...systems,
    issuer: issuerInHand(systems.issuer),
    stores: { ...Object.fromEntries(stores), main: storeInHand(main) },
  };
}

function storeInHand(store: Store): Store {
  return standingFor(store, {
    live: async (call) => documentInHand(await store.live(call)),
    stage: async (...given) => documentInHand(await store.stage(...given)),
    restage: async (...given) => documentInHand(await store.restage(...given)),
    staged: async (...given) => documentInHand(await store.staged(...given)),
  });
}

function issuerInHand(issuer: Issuer): Issuer {
  const { mint } = issuer;
  return standingFor(issuer, {
    generate: (slot) => documentInHand(issuer.generate(slot)),
    ...(mint === undefined
      ? {}
      : {
          mint: (change, keep, call) => mint.call(issuer, change, (made) => keep(documentInHand(made)), call),
        }),
  });
}

/** The adapter itself, but for the methods that are given. Its own methods keep their `this`: they have private parts. */
function standingFor<A extends object>(adapter: A, methods: Partial<A>): A {
  return new Proxy(adapter, {
    get(target, name) {
      const given: unknown = Reflect.get(methods, name);
      if (given !== undefined) return given;
      const found: unknown = Reflect.get(target, name, target);
      return typeof found === "function" ? found.bind(target) : found;
    },
  });
}
