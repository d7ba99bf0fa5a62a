/**
 * What the histories that are kept went through, one story each: rotations forward, back, in a leak, held, taken over,
 * reset and handed on to a new run, and each of the short workflows. They travel unsealed: nothing in them is not made up.
 */
import type { WorkflowHandle } from "@temporalio/client";
import { onTestFinished } from "vitest";
import { RekeyError } from "../../domain/errors.js";
import { formatTag } from "../../domain/fence.js";
import { orphansOf, type StockTaking } from "../../domain/reconcile.js";
import { findBinary } from "../../worker/dev/binaries.js";
import { temporalPin } from "../../worker/dev/pins.js";
import { startTemporal } from "../../worker/dev/temporal-server.js";
import { takeoverWorkflowId } from "../../workflows/messages.js";
import { type Connections, connectTo, type House, type HouseOptions, openHouse } from "./house.js";
import { paper, signed } from "./people.js";
import { both, expedite, report } from "./reports.js";
import { resetToLast } from "./resetting.js";
import {
  cancel,
  decide,
  ended,
  eventually,
  resume,
  stateOf,
  untilAsked,
  untilDelivered,
  untilHeld,
} from "./watch.js";

/** Goes through the story; the history is the one of the run that the handle names. */
export type Story = () => Promise<WorkflowHandle>;

const open = (more: HouseOptions = {}): Promise<House> => openHouse({ quorum: 1, sealed: false, ...more });

/** The stories by the names of their histories. */
export const stories: Readonly<Record<string, Story>> = {
  "signed-and-rotated": async () => {
    const house = await open();
    const handle = await house.start();
    await decide(handle, await paper(house, await untilAsked(handle), "ann"));
    await ended(handle);
    return handle;
  },
  "cancelled-and-gone-back": async () => {
    const house = await open();
    house.world.consumers.get("reports")?.behave("refuses");
    const handle = await house.start();
    await decide(handle, await paper(house, await untilAsked(handle), "bob"));
    await untilDelivered(handle);
    await cancel(handle);
    await ended(handle);
    return handle;
  },
  "leaked-and-revoked": async () => {
    const house = await open();
    const handle = await house.start({ emergency: await report(house, both, { containment: "revoke-now" }) });
    await ended(handle);
    return handle;
  },
  "leaked-while-it-is-delivered": async () => {
    const house = await open();
    house.world.consumers.get("reports")?.behave("refuses");
    const handle = await signedFor(house);
    await untilDelivered(handle);
    await expedite(handle, await report(house));
    house.world.consumers.get("reports")?.behave("moves");
    await ended(handle);
    return handle;
  },
  "held-and-resumed": async () => {
    const house = await open();
    const { faults } = house.world.issuers;
    faults.fail.set("disable", new RekeyError("not-permitted", "The engine's login lacks a right."));
    const handle = await signedFor(house);
    await untilHeld(handle);
    faults.fail.delete("disable");
    await resume(handle, "retry");
    await ended(handle);
    return handle;
  },
  "taken-over-for-a-leak": async () => {
    const house = await open();
    house.world.consumers.get("reports")?.behave("refuses");
    const old = await signedFor(house);
    await untilDelivered(old);
    const { epoch } = await stateOf(old);
    const emergency = await report(house);
    const handle = await house.start({ emergency }, takeoverWorkflowId(house.credential, epoch + 1));
    house.world.consumers.get("reports")?.behave("moves");
    await ended(handle);
    return handle;
  },
  "reset-and-adopted": async () => {
    const house = await open();
    const handle = await house.start();
    const before = await untilAsked(handle);
    const again = await resetToLast(house, handle);
    // What was signed for the earlier run wakes it, and counts no more.
    await decide(again, await paper(house, before, "ann"));
    const after = await eventually("a new epoch is asked", async () => {
      const state = await stateOf(again);
      return state.epoch > before.epoch && state.askedAt !== null && state;
    });
    await decide(again, await paper(house, after, "ann"));
    await ended(again);
    return again;
  },
  "handed-on-to-a-new-run": async () => {
    const house = await open({ temporal: await shortRuns() });
    const [first] = await runsOf(house);
    return handleOf(house, first);
  },
  "gone-on-with-in-a-new-run": async () => {
    const house = await open({ temporal: await shortRuns() });
    const runs = await runsOf(house);
    return handleOf(house, runs.at(-1));
  },
  "what-is-nobodys-removed": async () => {
    const house = await open({ quorum: 0 });
    const rotated = await ended(await house.start());
    // As a restored server would have it: what a rotation of ours has once made is let in again.
    const made = { rotation: rotated.rotation, epoch: 0, change: 0, state: "enabled" } as const;
    const tag = formatTag({ installation: house.installation, version: "ver_lost", ...made });
    house.world.issuers.server().logins.set("orders_a", { value: "of-old", enabled: true, tag });
    const looked = await shortly(house, "reconcile", house.credential);
    const [taking] = (await looked.result()) as StockTaking[];
    const handle = await house.start({ remove: orphansOf(taking?.drifts ?? []) });
    await ended(handle);
    return handle;
  },
  preview: async () => {
    const house = await open();
    return over(await shortly(house, "preview", { credential: house.credential }));
  },
  doctor: async () => over(await shortly(await open(), "doctor")),
  reconcile: async () => over(await shortly(await open(), "reconcile", null)),
  launch: async () => {
    const house = await open({ policy: { intervalMs: 3_600_000 } });
    return over(await shortly(house, "launch", "quick"));
  },
  tend: async () => {
    const house = await open();
    const handle = await house.start();
    await untilAsked(handle);
    await handle.terminate("an operator's mistake");
    return over(await shortly(house, "tend", { credential: house.credential, requestedBy: "olga" }));
  },
  "sign-off": async () => {
    const house = await open();
    await ended(await house.start({ emergency: await report(house) }));
    const document = await signed("ann", { installation: house.installation, says: "sign-off" });
    return over(await shortly(house, "signOff", house.credential, document));
  },
  "accept-restored": async () => {
    const house = await open();
    const word = { installation: house.installation, credential: "all", says: "restored" } as const;
    return over(await shortly(house, "acceptRestored", await signed("rashid", word)));
  },
};

