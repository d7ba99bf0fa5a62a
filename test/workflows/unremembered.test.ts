/** What is recorded and a run does not remember: it goes by the records in the end, and never repeats a step for ever (H7). */
import { expect, test } from "vitest";
import { appendEvent } from "../../inventory/events.js";
import { openHouse } from "./house.js";
import { ended, expectWorking, persisted, recorded, stateOf, untilDelivered } from "./watch.js";

test("H7: a run that does not remember a cancel that is recorded goes back all the same", async () => {
  const house = await openHouse();
  house.world.consumers.get("reports")?.behave("refuses");
  const handle = await house.start();
  await untilDelivered(handle);
  const { id, epoch } = await stateOf(handle);
  const event = { type: "cancelled", at: Date.now(), by: "ann", reason: "not today" } as const;
  await appendEvent(house.fresh.db, id, epoch, event);
  // Everybody moves: by what it remembers the run would now take the old version away, by the records it may not.
  house.world.consumers.get("reports")?.behave("moves");
  expect(await ended(handle)).toMatchObject({ outcome: "went-back", rotation: id });
  const state = await stateOf(handle);
  expect(state.turned?.reason).toBe("cancelled: not today");
  expect(persisted(state)).toEqual(persisted(await recorded(house)));
  expectWorking(house);
  expect(house.world.enabled()).toEqual(["orders_a"]);
});
