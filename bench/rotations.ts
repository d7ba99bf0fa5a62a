/** Rotations one after the other, each timed from its start to its close, with and without customers. */
import { setTimeout as pause } from "node:timers/promises";
import { Client, Connection } from "@temporalio/client";
import type { Scene } from "../examples/demo/scene.js";
import { achievedPerSecond, Customers } from "../examples/demo/services.js";
import { temporalLoginOf } from "../worker/installation.js";

/** What was seen. */
export interface Measured {
  readonly totalMs: readonly number[];
  /** Time of each step, by its name. */
  readonly steps: readonly { readonly what: string; readonly ms: readonly number[] }[];
  readonly events: readonly number[];
  /** Billable actions of Temporal's cloud, as far as the history shows them. */
  readonly actions: readonly number[];
  readonly requests: number;
  /** Requests that were answered in a second, all services together. */
  readonly achievedPerSecond: number;
  readonly failed: number;
  readonly failures: readonly string[];
}

const rotationMsMax = 60_000;

/** Enough to see that a service works, and too little to weigh. */
export const idlePerSecond = 10;

/**
 * Measures `rotations` rotations while customers ask every service now and then (a consumer that nobody asks
 * shows no sign of working), and the one that opens a connection for each request `requestsPerSecond` times.
 */
export async function measureRotations(
  scene: Scene,
  { rotations, requestsPerSecond }: { readonly rotations: number; readonly requestsPerSecond: number },
): Promise<Measured> {
  const connection = await Connection.connect(await temporalLoginOf(scene.house.settings));
  const temporal = new Client({ connection, namespace: scene.house.settings.REKEY_TEMPORAL_NAMESPACE });
  const connecting = scene.services.filter((service) => service.name === "checkout");
  const customers = [
    new Customers(connecting, requestsPerSecond),
    new Customers(
      scene.services.filter((service) => !connecting.includes(service)),
      idlePerSecond,
    ),
  ];
  const totalMs: number[] = [];
  const events: number[] = [];
  const actions: number[] = [];
  const steps = new Map<string, number[]>();
  try {
    for (let index = 0; index < rotations; index++) {
      const { workflow } = await scene.rotations.start({
        credential: scene.credential,
        requestedBy: "bench",
        reason: "measured",
      });
      const handle = temporal.workflow.getHandle(workflow);
      await ended(handle);
      const description = await handle.describe();
      totalMs.push((description.closeTime?.getTime() ?? 0) - description.startTime.getTime());
      const progress = await scene.rotations.progress(workflow);
      if (progress.outcome !== "rotated")
        throw new Error(`it ended as ${progress.outcome}: ${progress.sentence}`);
      for (const { what, tookMs } of progress.timeline) {
        if (tookMs !== null) steps.set(what, [...(steps.get(what) ?? []), tookMs]);
      }
      const types = await historyTypes(handle);
      events.push(types.length);
      actions.push(billable(types));
    }
    const [first, second] = await Promise.all(customers.map((group) => group.stop()));
    const counts = {
      requests: (first?.requests ?? 0) + (second?.requests ?? 0),
      achievedPerSecond: [first, second].reduce((sum, one) => sum + (one ? achievedPerSecond(one) : 0), 0),
      failed: (first?.failed ?? 0) + (second?.failed ?? 0),
      failures: [...(first?.failures ?? []), ...(second?.failures ?? [])],
    };
    return { totalMs, steps: [...steps].map(([what, ms]) => ({ what, ms })), events, actions, ...counts };
  } finally {
    await Promise.all(customers.map((group) => group.stop()));
    await connection.close();
  }
}

type Handle = ReturnType<Client["workflow"]["getHandle"]>;

async function ended(handle: Handle): Promise<void> {
  const until = Date.now() + rotationMsMax;
  while ((await handle.describe()).status.name === "RUNNING") {
    if (Date.now() > until) throw new Error("a rotation took longer than a minute");
    await pause(20);
  }
}

async function historyTypes(handle: Handle): Promise<number[]> {
  const history = await handle.fetchHistory();
  return (history.events ?? []).map((event) => Number(event.eventType ?? 0));
}

/**
 * Event types that the price list counts: start, activity, timer, signal, search attributes, update. What leaves no
 * event is not counted here: an activity's retries and heartbeats, queries, and the message that a person sends
 * by update where the worker refuses it. docs/operations.md says so.
 */
const counted = new Set([1, 10, 17, 26, 40, 41]);

function billable(types: readonly number[]): number {
  return types.filter((type) => counted.has(type)).length;
}
