/** Plays the demo: sets the stage, lets customers in, plays the acts, and leaves nothing behind. */
import { setTimeout as pause } from "node:timers/promises";
import { exitCodes } from "../../domain/errors.js";
import { type ActResult, emergencyRotation, ordinaryRotation, refusedRotation } from "./acts.js";
import type { PolicyText } from "./parts.js";
import { openScene, type Scene } from "./scene.js";
import { achievedPerSecond, Customers } from "./services.js";
import { Story } from "./story.js";

/** What the demo is asked for; `act` null plays all three. */
export interface DemoOptions {
  readonly store: "file" | "vault";
  readonly keep: boolean;
  readonly act: number | null;
}

/** A policy with an owner's signature, and patience measured in seconds so that nobody waits for a demo. */
export const demoPolicy: PolicyText = {
  approval: { quorum: 1, deadline: "5m", reminder: "2m", validFor: "1h" },
  quietPeriod: "500ms",
  adoptionSoak: "500ms",
  disableSoak: "500ms",
  adoptionTimeout: "4s",
  drainTimeout: "20s",
  observationMaxAge: "10s",
  stallTimeout: "10s",
  retryDelay: "200ms",
  containment: "after-adoption",
  containmentDeadline: "10s",
  signOffDeadline: "1h",
  overlapMax: "1h",
  cooldown: "0s",
};

const requestsPerSecond = 50;
/** Customers before and after an act, so that the edges of it are seen too. */
const edgeMs = 500;

const endings = ["SIGINT", "SIGTERM"] as const;

const acts: readonly ((scene: Scene, customers: Customers, story: Story) => Promise<ActResult>)[] = [
  ordinaryRotation,
  refusedRotation,
  emergencyRotation,
];

/** Plays and tells the demo on standard output. Answers with 0 only when every act showed what it has to. */
export async function playDemo({ store, keep, act }: DemoOptions): Promise<number> {
  const write = (text: string) => void process.stdout.write(text);
  const begun = Date.now();
  write(
    `Rekey: three services share one PostgreSQL login, and each is asked ${requestsPerSecond} times a second.\n`,
  );
  const scene = await openScene({
    store,
    keep,
    policy: demoPolicy,
    progress: (line) => write(`  … ${line}\n`),
  });
  const leave = () => void scene.stop().finally(() => process.exit(exitCodes.failed));
  for (const signal of endings) process.once(signal, leave);
  const customers = new Customers(scene.services, requestsPerSecond);
  try {
    const story = new Story(write, Date.now());
    let sound = true;
    for (const [index, play] of acts.entries()) {
      if (act !== null && act !== index + 1) continue;
      await pause(edgeMs);
      const result = await play(scene, customers, story);
      sound &&= isSound(result, index);
    }
    const total = await customers.stop();
    write(
      `\n${total.requests} requests, ${total.failed} failed, ${achievedPerSecond(total).toFixed(0)} a second.\n`,
    );
    write(
      sound ? "Every password that was replaced is refused.\n" : "Not every act showed what it has to.\n",
    );
    write(`The whole took ${((Date.now() - begun) / 1000).toFixed(0)} s, set-up included.\n`);
    if (keep) write(`Files are left in ${scene.folder}.\n`);
    return sound && total.failed === 0 ? exitCodes.done : exitCodes.failed;
  } finally {
    await customers.stop();
    await scene.stop();
    for (const signal of endings) process.off(signal, leave);
  }
}

function isSound({ outcome, counts, oldRefused, liveWorks }: ActResult, index: number): boolean {
  const expected = index === 1 ? "went-back" : "rotated";
  const untroubled = counts.requests > 0 && counts.failed === 0;
  return outcome === expected && untroubled && oldRefused && liveWorks;
}
