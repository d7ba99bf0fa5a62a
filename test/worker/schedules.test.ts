/**
 * What runs by the clock, on a whole house: schedules follow the estate, what is due is started by them, and
 * what has lost its workflow is taken up whatever its policy says.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { Client, Connection, type ScheduleDescription } from "@temporalio/client";
import { defineSearchAttributeKey } from "@temporalio/common";
import { afterAll, beforeAll, expect, test } from "vitest";
import { inventoryIn } from "../../client/cli/inventory.js";
import type { Estate } from "../../domain/estate/types.js";
import { inventoryTime } from "../../inventory/clock.js";
import type { Database } from "../../inventory/database.js";
import { applyEstate, entryNamed } from "../../inventory/estate.js";
import { appendEvent } from "../../inventory/events.js";
import { databaseOf, dataConverterOf, temporalLoginOf } from "../../worker/installation.js";
import { readingScheduleId, scheduleId, tendScheduleId } from "../../worker/schedule-agreement.js";
import { type RunningHouse, startHouse } from "../../worker/up.js";
import {
  emergencyQueue,
  readingWorkflowId,
  rotationQueue,
  rotationWorkflowId,
} from "../../workflows/messages.js";
import { emptyWorld, runIn } from "../cli/fakes.js";
import { newId, openedRotation, t0 } from "../inventory/world.js";
import { registeredShapes } from "../support/shapes.js";
import { estate } from "./estate.js";

const dayMs = 24 * 60 * 60_000;
const untilMsMax = 60_000;
/** The house looks every fifteen seconds whether its schedules are what the estate says. */
const testMsMax = 180_000;
const emergencyKey = defineSearchAttributeKey("RekeyEmergency", "BOOL");
let folder: string;
let house: RunningHouse;
let db: Database;
let client: Client;
let policyId: string;
let revisions = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rekey-house-"));
  await writeFile(join(folder, "known.csv"), "consumer,credential\nnightly-export,orders-db\n");
  house = await startHouse({ folder, lasting: false, progress: () => undefined });
  db = await databaseOf(house.settings);
  client = new Client({
    connection: await Connection.connect(await temporalLoginOf(house.settings)),
    namespace: house.settings.REKEY_TEMPORAL_NAMESPACE,
    dataConverter: await dataConverterOf(house.settings),
  });
}, 120_000);

