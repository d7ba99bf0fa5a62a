/** Keeps the looks that made or changed a plan or its rules: what people sign has to be in the records, word for word. */
import type { RotationEvent } from "../domain/rotation/events.js";
import { fold } from "../domain/rotation/fold.js";
import type { RotationState } from "../domain/rotation/state.js";
import { appendEvent } from "../inventory/events.js";
import type { ActivityDeps } from "./deps.js";

/** Folds a look into the state, and keeps it when the plan or the rules are others afterwards. Other looks can be taken again. Throws `restored` where the world is ahead of the records (H32). */
export async function foldLook(
  deps: Pick<ActivityDeps, "db" | "restores">,
  state: RotationState,
  seen: Extract<RotationEvent, { type: "surveyed" }>,
): Promise<RotationState> {
  await deps.restores.compare([...seen.facts.slots, ...seen.facts.places].map(({ tag }) => tag));
  const next = fold(state, seen);
  const changed =
    next.plan?.digest !== state.plan?.digest ||
    next.amendments.length !== state.amendments.length ||
    next.policy !== state.policy;
  if (changed) await appendEvent(deps.db, state.id, state.epoch, seen);
  return next;
}
