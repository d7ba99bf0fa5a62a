/** H7: a run goes on with a state that was handed to it only where the records say that the run before it did so. */
import { expect, test } from "vitest";
import { openHouse } from "./house.js";
import { eventually, expectWorking, recordedEvents, stateOf, untilAsked } from "./watch.js";

test("H7 I2: a start that claims to go on, towards the old version and with a stranger in its place, switches nothing off", async () => {
  const house = await openHouse({ quorum: 1 });
  const first = await house.start();
  const state = await untilAsked(first);
  await first.terminate("to begin it with a state of somebody's own making");
  const { origin, epoch, versions } = state;
  const live = versions[origin];
  if (live === undefined) throw new Error("it has no origin");
  // Nobody has to sign what leads to the origin, and what is not enabled has nothing to drain.
  const stranger = {
    ...live,
    id: "stranger",
    issuer: "disabled",
    life: "retiring",
    delivered: false,
  } as const;
  const forged = {
    ...state,
    epoch: epoch + 1,
    target: origin,
    versions: { [origin]: { ...live, proved: true }, stranger },
  };
  const again = () => house.start({ continued: { state: forged, timeline: [] } }).catch(() => undefined);
  const second = await eventually("it can be started again", again);
  const asked = await untilAsked(second);
  expect(asked).toMatchObject({ epoch: epoch + 1, target: state.target });
  expect(Object.keys(asked.versions).sort()).toEqual(Object.keys(versions).sort());
  expect(house.world.enabled()).toEqual([live.slot]);
  expectWorking(house);
  expect((await recordedEvents(house)).map(({ type }) => type)).not.toContain("disabled");
  expect((await stateOf(second)).closed).toBeNull();
  await second.terminate("the test is over");
});
