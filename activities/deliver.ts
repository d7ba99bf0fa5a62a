/** Gate 6: promotes the target at one place, and tells the consumers that want to be told. */

import { RekeyError } from "../domain/errors.js";
import { formatTag } from "../domain/fence.js";
import type { Step } from "../domain/rotation/steps.js";
import { changeActivity } from "./change.js";
import type { ActivityDeps } from "./deps.js";

type Deliver = Extract<Step, { do: "deliver" }>;

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
      const told = systems.consumers.filter((consumer) => step.consumers.includes(consumer.id));
      await Promise.all(
        told.map(({ name, deliver }) =>
          deliver?.deliver?.({ credential: systems.name, consumer: name, version: step.version }, call),
        ),
      );
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
