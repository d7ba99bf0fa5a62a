/** I6: what an activity has in hand is gone when it ends, and what outlives it is not touched. */
import { expect, test } from "vitest";
import type { Systems } from "../../activities/deps.js";
import { clearedAfter, inHand, resolveInHand, systemsInHand } from "../../activities/in-hand.js";
import { memoryStores } from "../../adapters/stores/memory.js";
import { Secret } from "../../domain/secret.js";
import { depsOf } from "../contract/stores/world.js";

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

test("whatever document a store gives out is in hand", async () => {
  const { kind } = memoryStores();
  const place = kind.place.parse({ path: "orders" });
  const store = kind.create(kind.config.parse({}), place, depsOf({}));
  const systems = systemsInHand({ stores: { main: store }, issuer: {} } as unknown as Systems);
  const { main } = systems.stores;
  const call = { signal: AbortSignal.timeout(10_000) };
  const document = () => ({ username: new Secret("orders"), password: new Secret("canary") });
  const useless = await store.stage("v2", document(), call);
  const given = await clearedAfter(async () => [
    await main.stage("v1", document(), call),
    await main.staged("v1", call),
    await main.restage("v2", { ...document(), password: new Secret("other") }, useless, call),
  ]);
  for (const secrets of given) expect(() => secrets?.password?.reveal()).toThrow(cleared);
});
