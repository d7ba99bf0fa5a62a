/** The client of the workflows against a real Temporal: what starts, what joins, what is answered, and how failures are told. */
import { randomUUID } from "node:crypto";
import { fileURLToPath } from "node:url";
import { Client, Connection } from "@temporalio/client";
import { defaultPayloadConverter } from "@temporalio/common";
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Runtime, Worker } from "@temporalio/worker";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RotationClient, rotationClient } from "../../client/temporal.js";
import { RekeyError } from "../../domain/errors.js";
import type { EmergencyReport } from "../../domain/rotation/work.js";
import { findBinary } from "../../worker/dev/binaries.js";
import { temporalPin } from "../../worker/dev/pins.js";
import { startTemporal, type TemporalServer } from "../../worker/dev/temporal-server.js";
import {
  emergencyQueue,
  type RotateInput,
  readingWorkflowId,
  rotationQueue,
  rotationWorkflowId,
} from "../../workflows/messages.js";

/** A server of its own: the queues' names are the product's and must not meet another file's workers. */
let server: TemporalServer;
let native: NativeConnection;
let raw: Client;
let client: RotationClient;
const workers: { worker: Worker; ended: Promise<void> }[] = [];

let bundle = "";
const silent = new DefaultLogger("ERROR");
Runtime.install({ logger: silent });

async function startWorker(taskQueue: string): Promise<void> {
  const worker = await Worker.create({
    connection: native,
    namespace: "rekey",
    taskQueue,
    workflowBundle: { code: bundle },
    shutdownGraceTime: "1s",
  });
  workers.push({ worker, ended: worker.run() });
}

/** Whoever keeps silent has to be given up within a test; a busy machine may be slow all the same. */
const deadlines = { callMs: 12_000, answerMs: 10_000, workMs: 10_000 };
const options = (address: string, more: object = {}) => ({
  connection: { address },
  namespace: "rekey",
  dataConverter: {},
  identity: "test",
  randomId: (prefix: string) => `${prefix}_${randomUUID()}`,
  deadlines,
  ...more,
});

beforeAll(async () => {
  server = await startTemporal({ program: await findBinary(temporalPin) });
  native = await NativeConnection.connect({ address: server.address });
  raw = new Client({ connection: await Connection.connect({ address: server.address }), namespace: "rekey" });
  client = rotationClient(options(server.address));
  const workflowsPath = fileURLToPath(new URL("temporal-workflows.ts", import.meta.url));
  bundle = (await bundleWorkflowCode({ workflowsPath, logger: silent })).code;
  await startWorker(rotationQueue);
  await startWorker(emergencyQueue);
}, 120_000);

afterAll(async () => {
  await client?.close();
  await raw?.connection.close();
  for (const { worker } of workers) worker.shutdown();
  await Promise.all(workers.map(({ ended }) => ended));
  await native?.close();
  await server?.stop();
});

function input(reason = "test"): RotateInput {
  return { credential: `crd_${randomUUID()}`, requestedBy: "olga", reason };
}

const emergency: EmergencyReport = { documents: [], reason: "leak", leaked: "unknown", evidence: null };

async function failure(promise: Promise<unknown>): Promise<RekeyError> {
  const caught = await promise.then(
    () => new Error("it did not fail"),
    (error: unknown) => error,
  );
  expect(caught).toBeInstanceOf(RekeyError);
  return caught as RekeyError;
}

describe("reading a source", () => {
  test("is joined, and from the beginning only where nobody reads it", async () => {
    const source = (name: string) => ({ id: `src_${randomUUID()}`, name });
    const log = source("log");
    expect(await client.discover(log)).toEqual({ source: "log", anew: "not asked" });
    expect(await client.discover({ ...log, anew: true })).toEqual({ source: "log", anew: true });
    const slow = source("slow");
    await raw.workflow.start("discover", {
      ...{ workflowId: readingWorkflowId(slow.id), taskQueue: rotationQueue, args: ["slow"] },
    });
    expect(await client.discover(slow)).toBeNull();
    const refused = await failure(client.discover({ ...slow, anew: true }));
    expect(refused).toMatchObject({
      code: "conflict",
      hint: expect.stringContaining("`rekey discover slow`"),
    });
  });
});

