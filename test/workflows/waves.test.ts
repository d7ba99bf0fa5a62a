/** Several waves: a canary with a place of its own first, those who share one together, who cannot go back last (H1, H2, H29, H39). */
import { expect, test } from "vitest";
import { listRotations } from "../../inventory/rotations.js";
import { type House, openHouse } from "./house.js";
import {
  cancel,
  ended,
  eventually,
  expectWorking,
  resume,
  stateOf,
  until,
  untilDelivered,
  untilHeld,
} from "./watch.js";
import { pathOf } from "./world.js";

/** Whoever moves first, together, and last; the plan puts them into this order by itself. */
const consumers = ["checkout", "partner", "probe", "reports"];
const edges = {
  probe: { pinned: true, canary: true },
  partner: { pinned: true, reversible: false },
};
const canary = pathOf("probe");
const irreversible = pathOf("partner");

/** Where the store gave out another version than before, in order. */
function promotions({ world }: House): string[] {
  return world.stores.calls
    .filter((call) => call.startsWith("promote "))
    .map((call) => call.slice("promote ".length));
}

/** The versions that the instances of a consumer hold. */
function held({ world }: House, consumer: string): (string | null)[] {
  return [...(world.consumers.get(consumer)?.instances.values() ?? [])].map(({ version }) => version);
}

/** The versions that were sent to a place, one after the other, whether or not the answer came. */
async function sent({ fresh, credential }: House, place: string): Promise<unknown[]> {
  const [rotation] = await listRotations(fresh.db, { credential });
  const rows = await fresh.sql<{ step: { place?: string; version?: string } }>(
    `select step from rekey_inventory.intents where rotation = '${rotation?.id}' order by change`,
  );
  return rows.flatMap(({ step }) => (step.place === place ? [step.version] : []));
}

test("H1 H29: the canary moves alone, then all that share a place together, and who cannot go back last", async () => {
  const house = await openHouse({ consumers, edges });
  const { world } = house;
  world.consumers.get("probe")?.behave("refuses");
  const handle = await house.start();
  await untilDelivered(handle);
  expect(promotions(house)).toEqual([canary]);
  expect((await stateOf(handle)).plan).toMatchObject({
    pointOfNoReturn: expect.stringMatching(/^deliver to /),
  });
  world.consumers.get("checkout")?.behave("refuses");
  world.consumers.get("probe")?.behave("moves");
  await eventually("the second wave", () => promotions(house).length === 2);
  expect(promotions(house)).toEqual([canary, "orders"]);
  // Half of the second wave has not moved: the third is not begun, however long that takes.
  await eventually("the other half", () => held(house, "reports").every((v) => v !== world.first.version));
  expect(promotions(house)).toHaveLength(2);
  expect(held(house, "partner")).toEqual([world.first.version, world.first.version]);
  world.consumers.get("checkout")?.behave("moves");
  expect(await ended(handle)).toMatchObject({ outcome: "rotated" });
  expect(promotions(house)).toEqual([canary, "orders", irreversible]);
  expect(new Set(consumers.flatMap((name) => held(house, name))).size).toBe(1);
  expectWorking(house);
  expect(world.enabled()).toEqual(["orders_b"]);
});

test("H39: a wave does not begin while one of its consumers fails, and goes on once that one works", async () => {
  const house = await openHouse({ consumers, edges });
  const { world } = house;
  world.consumers.get("reports")?.behave("idle", "two");
  const handle = await house.start();
  const waiting = await until(handle, "red", ({ sentence }) => sentence.includes("before its wave began"));
  expect(waiting.standing).toBe("waiting");
  expect(promotions(house)).toEqual([canary]);
  expect(held(house, "checkout")).toEqual([world.first.version, world.first.version]);
  world.consumers.get("reports")?.behave("moves", "two");
  expect(await ended(handle)).toMatchObject({ outcome: "rotated" });
  expectWorking(house);
});

test("H39: a wave that stays red is not begun, and the canary comes back", async () => {
  const house = await openHouse({ consumers, edges, policy: { stallTimeoutMs: 1_000 } });
  const { world } = house;
  const reports = world.consumers.get("reports");
  reports?.behave("idle", "two");
  const handle = await house.start();
  await until(handle, "turned", ({ direction }) => direction === "back");
  // Going back needs everybody to work on the old one; that it fails has nothing to do with the rotation.
  reports?.behave("moves", "two");
  expect(await ended(handle)).toMatchObject({ outcome: "went-back" });
  expect(promotions(house)).toEqual([canary, canary]);
  expectWorking(house);
  expect(world.enabled()).toEqual(["orders_a"]);
});

