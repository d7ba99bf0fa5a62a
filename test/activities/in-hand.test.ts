/** I6: what an activity has in hand is gone when it ends, and what outlives it is not touched. */
import { expect, test } from "vitest";
import { clearedAfter, inHand, resolveInHand } from "../../activities/in-hand.js";
import { Secret } from "../../domain/secret.js";

const cleared = "the secret was cleared and is used again";

test("what came into hand is cleared at the end, also after an error, and nothing before it", async () => {
  const taken: Secret[] = [];
  const take = () => {
    const secret = inHand(new Secret("canary"));
    taken.push(secret);
    return secret;
  };
  expect(await clearedAfter(async () => take().reveal())).toBe("canary");
  const failing = clearedAfter(async () => {
    take();
    await Promise.resolve();
    expect(take().reveal()).toBe("canary");
    throw new Error("no");
  });
  await expect(failing).rejects.toThrow("no");
  expect(taken).toHaveLength(3);
  for (const secret of taken) expect(() => secret.reveal()).toThrow(cleared);
});

test("each has its own hand: an inner one ends first, one beside it is not touched, and outside there is none", async () => {
  const outside = inHand(new Secret("outside"));
  let go = (): void => undefined;
  const gate = new Promise<void>((resolve) => {
    go = resolve;
  });
  const beside = clearedAfter(async () => {
    const secret = inHand(new Secret("beside"));
    await gate;
    return secret.reveal();
  });
  await clearedAfter(async () => {
    const outer = inHand(new Secret("outer"));
    const inner = await clearedAfter(async () => inHand(new Secret("inner")));
    expect(() => inner.reveal()).toThrow(cleared);
    expect(outer.reveal()).toBe("outer");
  });
  go();
  expect(await beside).toBe("beside");
  expect(outside.reveal()).toBe("outside");
});

test("what a reference resolves to is in the hand of who asked, and what comes too late in nobody's", async () => {
  const resolve = resolveInHand(async () => new Secret("resolved"));
  const call = { signal: AbortSignal.timeout(10_000) };
  const asked = await clearedAfter(() => resolve("env:X", call));
  expect(() => asked.reveal()).toThrow(cleared);
  let late: Promise<Secret> | undefined;
  await clearedAfter(async () => {
    late = new Promise((done) => setTimeout(done, 1)).then(() => resolve("env:X", call));
  });
  expect((await late)?.reveal()).toBe("resolved");
});
