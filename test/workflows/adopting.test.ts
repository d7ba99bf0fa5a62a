/** Losing the workflow: reset, terminated, or its worker killed. The records go on, and nothing is done twice (H3, H7, H8). */
import { randomUUID } from "node:crypto";
import type { WorkflowHandle } from "@temporalio/client";
import { expect, test } from "vitest";
import { listRotations } from "../../inventory/rotations.js";
import { decideSignal } from "../../workflows/messages.js";
import { type House, openHouse } from "./house.js";
import { paper } from "./people.js";
import {
  decide,
  ended,
  eventually,
  expectWorking,
  persisted,
  recorded,
  stateOf,
  until,
  untilAsked,
} from "./watch.js";

test("H7: a reset voids what was signed, adopts the rotation, and goes on with new signatures only", async () => {
  const house = await openHouse({ quorum: 2 });
  const handle = await house.start();
  const before = await untilAsked(handle);
  const papers = [await paper(house, before, "ann"), await paper(house, before, "bob")];
  await decide(handle, papers[0] ?? "");
  const again = await reset(house, handle);
  // Temporal applies the old update to the new run by itself.
  await decide(again, papers[1] ?? "").catch(() => undefined);
  const after = await eventually("a new epoch is asked", async () => {
    const state = await stateOf(again).catch(() => null);
    return state !== null && state.epoch > before.epoch && state.askedAt !== null && state;
  });
  expect(after.id).toBe(before.id);
  expect(after.nonce).not.toBe(before.nonce);
  for (const document of papers) {
    expect(await decide(again, document)).toMatchObject({
      accepted: false,
      sentence: expect.stringMatching(/earlier run/),
    });
  }
  expect(house.world.issuers.calls.filter((call) => call.startsWith("enable"))).toEqual([]);
  await decide(again, await paper(house, after, "ann"));
  await decide(again, await paper(house, after, "bob"));
  expect(await ended(again)).toMatchObject({ outcome: "rotated", rotation: before.id });
  expectWorking(house);
});

test("H7: a reset of a rotation that has ended repeats none of it", async () => {
  const house = await openHouse();
  const handle = await house.start();
  await ended(handle);
  const calls = house.world.issuers.calls.filter((call) => /^(enable|disable|destroy)/.test(call)).length;
  const again = await reset(house, handle);
  await again.result().catch(() => undefined);
  const { status } = await again.describe();
  expect(status.name).not.toBe("RUNNING");
  expect(house.world.issuers.calls.filter((call) => /^(enable|disable|destroy)/.test(call)).length).toBe(
    calls,
  );
  expect(await listRotations(house.fresh.db, { credential: house.credential })).toHaveLength(1);
  expectWorking(house);
});

test("H8: terminated and started again, the open rotation is adopted and finished; no second one begins", async () => {
  const house = await openHouse();
  house.world.consumers.get("reports")?.behave("refuses");
  const handle = await house.start();
  await untilAdopting(handle);
  const before = await stateOf(handle);
  await handle.terminate("an operator's mistake");
  const again = await house.start({ reason: "another one" });
  await eventually("adopted", async () => {
    const state = await stateOf(again).catch(() => null);
    return state !== null && state.epoch > before.epoch;
  });
  house.world.consumers.get("reports")?.behave("moves");
  expect(await ended(again)).toMatchObject({ outcome: "rotated", rotation: before.id });
  expect((await stateOf(again)).target).toBe(before.target);
  expect(house.world.issuers.calls.filter((call) => call === "enable orders_b")).toHaveLength(1);
  expect(await listRotations(house.fresh.db, { credential: house.credential })).toHaveLength(1);
  expect(persisted(await stateOf(again))).toEqual(persisted(await recorded(house)));
  expectWorking(house);
});

test("H8: whoever starts it while it runs joins it", async () => {
  const house = await openHouse({ quorum: 1 });
  const handle = await house.start();
  await untilAsked(handle);
  await expect(house.start()).rejects.toThrow(/already/i);
  expect(await listRotations(house.fresh.db, { credential: house.credential })).toHaveLength(1);
});

test("a rotation whose worker is away takes in what was signed meanwhile, when one comes back", async () => {
  const house = await openHouse({ quorum: 1 });
  const handle = await house.start();
  const document = await paper(house, await untilAsked(handle), "ann");
  await house.worker.stop();
  await handle.signal(decideSignal, document);
  await house.startWorker();
  expect(await ended(handle)).toMatchObject({ outcome: "rotated" });
  expectWorking(house);
});

test.each(["issue", "disable", "destroy"] as const)(
  "H3: a worker that is killed in the middle of %s; another one goes on, and the late write changes nothing",
  async (step) => {
    const house = await openHouse();
    const { issuers } = house.world;
    const call = { issue: "enable orders_b", disable: "disable orders_a", destroy: "destroy orders_a" }[step];
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    // Armed by the step before, so that this step's write is the one that is held on its way.
    const armed = { issue: "survey", disable: "prove orders_b", destroy: "disable orders_a" }[step];
    const handle = await house.start();
    await eventually("the step before", () => issuers.calls.includes(armed));
    issuers.faults.holdWrite = held;
    await eventually("the write is under way", () => issuers.calls.includes(call));
    await house.worker.kill();
    await house.startWorker();
    const result = await ended(handle);
    expect(result).toMatchObject({ outcome: "rotated" });
    const settled = JSON.stringify([...issuers.server().logins]);
    release();
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(JSON.stringify([...issuers.server().logins])).toBe(settled);
    expectWorking(house);
  },
);

function untilAdopting(handle: WorkflowHandle) {
  return until(
    handle,
    "adoption",
    ({ gate, standing }) => gate === "delivered and adopted" && standing === "waiting",
  );
}

/** What `temporal workflow reset --type FirstWorkflowTask` does; the handle is the new run's. */
async function reset({ client, workflowId }: House, handle: WorkflowHandle): Promise<WorkflowHandle> {
  const { runId } = await handle.describe();
  const { runId: newRunId } = await client.workflowService.resetWorkflowExecution({
    namespace: client.options.namespace,
    workflowExecution: { workflowId, runId },
    reason: "a repair",
    requestId: randomUUID(),
    workflowTaskFinishEventId: 4 as never,
  });
  return client.workflow.getHandle(workflowId, newRunId ?? undefined);
}
