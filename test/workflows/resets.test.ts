/** A reset of a rotation that waits for people: the first word that anybody says to it lets it adopt the rotation (H7). */
import { expect, test } from "vitest";
import { RekeyError } from "../../domain/errors.js";
import { listRotations } from "../../inventory/rotations.js";
import { openHouse } from "./house.js";
import { paper } from "./people.js";
import { resetToLast } from "./resetting.js";
import {
  cancel,
  decide,
  ended,
  eventually,
  expectWorking,
  resume,
  stateOf,
  untilAsked,
  untilHeld,
} from "./watch.js";

test("H7: reset while it is held for an operator, it adopts the rotation at the first message and goes on back", async () => {
  const house = await openHouse();
  const { fail } = house.world.issuers.faults;
  fail.set("destroy", new RekeyError("not-permitted", "The login may not do this."));
  const handle = await house.start();
  await untilHeld(handle);
  const before = await stateOf(handle);
  const again = await resetToLast(house, handle);
  await untilHeld(again);
  fail.clear();
  // Adopting it is what the operator wanted: nothing waits for anybody any more.
  expect((await resume(again, "retry")).sentence).toMatch(/does not wait for an operator/);
  expect(await ended(again)).toMatchObject({ outcome: "went-back", rotation: before.id });
  expect((await stateOf(again)).epoch).toBeGreaterThan(before.epoch);
  expect(await listRotations(house.fresh.db, { credential: house.credential })).toHaveLength(1);
  expectWorking(house);
});

test("H7: reset while it waits for signatures, it refuses those of the earlier run and asks anew", async () => {
  const house = await openHouse({ quorum: 1 });
  const handle = await house.start();
  const before = await untilAsked(handle);
  const again = await resetToLast(house, handle);
  expect(await decide(again, await paper(house, before, "ann"))).toMatchObject({
    accepted: false,
    sentence: expect.stringMatching(/earlier run/),
  });
  const after = await eventually("a new epoch is asked", async () => {
    const state = await stateOf(again);
    return state.epoch > before.epoch && state.askedAt !== null && state;
  });
  await decide(again, await paper(house, after, "ann"));
  expect(await ended(again)).toMatchObject({ outcome: "rotated", rotation: before.id });
  expectWorking(house);
});

test("H7: reset while it waits for signatures, several words at once are each heard once", async () => {
  const house = await openHouse({ quorum: 1 });
  const handle = await house.start();
  await untilAsked(handle);
  const again = await resetToLast(house, handle);
  // Which of them comes first is not ours to say; the other one may find that it has ended.
  const heard = await Promise.allSettled([cancel(again, "one"), cancel(again, "two")]);
  const accepted = heard.filter((one) => one.status === "fulfilled" && one.value.accepted);
  expect(accepted.length).toBeGreaterThan(0);
  expect(await ended(again)).toMatchObject({ outcome: "refused" });
  expectWorking(house);
});

test("H7: reset to before its end, it hears that the rotation has been closed, and how", async () => {
  const house = await openHouse();
  const handle = await house.start();
  const first = await ended(handle);
  expect(first).toMatchObject({ outcome: "rotated" });
  const calls = [...house.world.issuers.calls];
  const again = await resetToLast(house, handle, 1);
  expect(await ended(again)).toMatchObject({ outcome: "rotated", rotation: first.rotation });
  expect((await again.describe()).status.name).toBe("COMPLETED");
  expect(
    house.world.issuers.calls.slice(calls.length).filter((call) => /^(enable|disable)/.test(call)),
  ).toEqual([]);
  expect(await listRotations(house.fresh.db, { credential: house.credential })).toHaveLength(1);
});