/** One that its owner has signed. */
async function signedFor(house: House): Promise<WorkflowHandle> {
  const handle = await house.start();
  await decide(handle, await paper(house, await untilAsked(handle), "ann"));
  return handle;
}

/** Ways to a Temporal server at which a new run is due at nearly every step. */
async function shortRuns(): Promise<() => Promise<Connections>> {
  const settings = { "limit.historyCount.suggestContinueAsNew": 15 };
  const server = await startTemporal({ program: await findBinary(temporalPin), settings });
  onTestFinished(() => server.stop());
  const ways = await connectTo(server);
  onTestFinished(async () => {
    await ways.worker.close();
    await ways.client.close();
  });
  return async () => ways;
}

/** Ids of the runs of a rotation that was signed and came to its end, in their order. */
async function runsOf(house: House): Promise<string[]> {
  const handle = await house.start();
  // A run that has just followed another answers nothing yet.
  const asked = await eventually("it has asked", () => untilAsked(handle).catch(() => undefined));
  await decide(handle, await paper(house, asked, "ann"));
  await ended(handle);
  const runs: string[] = [];
  for (let run: string | undefined = handle.firstExecutionRunId; run !== undefined; ) {
    runs.push(run);
    const { events } = await handleOf(house, run).fetchHistory();
    run = events?.at(-1)?.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId ?? undefined;
  }
  return runs;
}

function handleOf({ client, workflowId }: House, run: string | undefined): WorkflowHandle {
  return client.workflow.getHandle(workflowId, run);
}

/** Starts one of the short workflows. */
function shortly({ client, taskQueue, credential }: House, type: string, ...args: unknown[]) {
  return client.workflow.start(type, { workflowId: `${type}/${credential}`, taskQueue, args });
}

async function over(handle: WorkflowHandle): Promise<WorkflowHandle> {
  await handle.result();
  return handle;
}
