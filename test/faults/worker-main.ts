/**
 * The worker under test, a process of its own so that it can be killed: the product's worker with the seam put
 * between. Started by the harness and by nobody else; it ends with the process that started it.
 */
import { readInstallation } from "../../worker/config.js";
import { startWorker } from "../../worker/worker.js";
import { between } from "./seam/between.js";
import { shiftableClock } from "./seam/clock.js";
import type { Outage, Planted } from "./seam/points.js";
import { Seam } from "./seam/seam.js";
import { WitnessWriter } from "./seam/witness.js";

/** What the harness says to a worker. */
export type ToWorker =
  | { readonly say: "plan"; readonly planted: readonly Planted[] }
  | { readonly say: "finish" }
  | { readonly say: "go-on" };

/**
 * What a worker says: that it polls, that it is at the point of an outage, that a copy of an earlier call is about to
 * take effect or just did, and an answer to the first two of these.
 */
export interface FromWorker {
  readonly said: "ready" | "plan" | "finish" | "reached" | "copy";
  readonly outage?: Outage;
  /** Of which call. */
  readonly point?: string;
}

// The names of records are read from the stack, also where the driver adds frames of its own.
Error.stackTraceLimit = 40;

/** How wrong a clock may be. */
const wrongMs = 600_000;
const [, , witnessFile = "", valuesFile = ""] = process.argv;
const waiting: (() => void)[] = [];
const clock = shiftableClock();
const allowed = (message: FromWorker) =>
  new Promise<void>((resolve) => {
    waiting.push(resolve);
    process.send?.(message);
  });
const outside = async (outage: Outage): Promise<void> => {
  if (outage === "clock-fast" || outage === "clock-slow") {
    clock.shift(outage === "clock-fast" ? wrongMs : -wrongMs);
    return;
  }
  await allowed({ said: "reached", outage });
};
const looked = (point: string) => allowed({ said: "copy", point });
const seam = new Seam(new WitnessWriter(witnessFile, valuesFile), outside, looked);
const answer = (said: FromWorker["said"]): void => void process.send?.({ said } satisfies FromWorker);

process.on("disconnect", () => process.exit(0));
process.on("message", (message: ToWorker) => {
  if (message.say === "plan") {
    clock.shift(0);
    seam.plan(message.planted);
    answer("plan");
    return;
  }
  if (message.say === "go-on") {
    for (const goOn of waiting.splice(0)) goOn();
    return;
  }
  void seam.finish().then(() => answer("finish"));
});
await startWorker(readInstallation(process.env), between(seam));
answer("ready");
