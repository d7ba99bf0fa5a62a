/** Which version leaked decides where the walk goes: each row of the table of old, new, both, dead and unknown (H25). */
import type { WorkflowHandle } from "@temporalio/client";
import { expect, test } from "vitest";
import type { RotationResult } from "../../domain/rotation/work.js";
import { type House, openHouse } from "./house.js";
import { both, expedite, report } from "./reports.js";
import { ended, eventually, expectWorking, stateOf, until, untilDelivered } from "./watch.js";

/** Leaked versions are not waited for. */
const policy = { containmentDeadlineMs: 1_500 };

/** A rotation in which one consumer has moved and the other has not: both versions are in use. */
async function halfWay(house: House): Promise<WorkflowHandle> {
  house.world.consumers.get("reports")?.behave("refuses");
  const handle = await house.start();
  await untilDelivered(handle);
  return handle;
}

/** Reports the value itself: one responder is enough, and says nothing of versions. */
async function reported(house: House, handle: WorkflowHandle, value: string): Promise<void> {
  const evidence = await house.fingerprint(value);
  const given = await report(house, ["rashid"], { leaked: [], evidence });
  expect(await expedite(handle, given)).toMatchObject({ accepted: true });
  house.world.consumers.get("reports")?.behave("moves");
}

/** How it ended; where it does not, a failure says where it stands. */
async function endOf(handle: WorkflowHandle): Promise<RotationResult> {
  await until(handle, "an end", ({ standing }) => standing === "done");
  return ended(handle);
}

/** None of these values logs in anywhere, and everybody has one that does. */
function expectDead(house: House, ...values: readonly string[]): void {
  const { world } = house;
  for (const value of values)
    expect(["orders_a", "orders_b"].map((login) => world.accepts(login, value))).toEqual([false, false]);
  expect(world.enabled()).toHaveLength(1);
  expectWorking(house);
}

test("H25: old: it goes on to the new one, and the old one is dead", async () => {
  const house = await openHouse({ policy });
  const handle = await halfWay(house);
  const next = house.world.live().password ?? "";
  await reported(house, handle, house.world.first.password);
  expect(await endOf(handle)).toMatchObject({ outcome: "rotated" });
  expect(house.world.live().password).toBe(next);
  expectDead(house, house.world.first.password);
});

test("H25: new: it turns to the old one, and the new one is dead", async () => {
  const house = await openHouse({ policy });
  const handle = await halfWay(house);
  const next = house.world.live().password ?? "";
  await reported(house, handle, next);
  expect(await endOf(handle)).toMatchObject({ outcome: "went-back" });
  expect(house.world.live().password).toBe(house.world.first.password);
  expectDead(house, next);
});

test.each([
  ["both", ["old", "new"]],
  ["unknown", "unknown"],
] as const)("H25: %s: a third one is made, and both are dead", async (_row, leaked) => {
  const house = await openHouse({ policy });
  const handle = await halfWay(house);
  const next = house.world.live().password ?? "";
  expect(await expedite(handle, await report(house, both, { leaked }))).toMatchObject({ accepted: true });
  house.world.consumers.get("reports")?.behave("moves");
  expect(await endOf(handle)).toMatchObject({ outcome: "rotated" });
  expect([house.world.first.password, next]).not.toContain(house.world.live().password);
  expectDead(house, house.world.first.password, next);
});

test("H25: dead: a value of long ago is recognised, and changes nothing", async () => {
  const house = await openHouse({ policy });
  await ended(await house.start());
  const past = house.world.first.password;
  const handle = await halfWay(house);
  const before = await stateOf(handle);
  await reported(house, handle, past);
  expect(await endOf(handle)).toMatchObject({ outcome: "rotated" });
  const after = await stateOf(handle);
  expect(after).toMatchObject({ emergency: null, target: before.target, origin: before.origin });
  expect(Object.values(after.versions).some(({ leaked }) => leaked)).toBe(false);
  await eventually("moved", () => house.world.broken().length === 0);
  expectDead(house, past);
});
