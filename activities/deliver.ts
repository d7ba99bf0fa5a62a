/** Gate 6: promotes the target at one place, and tells the consumers that want to be told. */

import { setTimeout as pause } from "node:timers/promises";
import type { Call } from "../adapters/ports.js";
import { RekeyError } from "../domain/errors.js";
import { formatTag } from "../domain/fence.js";
import type { Step } from "../domain/rotation/steps.js";
import { changeActivity } from "./change.js";
import type { ActivityDeps, Systems } from "./deps.js";

type Deliver = Extract<Step, { do: "deliver" }>;

/** A consumer that did not hear it the first time may have been restarting. */
const nudgesMax = 3;
const nudgePauseMs = 300;

/**
 * Tells every consumer of the wave that wants to be told. One that cannot be told is no reason to take the
 * version back: whether it moved is what adoption looks at, and decides.
 */
async function nudge(systems: Systems, step: Deliver, call: Call): Promise<void> {
  const told = systems.consumers.filter((consumer) => step.consumers.includes(consumer.id));
  await Promise.allSettled(
    told.map(async ({ name, deliver }) => {
      for (let left = nudgesMax - 1; ; left--) {
        try {
          return await deliver?.deliver?.(
            { credential: systems.name, consumer: name, version: step.version },
            call,
          );
        } catch (error) {
          if (left === 0 || call.signal.aborted) throw error;
          await pause(nudgePauseMs);
        }
      }
    }),
  );
}

/** Delivers a version to one wave: by compare-and-set on our own fields, then a nudge to each consumer (H1, H18). */
export function deliverActivity(deps: ActivityDeps) {
  return changeActivity<Deliver>(
    deps,
    (state, step) => ({ [step.place]: state.places[step.place]?.tag ?? "" }),
    async ({ systems, state, step, change, expects, call, tag }, touched) => {
      const store = systems.stores[step.place];
      if (!store) throw new RekeyError("internal", `The credential has no place ${step.place}.`);
      const fenced = {
        slot: step.place,
        expect: expects[step.place] ?? "",
        tag: tag(step.version, "enabled"),
        identity: state.plan?.identity ?? null,
      };
      await store.promote(fenced, call);
      touched();
      await nudge(systems, step, call);
      const { version, place, consumers } = step;
      return {
        type: "delivered",
        at: deps.now(),
        version,
        place,
        consumers,
        change,
        tag: formatTag(fenced.tag),
      };
    },
  );
}
