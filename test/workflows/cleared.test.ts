/** I6: every value that a rotation's activities read, made or had made is cleared once they have ended, whichever way it goes. */
import { expect, test } from "vitest";
import type { Systems } from "../../activities/deps.js";
import type { SecretDocument, Store } from "../../adapters/ports.js";
import type { Secret } from "../../domain/secret.js";
import { openHouse } from "./house.js";
import { ended } from "./watch.js";

/** Notes every secret that leaves an adapter. */
function noting(systems: Systems, noted: Set<Secret>): Systems {
  const note = <D extends SecretDocument | null>(document: D): D => {
    for (const secret of Object.values<Secret>(document ?? {})) noted.add(secret);
    return document;
  };
  const { issuer } = systems;
  const generate = issuer.generate.bind(issuer);
  Object.assign(issuer, { generate: (slot: string) => note(generate(slot)) });
  for (const store of Object.values(systems.stores)) {
    const [live, stage, staged] = [store.live.bind(store), store.stage.bind(store), store.staged.bind(store)];
    Object.assign(store, {
      live: async (...given: Parameters<Store["live"]>) => note(await live(...given)),
      stage: async (...given: Parameters<Store["stage"]>) => note(await stage(...given)),
      staged: async (...given: Parameters<Store["staged"]>) => note(await staged(...given)),
    });
  }
  return systems;
}

test.each(["rotated", "went-back"])(
  "I6: after a rotation that %s no value is left in any hand",
  async (outcome) => {
    const noted = new Set<Secret>();
    const goesBack = outcome === "went-back";
    const policy = goesBack ? { adoptionTimeoutMs: 2_000 } : {};
    const house = await openHouse({ policy, refit: (systems) => noting(systems, noted) });
    if (goesBack) house.world.consumers.get("reports")?.behave("refuses");
    const handle = await house.start();
    expect(await ended(handle)).toMatchObject({ outcome });
    // The worker has nothing more to do for it.
    await house.worker.stop();
    expect(noted.size).toBeGreaterThan(20);
    const left = [...noted].filter((secret) => {
      try {
        secret.reveal();
        return true;
      } catch {
        return false;
      }
    });
    expect(left).toHaveLength(0);
  },
);
