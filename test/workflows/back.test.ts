/** Going back from a failure in every step: a definite one, a lost answer, an outage; and cancelling at every gate (I1, I10, I11). */
import type { WorkflowHandle } from "@temporalio/client";
import { expect, test } from "vitest";
import { RekeyError } from "../../domain/errors.js";
import { type House, openHouse } from "./house.js";
import { paper } from "./people.js";
import {
  cancel,
  decide,
  ended,
  eventually,
  expectWorking,
  resume,
  stateOf,
  until,
  untilAsked,
  untilHeld,
} from "./watch.js";

const refusal = () => new RekeyError("not-permitted", "The engine's login lacks a right.");

type Method = "enable" | "prove" | "disable" | "proveRefused" | "destroy" | "stage" | "promote" | "purge";

function faultsOf({ world }: House, method: Method) {
  const { faults } = ["stage", "promote", "purge"].includes(method) ? world.stores : world.issuers;
  return faults as { fail: Map<string, RekeyError>; loseAnswer: Set<string>; unreachable: boolean };
}

/** The outcome, or that it waits for an operator. */
async function endOrHold(handle: WorkflowHandle): Promise<string> {
  const progress = await until(
    handle,
    "an end",
    ({ standing }) => standing === "done" || standing === "needs-operator",
  );
  return progress.outcome ?? progress.standing;
}

/** A step that fails is given up soon. */
const hasty = { stallTimeoutMs: 1_000 };

/** A step that is refused for good before anything has moved, or before the old one was touched: it ends by itself. */
test.each<[Method, string]>([
  ["stage", "refused"],
  ["enable", "refused"],
  ["prove", "refused"],
  ["promote", "went-back"],
])("I11: %s is refused for good: %s, with everybody working", async (method, outcome) => {
  const house = await openHouse({ policy: hasty });
  faultsOf(house, method).fail.set(method, refusal());
  const handle = await house.start();
  expect(await endOrHold(handle)).toBe(outcome);
  expectWorking(house);
  expect(house.world.enabled()).toEqual(["orders_a"]);
  expect(house.world.live().password).toBe(house.world.first.password);
});

/**
 * A step that the way back needs as well: it turns round, and an operator is asked there. Past the point of no
 * return there is nothing to turn to. Once it is mended, it ends on the side on which it was.
 */
test.each<[Method, string, string]>([
  ["disable", "went-back", "orders_a"],
  ["proveRefused", "went-back", "orders_a"],
  ["destroy", "went-back", "orders_a"],
  ["purge", "rotated", "orders_b"],
])("I11: %s is refused for good: an operator is asked; mended, it %s", async (method, outcome, login) => {
  const house = await openHouse();
  faultsOf(house, method).fail.set(method, refusal());
  const handle = await house.start();
  const { exits, direction } = await untilHeld(handle);
  expect(direction).toBe(outcome === "went-back" ? "back" : "forward");
  expectWorking(house);
  expect(exits).toContain("retry");
  faultsOf(house, method).fail.delete(method);
  await resume(handle, "retry");
  expect(await ended(handle)).toMatchObject({ outcome });
  expectWorking(house);
  expect(house.world.enabled()).toEqual([login]);
});

test("a new version that does not log in turns the rotation round", async () => {
  const house = await openHouse({ policy: hasty });
  house.world.issuers.faults.proofFails.add("orders_b");
  const handle = await house.start();
  expect(await ended(handle)).toMatchObject({ outcome: "went-back" });
  expectWorking(house);
  expect(house.world.enabled()).toEqual(["orders_a"]);
});

test("H10: on the way back nobody has to say that they are on a version that they had no way to leave", async () => {
  const house = await openHouse({ policy: { adoptionTimeoutMs: 60_000 } });
  house.world.issuers.faults.proofFails.add("orders_b");
  house.world.consumers.get("reports")?.behave("unsaid");
  const handle = await house.start();
  expect(await ended(handle)).toMatchObject({ outcome: "went-back" });
  expectWorking(house);
  expect(house.world.enabled()).toEqual(["orders_a"]);
});

test.each<Method>(["enable", "promote", "disable", "destroy", "stage", "purge"])(
  "H3: the answer to %s is lost once: asked what happened, it goes on",
  async (method) => {
    const house = await openHouse();
    const { loseAnswer } = faultsOf(house, method);
    loseAnswer.add(method);
    loseAnswer.has = (name) => loseAnswer.delete(name);
    const handle = await house.start();
    expect(await ended(handle)).toMatchObject({ outcome: "rotated" });
    expectWorking(house);
    expect(house.world.enabled()).toEqual(["orders_b"]);
    expect(loseAnswer.size).toBe(0);
  },
);

test("H3: the answer to enable is lost every time: the world is asked, and it goes on", async () => {
  const house = await openHouse();
  faultsOf(house, "enable").loseAnswer.add("enable");
  const handle = await house.start();
  expect(await endOrHold(handle)).toBe("rotated");
  expectWorking(house);
  expect(house.world.enabled()).toEqual(["orders_b"]);
});

/** Neither way can be ended without it: it turns, asks on the way back, and ends there once answers arrive again. */
test.each<Method>(["promote", "disable"])(
  "H3: the answer to %s is lost every time: an operator is asked; mended, it goes back to its end",
  async (method) => {
    const house = await openHouse({ policy: hasty });
    const { loseAnswer } = faultsOf(house, method);
    loseAnswer.add(method);
    const handle = await house.start();
    expect((await untilHeld(handle)).direction).toBe("back");
    expectWorking(house);
    loseAnswer.delete(method);
    expect(await resume(handle, "retry")).toMatchObject({ accepted: true });
    expect(await ended(handle)).toMatchObject({ outcome: "went-back" });
    expectWorking(house);
    expect(house.world.enabled()).toEqual(["orders_a"]);
  },
);

