/** The frame of a change: what is kept of an attempt, and when none is made at all. */
import { expect, test } from "vitest";
import { changeActivity, type Performer } from "../../activities/change.js";
import type { ActivityDeps } from "../../activities/deps.js";
import type { Call } from "../../adapters/ports.js";
import type { Step } from "../../domain/rotation/steps.js";
import { intend } from "../../inventory/intents.js";
import { type Desk, openDesk } from "./desk.js";

type Seize = Extract<Step, { do: "seize" }>;

/** The first change of the desk's rotation, made by `perform`, in an activity that has so much time. */
async function changed(desk: Desk, perform: Performer<Seize>, activityMs?: number) {
  const audit = { objection: async () => null, secure: async () => null };
  const deps: ActivityDeps = { ...desk.deps, audit };
  const step: Seize = { do: "seize", slots: ["a", "b"], places: ["main"] };
  const activity = changeActivity<Seize>(deps, () => ({}), perform);
  const { events } = await desk.run(() => activity({ state: desk.state, step }), undefined, activityMs);
  const outcomes = await desk.fresh.sql<{ outcome: string }>("select outcome from rekey_inventory.intents");
  return { events, outcomes: outcomes.map(({ outcome }) => outcome) };
}

test("H3: what was looked at and told for all of an activity's time is not changed any more", async () => {
  const desk = await openDesk();
  const calls: Call[] = [];
  const perform: Performer<Seize> = async ({ call, deps, state, change }) => {
    calls.push(call);
    return { type: "seized", at: deps.now(), epoch: state.epoch, change, slots: [], places: [] };
  };
  // The records alone take longer than this.
  const { events, outcomes } = await changed(desk, perform, 1);
  expect(calls).toEqual([]);
  expect(events).toMatchObject([{ type: "failed", code: "unreachable", outcome: "not-done", again: true }]);
  expect(outcomes).toEqual(["not-done"]);

  const other = await openDesk();
  expect(await changed(other, perform)).toMatchObject({ events: [{ type: "seized" }], outcomes: ["done"] });
  expect(calls.map(({ signal }) => signal.aborted)).toEqual([false]);
});

test("H3: a change of another step that was under way, and that the run does not remember, is what nobody knows the end of", async () => {
  const desk = await openDesk();
  const { id: rotation, epoch, target, change } = desk.state;
  const step: Step = { do: "issue", version: target, slot: "b" };
  await intend(desk.fresh.db, { rotation, epoch, change: change + 1, step, expects: {}, at: desk.clock.now });
  const never: Performer<Seize> = async () => {
    throw new Error("nothing is sent");
  };
  const { events, outcomes } = await changed(desk, never);
  expect(events).toMatchObject([{ type: "failed", step, change: change + 1, outcome: "unknown" }]);
  expect(outcomes).toEqual(["unknown"]);
});
