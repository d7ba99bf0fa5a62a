/**
 * An upgrade of the workers in the middle of a rotation, to code that takes another walk: what has begun stays with the
 * code that began it, which alone can follow its history, and new ones go to the new code.
 */
import type { WorkflowHandle } from "@temporalio/client";
import { Worker } from "@temporalio/worker";
import { expect, test } from "vitest";
import { buildsOf, makeCurrent } from "../../client/deployment.js";
import { takePlace } from "../../worker/deployment.js";
import { temporalServer } from "../setup/servers.js";
import { laterBundle, testBundle } from "./bundle.js";
import { connections, converter, openHouse } from "./house.js";
import { paper } from "./people.js";
import { decide, ended, expectWorking, untilAsked } from "./watch.js";

/** Builds whose workers did a part of the workflow. */
async function buildsIn(handle: WorkflowHandle): Promise<string[]> {
  const { events } = await handle.fetchHistory();
  const builds = (events ?? []).flatMap(({ workflowTaskCompletedEventAttributes: done }) =>
    done ? [done.deploymentVersion?.buildId ?? "none"] : [],
  );
  return [...new Set(builds)];
}

/** Whether it began with the step that only the later build takes: a timer, before anything is done. */
async function restedFirst(handle: WorkflowHandle): Promise<boolean> {
  const { events } = await handle.fetchHistory();
  const first = (events ?? []).find(
    (event) => event.timerStartedEventAttributes ?? event.activityTaskScheduledEventAttributes,
  );
  return first?.timerStartedEventAttributes != null;
}

/** Follows the history with a build's code, as a worker does that takes the rotation up. */
async function replay(handle: WorkflowHandle, codePath: string): Promise<void> {
  await Worker.runReplayHistory(
    { workflowBundle: { codePath }, dataConverter: converter() },
    await handle.fetchHistory(),
    handle.workflowId,
  );
}

test("a rotation that waits for its owner ends on the build that began it; the next one runs on the new build", async () => {
  const { address, namespace } = await temporalServer();
  const { client: connection } = await connections();
  const builds = () => buildsOf(connection, namespace);
  const known = (build: string) =>
    expect.poll(async () => (await builds()).map((one) => one.build), { timeout: 30_000 }).toContain(build);

  const house = await openHouse({
    quorum: 1,
    build: "1.0",
    codeOf: (build) => (build === "2.0" ? laterBundle() : testBundle()),
    policy: { cooldownMs: 0 },
  });
  await known("1.0");
  expect(await takePlace({ address }, namespace, "1.0")).toBe("first");
  const handle = await house.start();
  const asked = await untilAsked(handle);

  await house.startWorker("2.0");
  await known("2.0");
  expect(await takePlace({ address }, namespace, "2.0")).toBe("waiting");
  await makeCurrent(connection, namespace, "2.0");
  expect(await takePlace({ address }, namespace, "2.0")).toBe("current");
  await expect
    .poll(async () => (await builds()).map(({ build, standing }) => `${build} ${standing}`).sort(), {
      timeout: 30_000,
    })
    .toEqual(["1.0 draining", "2.0 current"]);

  // The old workers are stopped too early: nobody else takes up what they began, and it goes on when they are back.
  await house.worker.stop();
  const old = await house.startWorker("1.0");
  await decide(handle, await paper(house, asked, "ann"));
  expect(await ended(handle)).toMatchObject({ outcome: "rotated" });
  expectWorking(house);
  expect(await buildsIn(handle)).toEqual(["1.0"]);
  expect(await restedFirst(handle)).toBe(false);
  await old.stop();
  // What would have come of it if a worker of the new build had taken it up, as any does with versions off.
  await replay(handle, await testBundle());
  await expect(replay(handle, await laterBundle())).rejects.toThrow(/nondeterminism/i);

  const next = await house.start();
  await untilAsked(next);
  expect(await buildsIn(next)).toEqual(["2.0"]);
  expect(await restedFirst(next)).toBe(true);
}, 180_000);

test("a build of which no worker was seen is not made current", async () => {
  const { namespace } = await temporalServer();
  const { client: connection } = await connections();
  await expect(makeCurrent(connection, namespace, "9.9")).rejects.toMatchObject({
    code: "not-found",
    message: expect.stringContaining("9.9"),
  });
});