afterAll(async () => {
  await client?.connection.close();
  await db?.close();
  await house?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** The estate with this interval of its policy, and with a source that is read as often. */
async function applyInterval(intervalMs: number | null): Promise<void> {
  const { intervalMs: _, ...standard } = estate.policies.standard ?? expect.fail("the sample has a policy");
  await apply({
    ...estate,
    policies: { standard: intervalMs === null ? standard : { ...standard, intervalMs } },
    sources: {
      known: {
        ...{ kind: "table", owner: "platform", files: [join(folder, "known.csv")] },
        ...(intervalMs === null ? {} : { every: intervalMs }),
      },
    },
  });
}

async function apply(changed: Estate): Promise<void> {
  revisions += 1;
  const request = { estate: changed, digest: `d${revisions}`, by: "ann", now: t0 + revisions };
  await applyEstate(db, { ...request, newId });
  policyId = (await entryNamed(db, "policies", "standard")).id;
}

async function eventually<T>(what: string, look: () => Promise<T | null | false>): Promise<T> {
  const deadline = Date.now() + untilMsMax;
  for (;;) {
    const seen = await look();
    if (seen !== null && seen !== false) return seen;
    if (Date.now() > deadline) throw new Error(`it never came to this: ${what}`);
    await pause(200);
  }
}

/** The schedule, or null while there is none. */
function described(id: string): Promise<ScheduleDescription | null> {
  return client.schedule
    .getHandle(id)
    .describe()
    .catch(() => null);
}

/** The rotation's workflow once somebody has started it, again where `before` names an earlier run. */
function started(credential: string, before = "") {
  return eventually("its rotation is started", async () => {
    const handle = client.workflow.getHandle(rotationWorkflowId(credential));
    const seen = await handle.describe().catch(() => null);
    return seen !== null && seen.runId !== before && seen;
  });
}

test("a house without an estate looks after lost rotations, and nothing is due", {
  timeout: testMsMax,
}, async () => {
  const tending = await eventually("there is a schedule", () => described(tendScheduleId));
  expect(tending).toMatchObject({
    spec: { intervals: [{ every: 300_000 }] },
    policies: { overlap: "SKIP", catchupWindow: 3_600_000 },
    action: { workflowType: "tend", taskQueue: rotationQueue },
  });
  const ids: string[] = [];
  for await (const { scheduleId: id } of client.schedule.list()) ids.push(id);
  expect(ids).toEqual([tendScheduleId]);
});

test("a policy with an interval has a schedule, which follows it, and stays paused when somebody has paused it", {
  timeout: testMsMax,
}, async () => {
  await applyInterval(30 * dayMs);
  const made = await eventually("it is made", () => described(scheduleId(policyId)));
  expect(made).toMatchObject({
    spec: { intervals: [{ every: 900_000 }], jitter: 60_000 },
    policies: { overlap: "SKIP", catchupWindow: 3_600_000 },
    action: { workflowType: "launch", args: ["standard"], taskQueue: rotationQueue },
    state: { paused: false },
  });
  await client.schedule.getHandle(scheduleId(policyId)).pause("nobody is here today");
  await applyInterval(60_000);
  const changed = await eventually("it is changed", async () => {
    const now = await described(scheduleId(policyId));
    return now?.spec.intervals?.[0]?.every === 60_000 && now;
  });
  expect(changed).toMatchObject({
    spec: { jitter: 30_000 },
    policies: { catchupWindow: 3_600_000 },
    action: { args: ["standard"] },
    state: { paused: true, note: "nobody is here today" },
  });
});

test("what is due is started by the schedule's action, under the stable id", {
  timeout: testMsMax,
}, async () => {
  await client.schedule.getHandle(scheduleId(policyId)).trigger();
  for (const name of ["orders-db", "billing-db"]) {
    const { id } = await entryNamed(db, "credentials", name);
    const workflow = await started(id);
    expect(workflow).toMatchObject({ type: "rotate", taskQueue: rotationQueue });
    expect(workflow.typedSearchAttributes.get(emergencyKey)).toBe(false);
    // It cannot get far, because its systems do not exist; it may have ended by itself.
    await client.workflow
      .getHandle(workflow.workflowId)
      .terminate("seen")
      .catch(() => undefined);
  }
});

test("C2: a source with a time is read at once, and then by the clock, under the stable id", {
  timeout: testMsMax,
}, async () => {
  const { id } = await entryNamed(db, "sources", "known");
  const made = await eventually("it has a schedule", () => described(readingScheduleId(id)));
  expect(made).toMatchObject({
    spec: { intervals: [{ every: 60_000 }] },
    policies: { overlap: "SKIP" },
    action: { workflowType: "discoverDue", args: ["known", id], taskQueue: rotationQueue },
  });
  const read = (before = "") =>
    eventually("it is read", async () => {
      const handle = client.workflow.getHandle(readingWorkflowId(id));
      const seen = await handle.describe().catch(() => null);
      if (seen === null || seen.runId === before || seen.status.name !== "COMPLETED") return null;
      return { runId: seen.runId, report: await handle.result() };
    });
  const first = await read();
  expect(first.report).toMatchObject({ source: "known", failure: null, records: 1, malformed: 0 });
  // Somebody is planted between two readings, and is on the map after the next one; so is that they are gone.
  const change = async (rows: string, before: string) => {
    const since = new Date(Math.floor(await inventoryTime(db))).toISOString();
    await writeFile(join(folder, "known.csv"), `consumer,credential\n${rows}`);
    // The clock may have had it read at this very moment, before this was written: so it is read twice.
    let runId = before;
    for (let times = 0; times < 2; times++) {
      await client.schedule.getHandle(readingScheduleId(id)).trigger("BUFFER_ONE");
      runId = (await read(runId)).runId;
    }
    const inventory = inventoryIn(db, { randomId: newId, shapes: registeredShapes });
    const { stdout } = await runIn(emptyWorld(), ["changes", "--since", since, "--json"], { inventory });
    const { changes } = JSON.parse(stdout) as {
      changes: { change: string; what: string; sources: string[] }[];
    };
    return { runId, changes };
  };
  const kept = "nightly-export,orders-db\n";
  const uses = { what: "planted uses orders-db", sources: ["known"] };
  const planted = await change(`${kept}planted,orders-db\n`, first.runId);
  expect(planted.changes).toContainEqual(expect.objectContaining({ ...uses, change: "came" }));
  expect(planted.changes.filter(({ what }) => what.includes("nightly-export"))).toEqual([]);
  const { changes: after } = await change(kept, planted.runId);
  expect(after).toContainEqual(expect.objectContaining({ ...uses, change: "ended" }));
});

test("a policy that gives up its interval gives up its schedule, and a source too", {
  timeout: testMsMax,
}, async () => {
  const { id: source } = await entryNamed(db, "sources", "known");
  await applyInterval(null);
  for (const id of [scheduleId(policyId), readingScheduleId(source)])
    await eventually("it is gone", async () => (await described(id)) === null);
  expect(await described(tendScheduleId)).not.toBeNull();
});

test("H8 H24: a lost rotation is taken up without an interval, a lost emergency where emergencies are worked on", {
  timeout: testMsMax,
}, async () => {
  const [orders, billing] = await Promise.all(
    ["orders-db", "billing-db"].map(async (name) => (await entryNamed(db, "credentials", name)).id),
  );
  await openedRotation(db, orders ?? "");
  // It began as an ordinary one; then a leak was reported to it.
  const told = await openedRotation(db, billing ?? "");
  await appendEvent(db, told.rotation, told.epoch, {
    type: "incident",
    at: t0,
    leaked: [told.initial.origin],
    containment: "revoke-now",
    emergency: {
      containment: "revoke-now",
      reason: "in a public log",
      startedAt: t0,
      containBy: t0 + 1,
      signOffBy: t0 + 2,
      responders: ["ann"],
    },
  });
  const [one, two] = [await started(orders ?? ""), await started(billing ?? "")];
  await client.schedule.getHandle(tendScheduleId).trigger();
  const ordinary = await started(orders ?? "", one.runId);
  const urgent = await started(billing ?? "", two.runId);
  expect(ordinary.taskQueue).toBe(rotationQueue);
  expect(ordinary.typedSearchAttributes.get(emergencyKey)).toBe(false);
  expect(urgent.taskQueue).toBe(emergencyQueue);
  expect(urgent.typedSearchAttributes.get(emergencyKey)).toBe(true);
  expect(urgent.priority).toMatchObject({ priorityKey: 1 });
});
