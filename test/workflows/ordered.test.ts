/** H7: what was sealed once can be sent again; an order to one rotation, or to end one hold, is none to another. */
import { expect, test } from "vitest";
import { RekeyError } from "../../domain/errors.js";
import { holdOf } from "../../domain/rotation/moves.js";
import { cancelUpdate, resumeUpdate } from "../../workflows/messages.js";
import { openHouse } from "./house.js";
import { cancel, ended, expectWorking, resume, stateOf, untilAsked, untilHeld } from "./watch.js";

test("H7: an order that was given to a rotation is refused by the next one, and one that names none by all", async () => {
  const house = await openHouse({ quorum: 1 });
  const first = await house.start();
  const { id } = await untilAsked(first);
  const order = { rotation: id, by: "ann", reason: "not today" };
  expect(await first.executeUpdate(cancelUpdate, { args: [order] })).toMatchObject({ accepted: true });
  await ended(first);

  const second = await house.start();
  await untilAsked(second);
  const sentence = expect.stringContaining("for another rotation");
  expect(await second.executeUpdate(cancelUpdate, { args: [order] })).toEqual({ accepted: false, sentence });
  const go = { rotation: id, hold: 0, by: "ann", exit: "retry" } as const;
  expect(await second.executeUpdate(resumeUpdate, { args: [go] })).toEqual({ accepted: false, sentence });
  const refused = { cause: { message: "The order does not say what it is for." } };
  const old = { by: "ann", reason: "not today" };
  await expect(second.executeUpdate("cancel", { args: [old] })).rejects.toMatchObject(refused);
  const blind = { rotation: (await stateOf(second)).id, by: "ann", exit: "retry" };
  await expect(second.executeUpdate("resume", { args: [blind] })).rejects.toMatchObject(refused);
  expect((await stateOf(second)).refused).toBeNull();
  expect(await cancel(second)).toMatchObject({ accepted: true });
  expect(await ended(second)).toMatchObject({ outcome: "refused" });
});

test("H7 H30: an operator's order ends the hold that it was given in, and no later one", async () => {
  const house = await openHouse();
  const { fail } = house.world.issuers.faults;
  fail.set("destroy", new RekeyError("not-permitted", "The login may not do this."));
  const handle = await house.start();
  await untilHeld(handle);
  const held = await stateOf(handle);
  const order = { rotation: held.id, hold: holdOf(held), by: "ann", exit: "retry" } as const;
  expect(await handle.executeUpdate(resumeUpdate, { args: [order] })).toMatchObject({ accepted: true });
  await untilHeld(handle);
  expect(holdOf(await stateOf(handle))).toBeGreaterThan(order.hold);
  expect(await handle.executeUpdate(resumeUpdate, { args: [order] })).toMatchObject({
    accepted: false,
    sentence: expect.stringContaining("an earlier moment"),
  });
  fail.clear();
  expect(await resume(handle, "retry")).toMatchObject({ accepted: true });
  await ended(handle);
  expectWorking(house);
});
