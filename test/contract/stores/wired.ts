/** The part of the stores' contract that only a store behind a wire can break: silence, and answers that are lost. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Store } from "../../../adapters/ports.js";
import { call, change, codeOf, contents, kept, tag, type WiredStoreWorld } from "./world.js";

/** Registers the suite for one kind. */
export function wiredStoreContract(name: string, make: () => Promise<WiredStoreWorld>): void {
  describe(`store contract over a wire: ${name}`, () => {
    let world: WiredStoreWorld;
    let store: Store;
    const first = tag("v1", 1);
    const second = tag("v2", 2);

    beforeEach(async () => {
      world = await make();
      store = world.open();
      await store.stage("v1", contents("v1"), call());
      await store.stage("v2", contents("v2"), call());
      await store.promote(change(null, first), call());
    });
    afterEach(async () => {
      await store.close();
      await world.dispose();
    });

    it("a store that accepts and never answers is `unreachable`, within the call's time", async () => {
      world.fallSilent();
      const begun = performance.now();
      expect(await codeOf(store.live(call(400)))).toBe("unreachable");
      expect(await codeOf(store.view(call(400)))).toBe("unreachable");
      expect(await codeOf(store.preflight(call(400)))).toBe("unreachable");
      expect(performance.now() - begun).toBeLessThan(10_000);
    });

    it("H18: a promote whose answer was lost is `unknown-outcome`, and the next try finds it `already` made", async () => {
      world.loseNextAnswer();
      expect(await codeOf(store.promote(change(first, second), call()))).toBe("unknown-outcome");
      expect(await world.raw()).toMatchObject(kept("v2"));
      expect(await store.promote(change(first, second), call())).toBe("already");
    });

    it("a seize whose answer was lost is `unknown-outcome`, and the next try finds it `already` made", async () => {
      const taken = tag("v1", 2, { epoch: 2 });
      world.loseNextAnswer();
      expect(await codeOf(store.seize(change(first, taken), call()))).toBe("unknown-outcome");
      expect(await store.seize(change(first, taken), call())).toBe("already");
    });

    it("H11: a stage whose answer was lost kept the first value, and the next try returns that", async () => {
      world.loseNextAnswer();
      expect(await codeOf(store.stage("v3", contents("v3"), call()))).toBe("unknown-outcome");
      const again = await store.stage("v3", contents("other"), call());
      expect(again.password?.reveal()).toBe(contents("v3").password?.reveal());
    });

    it("a purge whose answer was lost is ended by the next try", async () => {
      await store.promote(change(first, second), call());
      world.loseNextAnswer();
      expect(await codeOf(store.purge("v1", call()))).toBe("unknown-outcome");
      await store.purge("v1", call());
      expect(await world.everything()).not.toContain("canary-v1");
    });
  });
}
