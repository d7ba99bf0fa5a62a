/** What a rotation begins with is read all at once, and may not depend on what was answered first. */
import { expect, it } from "vitest";
import type { Systems } from "../../activities/deps.js";
import { worldOf } from "../../activities/world.js";
import { Secret } from "../../domain/secret.js";

it("asks in which slot the live document is only when the issuer has been looked at: some know it no sooner", async () => {
  let lookedAt = false;
  let answer: () => void = () => undefined;
  const systems = {
    issuer: {
      survey: async () => {
        await new Promise<void>((resolve) => {
          answer = resolve;
        });
        lookedAt = true;
        return { slots: [] };
      },
      slotOf: () => (lookedAt ? "a" : null),
    },
    stores: {
      main: {
        view: async () => ({ tag: "", liveVersion: null }),
        live: async () => ({ username: new Secret("AKIA") }),
      },
    },
  } as unknown as Systems;
  const seen = worldOf(systems, false, { signal: new AbortController().signal } as never);
  // The store has answered long before.
  await new Promise((resolve) => setImmediate(resolve));
  answer();
  expect((await seen).liveSlot).toEqual({ value: "a" });
});