test("H2 I11: a failure in the second wave goes back over every known reader, also one that moved by itself", async () => {
  const house = await openHouse({ consumers, edges, policy: { adoptionTimeoutMs: 6_000 } });
  const { world } = house;
  const broken = new Set<string>();
  const probe = setInterval(() => world.broken().map((name) => broken.add(name)), 5);
  world.consumers.get("checkout")?.behave("refuses");
  const handle = await house.start();
  await eventually("the second wave", () => promotions(house).length === 2);
  // An instance of the third wave, which nobody has told anything, is on the new version all the same, and stays.
  const { target } = await stateOf(handle);
  const partner = world.consumers.get("partner");
  partner?.add("three", target, "refuses");
  const { sentence } = await until(
    handle,
    "on its way back",
    (p) => p.direction === "back" && p.sentence.includes("three"),
  );
  expect(sentence).toContain(`instance three is on version ${target}`);
  // The others are back; the new version is not taken from the one that holds it.
  await eventually("back", () => held(house, "probe").every((v) => v === world.first.version));
  expect(world.enabled()).toEqual(["orders_a", "orders_b"]);
  expectWorking(house);
  partner?.behave("moves", "three");
  if ((await until(handle, "an end", (p) => p.standing !== "waiting")).standing === "needs-operator") {
    await resume(handle, "retry");
  }
  expect(await ended(handle)).toMatchObject({ outcome: "went-back" });
  clearInterval(probe);
  expect(promotions(house)).toEqual([canary, "orders", canary, "orders"]);
  expect([...broken]).toEqual([]);
  expectWorking(house);
  expect(world.enabled()).toEqual(["orders_a"]);
});

test("H29: once it is delivered to who cannot go back, nothing turns it: not a failure, not a cancellation", async () => {
  const house = await openHouse({ consumers, edges, policy: { adoptionTimeoutMs: 6_000 } });
  const { world } = house;
  world.consumers.get("partner")?.behave("refuses", "two");
  const handle = await house.start();
  await eventually("the last wave", () => promotions(house).length === 3);
  await eventually("past it", async () => (await stateOf(handle)).irreversible);
  await cancel(handle, "too late");
  const { exits } = await untilHeld(handle);
  expect(exits).not.toContain("back");
  expect(await resume(handle, "back")).toMatchObject({ accepted: false });
  const state = await stateOf(handle);
  expect(state).toMatchObject({ turned: null, objections: ["ann: too late"] });
  expect(world.enabled()).toEqual(["orders_a", "orders_b"]);
  expectWorking(house);
  world.consumers.get("partner")?.behave("moves", "two");
  await resume(handle, "retry");
  expect(await ended(handle)).toMatchObject({ outcome: "rotated" });
  expect(promotions(house)).toEqual([canary, "orders", irreversible]);
  expectWorking(house);
});

test("H29: a cancellation that meets the delivery to who cannot go back comes too late", async () => {
  const house = await openHouse({ consumers, edges });
  const { world } = house;
  const { loseAnswer } = world.stores.faults;
  const handle = await house.start();
  await eventually("the second wave", () => promotions(house).length === 2);
  // The delivery is made and its answer is lost, every time: nobody knows yet that it is past return.
  loseAnswer.add("promote");
  loseAnswer.add("seize");
  await eventually("the last wave", () => promotions(house).length === 3);
  await eventually("not known", async () =>
    Object.values((await stateOf(handle)).places).some((place) => place.unknown),
  );
  expect((await stateOf(handle)).irreversible).toBe(false);
  expect(await cancel(handle, "just now")).toMatchObject({ accepted: true });
  loseAnswer.clear();
  expect(await ended(handle)).toMatchObject({ outcome: "rotated" });
  const { plan, target } = await stateOf(handle);
  expect(new Set(await sent(house, plan?.waves.at(-1)?.place ?? ""))).toEqual(new Set([target]));
  expect((await stateOf(handle)).objections).toEqual(["ann: cancelled: just now"]);
  expectWorking(house);
  expect(world.enabled()).toEqual(["orders_b"]);
});
