/**
 * One value at a time, made by the issuer: from the issue on there is only forward, and a value that was made and
 * lost is made again, by itself (H11, H29).
 */
import { expect, test } from "vitest";
import { inPlaceTraits } from "../../adapters/issuers/memory.js";
import { RekeyError } from "../../domain/errors.js";
import { openHouse } from "./house.js";
import { cancel, ended, eventually, expectWorking, stateOf } from "./watch.js";

/** Patient: the machine that runs the tests may be slow, and a walk that gives a version up makes another one. */
const patient = { stallTimeoutMs: 120_000, adoptionTimeoutMs: 120_000, drainTimeoutMs: 120_000 };

test("H29: the issue is the point of no return, and whoever held the old value is brought to the new one", async () => {
  const house = await openHouse({ traits: inPlaceTraits, policy: patient });
  const { world } = house;
  const handle = await house.start();
  expect(await ended(handle)).toMatchObject({ outcome: "rotated" });
  expectWorking(house);
  expect(world.accepts("orders_a", world.first.password)).toBe(false);
  const state = await stateOf(handle);
  expect(state.plan?.pointOfNoReturn).toBe("issue");
  expect(state.irreversible).toBe(true);
  // Nothing was switched off: the issue had done it. Its copies went, and no reservation is left.
  expect(world.issuers.calls.filter((call) => call.startsWith("disable"))).toEqual([]);
  expect(world.issuers.calls.filter((call) => call.startsWith("destroy"))).toEqual([]);
  expect([...world.stores.place("orders").copies.keys()]).toEqual([state.target]);
});

test("H38: a cancellation that meets the issue comes too late, and is kept as an objection", async () => {
  const house = await openHouse({ traits: inPlaceTraits, policy: patient });
  const { world } = house;
  let release = () => {};
  const until = new Promise<void>((resolve) => {
    release = resolve;
  });
  world.issuers.faults.holdMint = { when: "made", until };
  const handle = await house.start();
  await eventually("the value is made", () => world.issuers.server().logins.get("orders_a")?.unkept);
  await cancel(handle);
  release();
  expect(await ended(handle)).toMatchObject({ outcome: "rotated" });
  expect((await stateOf(handle)).objections).toEqual(["cancelled: not today"]);
  expectWorking(house);
});

test.each([
  ["made", 2],
  ["kept", 1],
] as const)(
  "H11: a worker that is killed when the value was %s: another one goes on by itself, after %i mints",
  { timeout: 150_000 },
  async (when, mints) => {
    const house = await openHouse({ traits: inPlaceTraits, policy: patient });
    const { world } = house;
    const login = () => world.issuers.server().logins.get("orders_a");
    const copies = world.stores.place("orders").copies;
    world.issuers.faults.holdMint = { when, until: new Promise(() => {}) };
    const handle = await house.start();
    await eventually("the value is made", () => login()?.unkept);
    const isKept = () => [...copies.values()].some(({ password }) => password === login()?.value);
    if (when === "kept") await eventually("the value is kept", isKept);
    const lost = login()?.value ?? "";
    expect(isKept()).toBe(when === "kept");
    // The old one is dead already: nobody works, and there is no way back.
    expect(world.accepts("orders_a", world.first.password)).toBe(false);
    await house.worker.kill();
    await house.startWorker();
    expect(await ended(handle)).toMatchObject({ outcome: "rotated" });
    expectWorking(house);
    expect(world.issuers.calls.filter((call) => call === "mint orders_a")).toHaveLength(mints);
    expect(world.accepts("orders_a", lost)).toBe(when === "kept");
    expect([...copies.keys()]).toEqual([(await stateOf(handle)).target]);
  },
);

test("H20: a mint whose answer is lost is found to have been made, and leaves no reservation", async () => {
  const house = await openHouse({ traits: inPlaceTraits, policy: patient });
  const { world } = house;
  world.issuers.faults.loseAnswer.add("mint");
  const handle = await house.start();
  expect(await ended(handle)).toMatchObject({ outcome: "rotated" });
  expectWorking(house);
  expect(world.issuers.calls.filter((call) => call === "mint orders_a")).toHaveLength(1);
  expect([...world.stores.place("orders").copies.keys()]).toEqual([(await stateOf(handle)).target]);
});

test("H20: a version that was given up before its value was kept leaves no copy and no reservation", {
  timeout: 150_000,
}, async () => {
  const house = await openHouse({ traits: inPlaceTraits, policy: { ...patient, stallTimeoutMs: 1 } });
  const { world } = house;
  world.issuers.faults.holdMint = { when: "made", until: new Promise(() => {}) };
  const handle = await house.start();
  await eventually("the value is made", () => world.issuers.server().logins.get("orders_a")?.unkept);
  await house.worker.kill();
  await house.startWorker();
  expect(await ended(handle)).toMatchObject({ outcome: "rotated" });
  expectWorking(house);
  const { target, versions } = await stateOf(handle);
  expect(Object.keys(versions)).toHaveLength(3);
  expect([...world.stores.place("orders").copies.keys()]).toEqual([target]);
});

test("I3 H20: a mint that is refused for good leaves no reservation", async () => {
  const house = await openHouse({ traits: inPlaceTraits, policy: patient });
  const { world } = house;
  world.issuers.faults.fail.set("mint", new RekeyError("not-permitted", "Nothing may be made."));
  const handle = await house.start();
  expect(await ended(handle)).toMatchObject({ outcome: "refused" });
  expectWorking(house);
  // Only what was kept for going back is left, of the version that is in use.
  expect([...world.stores.place("orders").copies.keys()]).toEqual([(await stateOf(handle)).origin]);
});
