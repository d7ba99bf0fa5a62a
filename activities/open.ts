/** Opens a rotation: the lock first, then what the world looks like; or adopts the one that is open (H8). */
import type { Call } from "../adapters/ports.js";
import { RekeyError } from "../domain/errors.js";
import { driftsOf, type Orphan, orphansOf } from "../domain/reconcile.js";
import { foldAll } from "../domain/rotation/fold.js";
import { initialState } from "../domain/rotation/initial.js";
import type { RotationState } from "../domain/rotation/state.js";
import { sweeping } from "../domain/rotation/sweep.js";
import type { Opened, OpenRequest } from "../domain/rotation/work.js";
import { appendEvent } from "../inventory/events.js";
import { openRotation } from "../inventory/open.js";
import { loadRotation, type RotationSummary, rotationOf } from "../inventory/rotations.js";
import { callWithin, framed } from "./calls.js";
import type { ActivityDeps, Systems } from "./deps.js";
import { foldLook } from "./plans.js";
import { alreadyAuthorised, authorise, incidentOf } from "./report.js";
import { askedAt, objectionToRecords, ownRun } from "./run-check.js";
import { knownOf, stockOf } from "./stock.js";
import { survey } from "./survey.js";
import { surveyorFor } from "./surveyor.js";
import { foundFor, tagsIn, worldOf } from "./world.js";

/** Ids that a rotation may use up: the origin's if it has none, the target, and third versions. */
const idsMax = 6;
/** For how long a leak waits for whoever does not answer, before it is gone on with without them. */
const urgentMs = 10_000;

/** The activity `open`. Answers alike when it is asked again by the same run. */
export function openActivity(deps: ActivityDeps) {
  return (request: OpenRequest): Promise<Opened> =>
    framed(async () => {
      const restored = await objectionToRecords(deps, [], request.emergency !== null);
      if (restored !== null) throw restored;
      const systems = await deps.systems(request.credential);
      // A run that goes on has what it needs from the run before it: a system that is away must not hold it up, nor a
      // report that waits for it to be open (H24).
      const goesOn = request.continuedFrom !== null && (await isHeldByOwnRun(deps, request));
      const urgent = request.emergency !== null;
      const world = goesOn ? null : await worldOf(systems, urgent, callWithin(urgent ? urgentMs : undefined));
      if (world !== null) await deps.restores.compare(tagsIn(world));
      // Who stands behind an emergency is settled before anything is locked.
      // An attempt before this one may have settled it long ago, with documents that have expired since.
      const authorised =
        request.emergency &&
        ((await alreadyAuthorised(deps, systems, request.emergency)) ??
          (await authorise(deps, systems, null, request.emergency)));
      const orphans =
        request.remove === undefined ? null : await removable(deps, systems, request, callWithin());
      const ids = Array.from({ length: idsMax }, () => deps.newId("ver"));
      const opened = await openRotation(deps.db, {
        credential: request.credential,
        ...ownRun(),
        continuedFrom: request.continuedFrom,
        firstRunId: request.firstRunId,
        askedAt: askedAt(),
        newRotationId: deps.newId("rot"),
        nonce: deps.newId("run"),
        lockKeys: systems.lockKeys,
        mode: request.emergency ? "emergency" : "ordinary",
        requestedBy: request.requestedBy,
        reason: request.reason,
        burns: authorised?.documents,
        now: deps.now(),
        initial: ({ rotation, epoch, nonce, versions, ended }): RotationState => {
          // It was closed a moment ago. Another attempt looks, and answers.
          if (world === null) throw new RekeyError("unreachable", "Nothing has been looked at yet.");
          const found = foundFor(world, request.emergency !== null, versions);
          const state = initialState({
            rotation,
            credential: request.credential,
            installation: deps.installation,
            nonce,
            epoch,
            policy: systems.rules,
            traits: systems.issuer.traits,
            ...found,
            living: versions,
            ended,
            ids,
            now: deps.now(),
          });
          return orphans === null ? state : sweeping(state, orphans);
        },
      });
      let state = foldAll(opened.initial, opened.events);
      // Whoever closed it may have been an earlier run of this one that was reset meanwhile: its end is the answer.
      if (opened.kind === "ended") return { state, adopted: false, continued: false, at: deps.now() };
      if (authorised) {
        const { event, key } = await incidentOf(deps, systems, state, authorised);
        await appendEvent(deps.db, state.id, state.epoch, event, key);
        // As recorded: another attempt at this may have reported the leak since the records were read above.
        const { initial, events } = await loadRotation(deps.db, state.id);
        state = foldAll(initial, events);
      }
      const { kind } = opened;
      if (kind !== "continued") state = await firstLook(deps, systems, state, request);
      return { state, adopted: kind === "adopted", continued: kind === "continued", at: deps.now() };
    });
}

/** Whether this run, or the one that it continues, has a rotation of the credential open. */
async function isHeldByOwnRun(
  { db }: ActivityDeps,
  { credential, continuedFrom }: OpenRequest,
): Promise<boolean> {
  const open = await rotationOf(db, credential);
  return open !== null && isOwn(open, continuedFrom);
}

function isOwn(open: RotationSummary, continuedFrom: string | null): boolean {
  const mine = ownRun();
  return open.workflowId === mine.workflowId && [mine.runId, continuedFrom].includes(open.runId);
}

/**
 * What of the request is there still, and is nobody's; found anew, because whoever asked may have looked long ago.
 * Throws `rotation-open` beside another rotation, which is not taken over for this, and `not-found` for nothing.
 */
async function removable(
  deps: ActivityDeps,
  systems: Systems,
  { credential, remove = [], continuedFrom }: OpenRequest,
  call: Call,
): Promise<readonly Orphan[]> {
  const [known, open] = [await knownOf(deps, credential), await rotationOf(deps.db, credential)];
  if (open !== null) {
    // Opened by an attempt before this one: what it takes away is in its records.
    if (isOwn(open, continuedFrom)) return [];
    const hint = "Let it end, or take it up with `rekey rotate`; what is found then can be removed.";
    throw new RekeyError("rotation-open", `Rotation ${open.id} of ${systems.name} is open.`, hint);
  }
  const found = orphansOf(driftsOf(await stockOf(systems, call), known));
  const wanted = found.filter((one) =>
    remove.some(({ version, found: how }) => version === one.version && how === one.found),
  );
  if (wanted.length === 0)
    throw new RekeyError("not-found", "Nothing is there any more of what was to be removed.");
  return wanted;
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
): Promise<RotationState> {
  // What is not known yet would be taken for somebody else's change.
  if (Object.values(state.places).some(({ unknown }) => unknown)) return state;
  try {
    const call = callWithin(state.emergency ? urgentMs : undefined);
    const look = await survey(await surveyorFor(deps, systems, state, request), state, call);
    return (await foldLook(deps, state, look)).state;
  } catch (error) {
    // Nor must a store or a node that is away keep a leak open (I5).
    if (error instanceof RekeyError && (error.retry === "never" || state.emergency)) return state;
    throw error;
  }
}
