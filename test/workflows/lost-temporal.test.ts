/**
 * Temporal is lost with everything that was in it, a rotation under way: before anything was issued, in
 * the middle of a delivery, or while the old version is switched off. The records lead, and nothing is done twice (H8).
 */
import type { WorkflowHandle } from "@temporalio/client";
import { Client } from "@temporalio/client";
import { expect, test } from "vitest";
import { inventoryIn } from "../../client/cli/inventory.js";
import { rotationClient } from "../../client/temporal.js";
import { foldAll } from "../../domain/rotation/fold.js";
import { listRotations, loadRotation } from "../../inventory/rotations.js";
import { findBinary } from "../../worker/dev/binaries.js";
import { temporalPin } from "../../worker/dev/pins.js";
import { freePort } from "../../worker/dev/ports.js";
import { startTemporal, type TemporalServer } from "../../worker/dev/temporal-server.js";
import { newId } from "../../worker/installation.js";
import { rotationQueue } from "../../workflows/messages.js";
import { emptyWorld, type Ran, runIn } from "../cli/fakes.js";
import { registeredShapes } from "../support/shapes.js";
import { type Connections, connectTo, converter, type House, openHouse } from "./house.js";
import { paper } from "./people.js";
import { decide, ended, eventually, expectWorking, untilAsked } from "./watch.js";

/** The command line, with the inventory of this house and the real way to Temporal. */
async function rekey(house: House, { address, namespace }: TemporalServer, ...argv: string[]): Promise<Ran> {
  const client = rotationClient({
    connection: { address },
    namespace,
    dataConverter: converter(),
    identity: "olga",
    randomId: newId,
  });
  const inventory = inventoryIn(house.fresh.db, { randomId: newId, shapes: registeredShapes });
  const { standing, tend, progress, facts } = client;
  const world = emptyWorld({ answers: { standing, tend, progress, facts } as never });
  try {
    return await runIn(world, argv, { inventory });
  } finally {
    await client.close();
  }
}

/** Where each is when Temporal is lost, and what the records know of the change under way. */
const moments = {
  "before issue": "No change was under way.",
  "in a delivery": "(deliver) was begun",
  "in a disable": "(disable) was begun",
} as const;

test.each(Object.entries(moments))(
  "H8 H3: Temporal's data is lost %s: it is taken up where the records have it, and ends well",
  async (when, under) => {
    const program = await findBinary(temporalPin);
    const port = await freePort();
    let server = await startTemporal({ program, port });
    const first = await connectTo(server);
    let now: Connections = first;
    try {
      const house = await openHouse({
        quorum: when === "before issue" ? 1 : 0,
        temporal: async () => now,
      });
      const release = await untilLost(house, when);
      const explained = await rekey(house, server, "explain", "orders-db");
      expect(explained).toMatchObject({
        code: 0,
        stdout: expect.stringContaining(`The workflow ${house.workflowId} says`),
      });
      expect(explained.stdout).toMatch(
        /A worker looked at issuer, store and consumers (just now|\d.* ago), under epoch 1/,
      );
      await house.worker.kill();
      const before = await latest(house);
      await server.stop();
      server = await startTemporal({ program, port });
      now = { ...(await connectTo(server)), queue: rotationQueue };
      house.world.stores.faults.hang.clear();
      const shown = await rekey(house, server, "adopt-rotation", "orders-db");
      expect(shown).toMatchObject({ code: 2, stderr: expect.stringContaining("no workflow rotate/") });
      expect(shown.stderr).toContain(under);
      expect((await rekey(house, server, "explain", "orders-db")).stdout).toContain(
        `Temporal has no running workflow ${house.workflowId}.`,
      );
      const worker = await house.startWorker();
      const ran = await rekey(house, server, "adopt-rotation", "orders-db", "--yes", "--as", "olga");
      expect(ran).toMatchObject({ code: 0, stdout: expect.stringContaining("is taken up") });
      const client = { connection: now.client, namespace: now.namespace, dataConverter: converter() };
      const handle = new Client(client).workflow.getHandle(house.workflowId);
      if (when === "before issue") await signAgain(house, handle, server, before.epoch);
      expect(await ended(handle)).toMatchObject({ outcome: "rotated", rotation: before.id });
      release();
      expect((await latest(house)).epoch).toBeGreaterThan(before.epoch);
      expect(await listRotations(house.fresh.db, { credential: house.credential })).toHaveLength(1);
      expect(house.world.enabled()).toEqual(["orders_b"]);
      expect(house.world.issuers.calls.filter((call) => call === "enable orders_b")).toHaveLength(1);
      expectWorking(house);
      expect((await rekey(house, server, "adopt-rotation")).stdout).toContain("No open rotation has lost");
      await worker.stop();
    } finally {
      await first.client.close();
      if (now !== first) await now.client.close();
      await server.stop();
    }
  },
);

/** Rotates up to there. The answer lets a write that was held on its way land, late. */
async function untilLost(house: House, when: string): Promise<() => void> {
  const { stores, issuers } = house.world;
  if (when === "before issue") {
    await untilAsked(await house.start());
    return () => {};
  }
  if (when === "in a delivery") {
    stores.faults.hang.add("promote");
    await house.start();
    await eventually("it delivers", () => stores.calls.some((call) => call.startsWith("promote")));
    return () => {};
  }
  const release = holdDisable(house);
  await house.start();
  await eventually("it disables", () => issuers.calls.includes("disable orders_a"));
  return release;
}

/** The write that switches the old version off is held on its way; the answer lets it go on, late. */
function holdDisable({ world }: House): () => void {
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const { faults } = world.issuers;
  // From the moment on at which the new version is there, the next write is the disable.
  const armed = setInterval(() => {
    if (!world.issuers.calls.includes("enable orders_b") || world.live().username !== "orders_b") return;
    faults.holdWrite = held;
    clearInterval(armed);
  }, 1);
  return () => release();
}

/** It is running: another order is refused; what was signed for the lost run is asked for anew. */
async function signAgain(
  house: House,
  handle: WorkflowHandle,
  server: TemporalServer,
  epoch: number,
): Promise<void> {
  const again = await eventually("it asks anew", async () => {
    const state = await untilAsked(handle).catch(() => null);
    return state !== null && state.epoch > epoch && state;
  });
  expect(await rekey(house, server, "adopt-rotation", "orders-db", "--yes")).toMatchObject({
    code: 3,
    stderr: expect.stringContaining("is running"),
  });
  await decide(handle, await paper(house, again, "ann"));
}

async function latest(house: House) {
  const [row] = await listRotations(house.fresh.db, { credential: house.credential });
  const { initial, events } = await loadRotation(house.fresh.db, row?.id ?? "");
  return foldAll(initial, events);
}
