/** Opens a rotation: the lock first, then what the world looks like; or adopts the one that is open (H8). */
import type { Call } from "../adapters/ports.js";
import { RekeyError } from "../domain/errors.js";
import { foldAll } from "../domain/rotation/fold.js";
import { initialState } from "../domain/rotation/initial.js";
import type { RotationState } from "../domain/rotation/state.js";
import type { Opened, OpenRequest } from "../domain/rotation/work.js";
import { appendEvent } from "../inventory/events.js";
import { openRotation } from "../inventory/open.js";
import { callWithin, framed } from "./calls.js";
import type { ActivityDeps, Systems } from "./deps.js";
import { foldLook } from "./plans.js";
import { alreadyAuthorised, authorise, incidentOf } from "./report.js";
import { ownRun } from "./run-check.js";
import { survey } from "./survey.js";
import { surveyorFor } from "./surveyor.js";

/** Ids that a rotation may use up: the origin's if it has none, the target, and third versions. */
const idsMax = 6;

/** The activity `open`. Answers alike when it is asked again by the same run. */
export function openActivity(deps: ActivityDeps) {
  return (request: OpenRequest): Promise<Opened> =>
    framed(async () => {
      const call = callWithin();
      const systems = await deps.systems(request.credential);
      const [view, places, live] = await Promise.all([
        systems.issuer.survey(call),
        Promise.all(
          Object.entries(systems.stores).map(async ([place, store]) => {
            const { tag, liveVersion } = await store.view(call);
            return { place, tag, liveVersion };
          }),
        ),
        systems.stores.main.live(call),
      ]);
      // Who stands behind an emergency is settled before anything is locked.
      // An attempt before this one may have settled it long ago, with documents that have expired since.
      const authorised =
        request.emergency &&
        ((await alreadyAuthorised(deps, systems, request.emergency)) ??
          (await authorise(deps, systems, null, request.emergency)));
      const ids = Array.from({ length: idsMax }, () => deps.newId("ver"));
      const opened = await openRotation(deps.db, {
        credential: request.credential,
        ...ownRun(),
        continuedFrom: request.continuedFrom,
        firstRunId: request.firstRunId,
        newRotationId: deps.newId("rot"),
        nonce: deps.newId("run"),
        lockKeys: systems.lockKeys,
        mode: request.emergency ? "emergency" : "ordinary",
        requestedBy: request.requestedBy,
        reason: request.reason,
        burns: authorised?.documents,
        now: deps.now(),
        initial: ({ rotation, epoch, nonce, versions, ended }): RotationState =>
          initialState({
            rotation,
            credential: request.credential,
            installation: deps.installation,
            nonce,
            epoch,
            policy: systems.rules,
            traits: systems.issuer.traits,
            slots: view.slots,
            places,
            liveSlot: live === null ? null : systems.issuer.slotOf(live),
            living: versions,
            ended,
            ids,
            now: deps.now(),
          }),
      });
      let state = foldAll(opened.initial, opened.events);
      if (authorised) {
        const { event, key } = await incidentOf(deps, systems, state, authorised);
        const { repeated } = await appendEvent(deps.db, state.id, state.epoch, event, key);
        if (!repeated) state = foldAll(state, [event]);
      }
      state = await firstLook(deps, systems, state, request, call);
      return { state, adopted: opened.kind === "adopted", at: deps.now() };
    });
}

/**
 * The state after a first look. The lock is held by now: a look that is refused for good must not end the
 * workflow and leave the rotation open; the walk looks again, and says why it does not begin.
 */
async function firstLook(
  deps: ActivityDeps,
  systems: Systems,
  state: RotationState,
  request: OpenRequest,
  call: Call,
): Promise<RotationState> {
  try {
    return await foldLook(
      deps,
      state,
      await survey(await surveyorFor(deps, systems, state, request), state, call),
    );
  } catch (error) {
    if (error instanceof RekeyError && error.retry === "never") return state;
    throw error;
  }
}