describe("starting", () => {
  test("H8: a second start joins the first", async () => {
    const order = input();
    const workflow = rotationWorkflowId(order.credential);
    expect(await client.start(order)).toEqual({ workflow, joined: false });
    expect(await client.start(order)).toEqual({ workflow, joined: true });
    expect(await client.standing(workflow)).toBe("running");
  });

  test("an ordinary rotation has its queue and no time-out, and shows no name", async () => {
    const order = input();
    await client.start(order);
    const described = await raw.workflow.getHandle(rotationWorkflowId(order.credential)).describe();
    expect(described.taskQueue).toBe(rotationQueue);
    const { executionConfig } = described.raw;
    expect(Number(executionConfig?.workflowExecutionTimeout?.seconds ?? 0)).toBe(0);
    expect(Number(executionConfig?.workflowRunTimeout?.seconds ?? 0)).toBe(0);
    const shown = described.raw.workflowExecutionInfo?.searchAttributes?.indexedFields ?? {};
    const ours = Object.entries(shown).filter(([name]) => name.startsWith("Rekey"));
    expect(
      Object.fromEntries(ours.map(([name, value]) => [name, defaultPayloadConverter.fromPayload(value)])),
    ).toEqual({
      RekeyPhase: "planning",
      RekeyEmergency: false,
    });
  });

  test("H24: an emergency has a queue and a priority of its own, and takes over under its epoch's id", async () => {
    const order = { ...input(), emergency };
    await client.start(order);
    const { workflow } = await client.takeOver(order, 7);
    expect(workflow).toBe(`rotate/${order.credential}/e7`);
    const described = await raw.workflow.getHandle(workflow).describe();
    expect(described.taskQueue).toBe(emergencyQueue);
    expect(described.priority?.priorityKey).toBe(1);
  });

  test("what a workflow has failed with is told in its words", async () => {
    const order = input("fails");
    const { workflow } = await client.start(order);
    const told = async () => {
      while ((await client.standing(workflow)) === "running")
        await new Promise((tick) => setTimeout(tick, 20));
    };
    expect(await failure(told())).toMatchObject({
      code: "decision-refused",
      message: "The report needs 2 responders.",
    });
  });
});

describe("messages", () => {
  test("the same document twice is one message", async () => {
    const { workflow } = await client.start(input());
    expect(await client.decide(workflow, "a", "id-1")).toEqual({ accepted: true, sentence: "document 1" });
    expect(await client.decide(workflow, "a", "id-1")).toEqual({ accepted: true, sentence: "document 1" });
    expect((await client.progress(workflow)).rotation).toBe("a");
  });

  test("a rotation that has ended can be asked for nothing more, and says so", async () => {
    const { workflow } = await client.start(input());
    const order = { rotation: "rot_1", by: "olga", reason: "stop" };
    expect(await client.cancel(workflow, order, randomUUID())).toEqual({ accepted: true, sentence: "stop" });
    expect(await failure(client.cancel(workflow, order, randomUUID()))).toMatchObject({
      code: "already-closed",
    });
    expect(await client.standing(workflow)).toBe("ended");
    expect(await client.standing("rotate/never")).toBe("lost");
    expect(await failure(client.decideLater("rotate/never", "a"))).toMatchObject({ code: "already-closed" });
  });

  test("a failure of ours keeps its code and sentence", async () => {
    const { workflow } = await client.start(input());
    expect(
      await failure(
        client.resume(workflow, { rotation: "rot_1", hold: 1, by: "olga", exit: "retry" }, randomUUID()),
      ),
    ).toMatchObject({
      code: "not-permitted",
      message: "The engine lacks a right.",
    });
  });

  test("H40: a failure that is not ours is told without its text", async () => {
    const { workflow } = await client.start(input());
    const told = [
      await failure(client.expedite(workflow, emergency, randomUUID())),
      await failure(client.doctor()),
      await failure(client.progress((await client.start(input("not ready"))).workflow)),
    ];
    expect(told.map(({ code }) => code)).toEqual(["internal", "internal", "unreachable"]);
    expect(told.map((error) => `${error.stack}${JSON.stringify(error)}`).join()).not.toContain("hunter2");
  });

  test("a short workflow answers", async () => {
    expect((await client.preview({ credential: "crd_1" })).credential).toBe("crd_1");
  });
});

describe("silence", () => {
  test("a short workflow that takes too long ends by itself", async () => {
    const error = await failure(client.preview({ credential: "slow" }));
    expect(error.code).toBe("unreachable");
    const query = 'WorkflowType="preview" AND ExecutionStatus="Running"';
    const running = async () => (await raw.workflow.count(query)).count;
    await expect.poll(running).toBe(0);
  });

  test("nothing listening is said within seconds", async () => {
    const lonely = rotationClient(options("127.0.0.1:9", { deadlines: { connectMs: 500 } }));
    const begun = Date.now();
    expect(await failure(lonely.start(input()))).toMatchObject({
      code: "unreachable",
      hint: expect.stringContaining("rekey up"),
    });
    expect(Date.now() - begun).toBeLessThan(9_000);
    await lonely.close();
  });

  test("a namespace that does not exist is not reachable either", async () => {
    const lost = rotationClient(options(server.address, { namespace: "nowhere" }));
    expect(await failure(lost.start(input()))).toMatchObject({ code: "unreachable" });
    await lost.close();
  });

  test("a document is left for the rotation while no worker runs, and found by the next one", async () => {
    const { workflow } = await client.start(input());
    for (const { worker } of workers) worker.shutdown();
    await Promise.all(workers.map(({ ended }) => ended));
    workers.length = 0;
    const error = await failure(client.decide(workflow, "a", "id-1"));
    expect(error).toMatchObject({ code: "unreachable", hint: expect.stringContaining("rekey worker") });
    await client.decideLater(workflow, "b");
    await startWorker(rotationQueue);
    await expect.poll(async () => (await client.progress(workflow)).rotation).toContain("b");
  });
});
