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

/** A step that is refused for good: nothing was issued, it went back, or an operator is asked; never a broken consumer. */
test.each<[Method, string]>([
  ["stage", "refused"],
  ["enable", "refused"],
  ["prove", "refused"],
  ["promote", "went-back"],
  ["disable", "needs-operator"],
  ["proveRefused", "needs-operator"],
  ["destroy", "needs-operator"],
  ["purge", "needs-operator"],
])("I11: %s is refused for good: %s, with everybody working", async (method, outcome) => {
  const house = await openHouse();
  faultsOf(house, method).fail.set(method, refusal());
  const handle = await house.start();
  expect(await endOrHold(handle)).toBe(outcome);
  expectWorking(house);
  if (outcome !== "needs-operator") {
    expect(house.world.enabled()).toEqual(["orders_a"]);
    expect(house.world.live().password).toBe(house.world.first.password);
    return;
  }
  const { exits } = await untilHeld(handle);
  expect(exits).toContain("retry");
  faultsOf(house, method).fail.delete(method);
  await resume(handle, "retry");
  expect(["rotated", "went-back"]).toContain((await ended(handle)).outcome);
  expectWorking(house);
  expect(house.world.enabled()).toHaveLength(1);
});

test("a new version that does not log in turns the rotation round", async () => {
  const house = await openHouse();
  house.world.issuers.faults.proofFails.add("orders_b");
  const handle = await house.start();
  expect(await ended(handle)).toMatchObject({ outcome: "went-back" });
  expectWorking(house);
  expect(house.world.enabled()).toEqual(["orders_a"]);
});

/** For what must go on in the end, however slow the machine is that runs the tests. */
const patient = { stallTimeoutMs: 20_000, adoptionTimeoutMs: 20_000, drainTimeoutMs: 20_000 };

test.each<Method>(["enable", "promote", "disable", "destroy", "stage", "purge"])(
  "H3: the answer to %s is lost once: asked what happened, it goes on",
  async (method) => {
    const house = await openHouse({ policy: patient });
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

test.each<Method>(["enable", "promote", "disable"])(
  "H3: the answer to %s is lost every time: a working state at the end",
  async (method) => {
    const house = await openHouse();
    faultsOf(house, method).loseAnswer.add(method);
    const handle = await house.start();
    await endOrHold(handle);
    expectWorking(house);
  },
);

test.each([
  ["issuer", "enable orders_b"],
  ["issuer", "disable orders_a"],
  ["store", "promote orders"],
] as const)("I10: an outage of the %s right after %s only delays", async (where, call) => {
  const house = await openHouse({
    policy: { stallTimeoutMs: 30_000, adoptionTimeoutMs: 30_000, drainTimeoutMs: 30_000 },
  });
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
  const house = await openHouse();
  const { world } = house;
  const handle = await house.start();
  await eventually("the switch", () => world.issuers.calls.includes("prove orders_b"));
  world.issuers.faults.unreachable = true;
  const { exits } = await untilHeld(handle);
  expect(exits.length).toBeGreaterThan(0);
  expectWorking(house);
  world.issuers.faults.unreachable = false;
  await resume(handle, exits.includes("back") ? "back" : "retry");
  expect(["rotated", "went-back"]).toContain((await ended(handle)).outcome);
  expectWorking(house);
});

test("I11: a consumer that refuses to move turns everybody back, and both sides work throughout", async () => {
  const house = await openHouse();
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

test.each(["back", "forward"] as const)(
  "H30: an operator orders %s, and only what is legal",
  async (exit) => {
    const house = await openHouse();
    const faults = faultsOf(house, "disable");
    faults.fail.set("disable", refusal());
    const handle = await house.start();
    const { exits } = await untilHeld(handle);
    const illegal = (["back", "forward"] as const).find((other) => !exits.includes(other));
    if (illegal) expect(await resume(handle, illegal)).toMatchObject({ accepted: false });
    faults.fail.delete("disable");
    const order = exits.includes(exit) ? exit : "retry";
    expect(await resume(handle, order)).toMatchObject({ accepted: true });
    const { outcome } = await ended(handle);
    if (exits.includes("forward") && exit === "forward") expect(outcome).toBe("rotated");
    expect(["rotated", "went-back"]).toContain(outcome);
    expectWorking(house);
  },
);

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
  ["adoption", { adoptionTimeoutMs: 60_000 }, "delivered and adopted"],
  ["drain", { quietPeriodMs: 60_000, drainTimeoutMs: 60_000 }, "drained"],
  ["the soak after the switch", { disableSoakMs: 60_000 }, "disabled"],
] as const)("cancelled in %s: goes back, and everybody works", async (what, policy, gate) => {
  const house = await openHouse({ policy });
  if (what === "adoption") house.world.consumers.get("reports")?.behave("refuses");
  const handle = await house.start();
  await until(handle, what, (progress) => progress.gate === gate && progress.standing === "waiting");
  // Going back waits for nothing that this test is about.
  house.world.consumers.get("reports")?.behave("moves");
  expect(await cancel(handle)).toMatchObject({ accepted: true });
  if (what !== "adoption") {
    await until(handle, "turned", ({ direction }) => direction === "back");
    await eventually(
      "on the old one again",
      () => house.world.live().password === house.world.first.password,
    );
    await until(handle, "drain", (progress) => progress.gate === "drained" || progress.gate === "disabled");
    expectWorking(house);
    return;
  }
  expect(await ended(handle)).toMatchObject({ outcome: "went-back" });
  expectWorking(house);
  expect(house.world.enabled()).toEqual(["orders_a"]);
});

test("past the point of no return a cancellation is recorded as an objection, and it goes forward", async () => {
  const house = await openHouse({ policy: { stallTimeoutMs: 20_000 } });
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
