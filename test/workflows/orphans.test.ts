/** Rotations that nobody tends any more: a schedule picks them up, also when the estate has moved on meanwhile (H8). */
import { expect, test } from "vitest";
import { listRotations } from "../../inventory/rotations.js";
import { takeoverWorkflowId } from "../../workflows/messages.js";
import { type House, openHouse } from "./house.js";
import { paper } from "./people.js";
import { decide, ended, expectWorking, stateOf, untilAsked } from "./watch.js";

function tend({ client, taskQueue, credential }: House): Promise<number> {
  const workflowId = `tend/${credential}/${Math.random()}`;
  return client.workflow.execute("tend", { workflowId, taskQueue, args: [] });
}

test.each(["its own", "a takeover's"] as const)(
  "H8: a rotation whose workflow was terminated under %s id is adopted at the next look",
  async (whose) => {
    const house = await openHouse({ quorum: 1 });
    const id = whose === "its own" ? house.workflowId : takeoverWorkflowId(house.credential, 1);
    const handle = await house.start({}, id);
    const before = await untilAsked(handle);
    expect(await tend(house)).toBe(0);
    await handle.terminate("an operator's mistake");
    expect(await tend(house)).toBe(1);
    const again = house.client.workflow.getHandle(id);
    const after = await untilAsked(again);
    expect(after).toMatchObject({ id: before.id });
    expect(after.epoch).toBeGreaterThan(before.epoch);
    expect(await tend(house)).toBe(0);
    await decide(again, await paper(house, after, "ann"));
    expect(await ended(again)).toMatchObject({ outcome: "rotated", rotation: before.id });
    const all = await listRotations(house.fresh.db, { credential: house.credential });
    expect(all).toMatchObject([{ requestedBy: "eve" }]);
    expectWorking(house);
  },
);

test("H8: a place that the estate has given up does not keep an adopted rotation from its fences", async () => {
  const house = await openHouse({ quorum: 1 });
  const handle = await house.start();
  const before = await untilAsked(handle);
  await handle.terminate("an operator's mistake");
  const gone = { ...before.places.main, tag: "of old", liveVersion: before.origin };
  await house.fresh.sql(
    `update rekey_inventory.rotations set initial = jsonb_set(initial::jsonb, '{places,con_gone}', '${JSON.stringify(gone)}')::json`,
  );
  const again = await house.start();
  const after = await untilAsked(again);
  expect(after).toMatchObject({ id: before.id, seized: true });
  expect(after.places.con_gone).toMatchObject({ tag: "of old", liveVersion: before.origin, unknown: false });
  await decide(again, await paper(house, await stateOf(again), "ann"));
  expect(await ended(again)).toMatchObject({ outcome: "rotated" });
  expectWorking(house);
});