test.each([
  ["issuer", "enable orders_b"],
  ["issuer", "disable orders_a"],
  ["store", "promote orders"],
] as const)("I10: an outage of the %s right after %s only delays", async (where, call) => {
  const house = await openHouse();
  const system = where === "issuer" ? house.world.issuers : house.world.stores;
  const handle = await house.start();
  await eventually("the call", () => system.calls.includes(call));
  system.faults.unreachable = true;
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  system.faults.unreachable = false;
  expect(await ended(handle)).toMatchObject({ outcome: "rotated" });
  expectWorking(house);
});

test("I10: an outage of the issuer that does not end leaves an operator the choice, and everybody working", async () => {
  const house = await openHouse({ policy: hasty });
  const { world } = house;
  const handle = await house.start();
  await eventually("the switch", () => world.issuers.calls.includes("prove orders_b"));
  world.issuers.faults.unreachable = true;
  const { exits } = await untilHeld(handle);
  expect(exits.length).toBeGreaterThan(0);
  expectWorking(house);
  world.issuers.faults.unreachable = false;
  await resume(handle, "retry");
  expect(await ended(handle)).toMatchObject({ outcome: "went-back" });
  expectWorking(house);
});

test("I11: a consumer that refuses to move turns everybody back, and both sides work throughout", async () => {
  const house = await openHouse({ policy: { adoptionTimeoutMs: 2_000 } });
  house.world.consumers.get("reports")?.behave("refuses");
  const broken = new Set<string>();
  const probe = setInterval(() => house.world.broken().map((name) => broken.add(name)), 5);
  const handle = await house.start();
  const result = await ended(handle);
  clearInterval(probe);
  expect(result).toMatchObject({ outcome: "went-back" });
  expect([...broken]).toEqual([]);
  expectWorking(house);
  expect(house.world.enabled()).toEqual(["orders_a"]);
});

test.each([
  ["forward", "rotated", "orders_b"],
  ["back", "went-back", "orders_a"],
] as const)("H30: an operator orders %s, and only what is legal: %s", async (exit, outcome, login) => {
  const house = await openHouse();
  const faults = faultsOf(house, "disable");
  faults.fail.set("disable", refusal());
  const handle = await house.start();
  // Neither way can be ended while nothing can be switched off: it has turned, and asks on the way back.
  const first = await untilHeld(handle);
  expect([first.direction, [...first.exits].sort()]).toEqual(["back", ["forward", "retry"]]);
  expect(await resume(handle, "back")).toMatchObject({ accepted: false });
  if (exit === "back") {
    expect(await resume(handle, "forward")).toMatchObject({ accepted: true });
    const second = await until(
      handle,
      "held on the way forward",
      ({ standing, direction }) => standing === "needs-operator" && direction === "forward",
    );
    expect([...second.exits].sort()).toEqual(["back", "retry"]);
    expect(await resume(handle, "forward")).toMatchObject({ accepted: false });
  }
  faults.fail.delete("disable");
  expect(await resume(handle, exit)).toMatchObject({ accepted: true });
  expect(await ended(handle)).toMatchObject({ outcome });
  expectWorking(house);
  expect(house.world.enabled()).toEqual([login]);
});

test("cancelled while it asks: as if it had never begun", async () => {
  const house = await openHouse({ quorum: 1 });
  const handle = await house.start();
  const state = await untilAsked(handle);
  expect(await cancel(handle)).toMatchObject({ accepted: true });
  expect(await ended(handle)).toMatchObject({ outcome: "refused" });
  expect(house.world.enabled()).toEqual(["orders_a"]);
  await expect(decide(handle, await paper(house, state, "ann"))).rejects.toThrow();
});

test.each([
  ["adoption", "delivered and adopted", {}],
  ["drain", "drained", {}],
  // Long enough to be met in it; the way back has one too.
  ["the soak after the switch", "disabled", { disableSoakMs: 10_000 }],
] as const)("I11: cancelled in %s: goes back to its end, and everybody works", async (what, gate, policy) => {
  const house = await openHouse({ policy });
  const { world } = house;
  const reports = world.consumers.get("reports");
  if (what === "adoption") reports?.behave("refuses");
  if (what === "drain") world.issuers.server().connect("orders_a", world.first.password, "app");
  const handle = await house.start();
  await until(handle, what, (progress) => progress.gate === gate && progress.standing === "waiting");
  // Going back waits for nothing that this test is about.
  reports?.behave("moves");
  expect(await cancel(handle)).toMatchObject({ accepted: true });
  expect(await ended(handle)).toMatchObject({ outcome: "went-back" });
  expectWorking(house);
  expect(world.enabled()).toEqual(["orders_a"]);
  expect(world.live().password).toBe(world.first.password);
});

test("past the point of no return a cancellation is recorded as an objection, and it goes forward", async () => {
  const house = await openHouse();
  house.world.stores.faults.fail.set("purge", new RekeyError("unreachable", "The store does not answer."));
  const handle = await house.start();
  await eventually("gone at the issuer", async () => (await stateOf(handle).catch(() => null))?.irreversible);
  await cancel(handle, "too late");
  expect((await stateOf(handle)).objections).toEqual(["ann: too late"]);
  house.world.stores.faults.fail.delete("purge");
  expect(await ended(handle)).toMatchObject({ outcome: "rotated" });
  expect(house.world.enabled()).toEqual(["orders_b"]);
  expectWorking(house);
});
