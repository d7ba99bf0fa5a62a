/** Temporal's own cancel: anybody with its command line can send it, and it must end as well as ours does (H5). */
import type { WorkflowHandle } from "@temporalio/client";
import { expect, test } from "vitest";
import { openHouse } from "./house.js";
import { ended, expectWorking, persisted, recorded, resume, stateOf, until, untilAsked } from "./watch.js";

/** How many times this rotation was cancelled, by its own timeline. */
async function cancels(handle: WorkflowHandle): Promise<number> {
  const { timeline } = await until(handle, "the end", ({ outcome }) => outcome !== null);
  return timeline.filter(({ what }) => what === "cancelled").length;
}

test("H5: Temporal's cancel while consumers are awaited goes back to a working state, and closes", async () => {
  const house = await openHouse();
  house.world.consumers.get("reports")?.behave("refuses");
  const handle = await house.start();
  await until(handle, "delivered", ({ timeline }) => timeline.some(({ what }) => what === "deliver"));
  house.world.issuers.faults.unreachable = true;
  await handle.cancel();
  await until(handle, "cancelled", ({ timeline }) => timeline.some(({ what }) => what === "cancelled"));
  // People are heard as before.
  expect((await resume(handle, "retry")).sentence).toMatch(/does not wait for an operator/);
  house.world.consumers.get("reports")?.behave("moves");
  house.world.issuers.faults.unreachable = false;
  expect(await ended(handle)).toMatchObject({ outcome: "went-back" });
  const state = await stateOf(handle);
  expect(state.turned?.reason).toBe("cancelled: the workflow was cancelled");
  expect(await cancels(handle)).toBe(1);
  expect(persisted(state)).toEqual(persisted(await recorded(house)));
  expectWorking(house);
});

test("Temporal's cancel before anything was issued ends the rotation unchanged", async () => {
  const house = await openHouse({ quorum: 1 });
  const handle = await house.start();
  await untilAsked(handle);
  await handle.cancel();
  expect(await ended(handle)).toMatchObject({ outcome: "refused" });
  expect(house.world.issuers.calls.filter((call) => call.startsWith("enable"))).toEqual([]);
  expect(await cancels(handle)).toBe(1);
  expectWorking(house);
});
