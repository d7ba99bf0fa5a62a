/**
 * Keeps of a look what has to be in the records: the plan and its rules, word for word, because people sign them, and
 * since when something holds, because a workflow is not believed how long that has lasted (H7).
 */
import type { RotationEvent } from "../domain/rotation/events.js";
import { fold } from "../domain/rotation/fold.js";
import { holdings } from "../domain/rotation/since.js";
import type { RotationState } from "../domain/rotation/state.js";
import { appendEvent } from "../inventory/events.js";
import { keepSightings } from "../inventory/sightings.js";
import type { ActivityDeps } from "./deps.js";

type Seen = Extract<RotationEvent, { type: "surveyed" }>;

/**
 * Folds a look into the state; the look itself is kept when the plan, the rules or the watching sources are others
 * afterwards. Answers with
 * the look as it counts, dated by the records. Throws `restored` where the world is ahead of the records (H32).
 */
export async function foldLook(
  deps: Pick<ActivityDeps, "db" | "restores">,
  state: RotationState,
  look: Seen,
): Promise<{ readonly state: RotationState; readonly seen: Seen }> {
  await deps.restores.compare([...look.facts.slots, ...look.facts.places].map(({ tag }) => tag));
  const { id, epoch } = state;
  const since = await keepSightings(deps.db, id, epoch, holdings(fold(state, look)), look.at);
  const seen: Seen = { ...look, facts: { ...look.facts, since } };
  const next = fold(state, seen);
  const changed =
    next.plan?.digest !== state.plan?.digest ||
    next.amendments.length !== state.amendments.length ||
    next.policy !== state.policy ||
    next.watching !== state.watching;
  if (changed) await appendEvent(deps.db, id, epoch, seen);
  return { state: next, seen };
}
