/**
 * A process that has two values in hand for a while, as a worker has, so that its memory can be looked at from outside.
 * The values come masked, because whatever stands in its environment or its code would be found there.
 */
import { once } from "node:events";
import { setFlagsFromString, writeHeapSnapshot } from "node:v8";
import { runInNewContext } from "node:vm";
import { clearedAfter, inHand } from "../../activities/in-hand.js";
import { Secret } from "../../domain/secret.js";

/** What it says whenever it has come a step further. */
export interface Stage {
  readonly stage: "in hand" | "used" | "ended";
  readonly snapshot: string;
}

const env = process.env as Record<string, string>;
setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;
const goOn = () => once(process, "SIGUSR2");
const say = (stage: Stage["stage"]) => {
  collect();
  const snapshot = writeHeapSnapshot(`${env.FOLDER}/${stage.replace(" ", "-")}.heapsnapshot`);
  process.stdout.write(`${JSON.stringify({ stage, snapshot } satisfies Stage)}\n`);
};

/** One byte after the other into the array that becomes the secret's own: there is no other copy. */
function unmasked(name: string): Secret {
  const [masked, mask] = [Buffer.from(env[name] ?? "", "hex"), Buffer.from(env.MASK ?? "", "hex")];
  const bytes = new Uint8Array(masked.length);
  for (let i = 0; i < masked.length; i++) bytes[i] = (masked[i] ?? 0) ^ (mask[i] ?? 0);
  return Secret.fromBytes(bytes);
}

// A signal that is waited for keeps no process alive.
const alive = setInterval(() => undefined, 1_000);
const held: string[] = [];
await clearedAfter(async () => {
  inHand(unmasked("UNSEEN"));
  const used = inHand(unmasked("REVEALED"));
  let next = goOn();
  say("in hand");
  await next;
  held.push(used.reveal());
  next = goOn();
  say("used");
  await next;
  held.length = 0;
});
const next = goOn();
say("ended");
await next;
clearInterval(alive);
