/** A rotation whose history becomes long goes on in a new run; neither a reset, nor a message that waits, nor a store that is away may hold it up (H7, H24). */
import { afterAll, beforeAll, expect, test } from "vitest";
import { findBinary } from "../../worker/dev/binaries.js";
import { temporalPin } from "../../worker/dev/pins.js";
import { startTemporal, type TemporalServer } from "../../worker/dev/temporal-server.js";
import { emergencyQueue, rotationQueue, takeoverWorkflowId } from "../../workflows/messages.js";
import { type Connections, connectTo, type House, type HouseOptions, openHouse } from "./house.js";
import { both, expedite, report } from "./reports.js";
import { resetToLast } from "./resetting.js";
import {
  cancel,
  ended,
  eventually,
  expectWorking,
  recorded,
  resume,
  until,
  untilDelivered,
} from "./watch.js";

let server: TemporalServer;
let ways: Connections;
beforeAll(async () => {
  // A new run is due at nearly every step.
  const settings = { "limit.historyCount.suggestContinueAsNew": 15 };
  server = await startTemporal({ program: await findBinary(temporalPin), settings });
  ways = await connectTo(server);
});
afterAll(async () => {
  await ways.worker.close();
  await ways.client.close();
  await server.stop();
});

/** Name and queue of each activity, from the first run to the last. */
async function sentBy({ client, workflowId }: House, firstRun: string): Promise<[string, string][]> {
  const sent: [string, string][] = [];
  for (let run: string | undefined = firstRun; run !== undefined; ) {
    const { events } = await client.workflow.getHandle(workflowId, run).fetchHistory();
    for (const { activityTaskScheduledEventAttributes: one } of events ?? [])
      if (one) sent.push([one.activityType?.name ?? "", one.taskQueue?.name ?? ""]);
    run = events?.at(-1)?.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId ?? undefined;
  }
  return sent;
}

const houseThere = (options: HouseOptions) => openHouse({ ...options, temporal: async () => ways });

test("H7: reset where a new run is due, it adopts the rotation and answers whoever wakes it", async () => {
  const house = await houseThere({ quorum: 1 });
  const handle = await house.start();
  await until(handle, "asked", (p) => p.standing === "waiting" && p.gate === "approved");
  const { epoch } = await recorded(house);
  // Not in the moment in which one run follows another.
  await eventually("it is reset", () => resetToLast(house, handle).catch(() => undefined));
  const last = house.client.workflow.getHandle(house.workflowId);
  expect(await cancel(last, "one")).toMatchObject({ accepted: true });
  expect(await ended(last)).toMatchObject({ outcome: "refused" });
  expect((await recorded(house)).epoch).toBeGreaterThan(epoch);
  expectWorking(house);
});

test("H24: while the store is away a new run follows, and a report that cannot be matched holds up neither the walk nor containment", async () => {
  const house = await houseThere({
    policy: { adoptionTimeoutMs: 600_000, stallTimeoutMs: 600_000, containmentDeadlineMs: 1_500 },
  });
  const { world } = house;
  world.consumers.get("reports")?.behave("refuses");
  const handle = await house.start();
  await untilDelivered(handle);
  const current = house.client.workflow.getHandle(house.workflowId);
  const run = async () => (await current.describe()).runId;
  world.stores.faults.unreachable = true;
  const before = await run();
  await eventually("another run follows", async () => (await run()) !== before);
  const matches = () => world.stores.calls.filter((call) => call.startsWith("live")).length;
  const asked = matches();
  const evidence = await house.fingerprint("of nobody");
  const waiting = expedite(current, await report(house, ["rashid"], { evidence }));
  await eventually("it is being matched", () => matches() > asked);
  expect(await expedite(current, await report(house, both))).toMatchObject({ accepted: true });
  await eventually("revoked", () => !world.accepts("orders_a", world.first.password));
  expect(world.stores.faults.unreachable).toBe(true);
  world.stores.faults.unreachable = false;
  world.consumers.get("reports")?.behave("moves");
  expect(await waiting).toMatchObject({ accepted: false });
  expect(await ended(current)).toMatchObject({ outcome: "rotated" });
  expectWorking(house);
});

test("H24: a run that was taken over where a new run is due ends, and does not take the rotation back", async () => {
  const house = await houseThere({ policy: { adoptionTimeoutMs: 600_000, stallTimeoutMs: 600_000 } });
  house.world.consumers.get("reports")?.behave("refuses");
  const handle = await house.start();
  await untilDelivered(handle);
  const { epoch } = await recorded(house);
  const emergency = await report(house);
  const another = await house.start({ emergency }, takeoverWorkflowId(house.credential, epoch + 1));
  await eventually("taken over", async () => (await recorded(house)).epoch > epoch);
  const current = house.client.workflow.getHandle(house.workflowId);
  // Each word makes its history longer, and the last one tells it that it was taken over, if it has not seen that yet.
  for (const exit of ["retry", "back", "forward"] as const) await resume(current, exit).catch(() => null);
  await cancel(current).catch(() => null);
  expect(await ended(current)).toMatchObject({ outcome: "taken-over" });
  house.world.consumers.get("reports")?.behave("moves");
  expect(await ended(another)).toMatchObject({ outcome: "rotated" });
  expect(await recorded(house)).toMatchObject({ epoch: epoch + 1, closed: "rotated" });
  expectWorking(house);
});

test("H24: a leak that is reported to an ordinary rotation is worked on in the emergencies' queue", async () => {
  // The house asks for a way first, then each of its workers.
  const queues = ["none", rotationQueue, emergencyQueue];
  const house = await openHouse({
    policy: { adoptionTimeoutMs: 600_000, stallTimeoutMs: 600_000 },
    temporal: async () => ({ ...ways, queue: queues.shift() ?? "" }),
  });
  await house.startWorker();
  house.world.consumers.get("reports")?.behave("refuses");
  const { client, credential, workflowId } = house;
  const input = { credential, requestedBy: "eve", reason: "it is time" };
  const handle = await client.workflow.start("rotate", {
    workflowId,
    taskQueue: rotationQueue,
    args: [input],
  });
  await untilDelivered(handle);
  const current = client.workflow.getHandle(workflowId);
  const before = await sentBy(house, handle.firstExecutionRunId);
  expect(new Set(before.map(([, queue]) => queue))).toEqual(new Set([rotationQueue]));
  expect(await expedite(current, await report(house, both))).toMatchObject({ accepted: true });
  house.world.consumers.get("reports")?.behave("moves");
  expect(await ended(current)).toMatchObject({ outcome: "rotated" });
  const all = await sentBy(house, handle.firstExecutionRunId);
  expect(all).toContainEqual(["report", emergencyQueue]);
  const urgent = all.findIndex(([name, queue]) => queue === emergencyQueue && name !== "report");
  expect(all.slice(urgent).filter(([, queue]) => queue !== emergencyQueue)).toEqual([]);
  expect(all.at(-1)).toEqual(["close", emergencyQueue]);
});
