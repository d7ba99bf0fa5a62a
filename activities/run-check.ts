/**
 * Whether this run may still act, and on what: a newer epoch or a reset may have taken its place (H7, H8), and
 * what allows or forbids a change is read from the records, because whoever can write to Temporal's namespace
 * can start this workflow with a state of their own making.
 */
import { Context } from "@temporalio/activity";
import { RekeyError } from "../domain/errors.js";
import { borneOut } from "../domain/rotation/borne-out.js";
import { foldAll } from "../domain/rotation/fold.js";
import { bounded } from "../domain/rotation/since.js";
import type { PlaceState, RotationState, VersionState } from "../domain/rotation/state.js";
import { wasRestored } from "../inventory/restores.js";
import { type LoadedRotation, loadRotation } from "../inventory/rotations.js";
import { sinceOf } from "../inventory/sightings.js";
import type { ActivityDeps } from "./deps.js";

/** The rotation's record, and the state with everything that people decided taken from there. */
export interface Held {
  readonly record: LoadedRotation;
  readonly state: RotationState;
}

/**
 * The rotation, if this run still holds it. Throws `superseded` for an old epoch, `already-closed` for one that
 * has ended, `run-reset` for a run that the records do not know as the holder.
 */
export async function heldBy(deps: Pick<ActivityDeps, "db">, state: RotationState): Promise<Held> {
  const { workflowId, runId } = ownRun();
  const record = await recordOf(deps, state.id);
  if (record.epoch !== state.epoch) {
    throw new RekeyError("superseded", `Epoch ${record.epoch} has taken over rotation ${state.id}.`);
  }
  if (record.workflowId !== workflowId || record.runId !== runId) {
    throw new RekeyError("run-reset", `Rotation ${state.id} is held by another run of its workflow.`);
  }
  const kept = foldAll(record.initial, record.events);
  const believed = withRecordedDecisions(borneOut(state, kept), kept);
  const since = await sinceOf(deps.db, state.id, state.epoch, believed.target);
  return { record, state: bounded(believed, since) };
}

/** Of a rotation that a restore has lost nothing can be gone on with, once that was accepted (H32). */
async function recordOf({ db }: Pick<ActivityDeps, "db">, id: string): Promise<LoadedRotation> {
  try {
    return await loadRotation(db, id);
  } catch (error) {
    const unknown = error instanceof RekeyError && error.code === "not-found";
    if (!unknown || !(await wasRestored(db))) throw error;
    throw new RekeyError("superseded", `Rotation ${id} was lost when the inventory was restored.`);
  }
}

/**
 * Why nothing may be changed: the records were restored (H32), or nobody can say, because the note of them cannot be
 * read or written. The second stops nothing that may not wait for a log either (H31). Null where neither is so.
 *
 * The tags that a run remembers were in the records, too. Not every change is preceded by a look, and one intent more
 * would hide that the ones before it are missing.
 */
export async function objectionToRecords(
  { restores }: Pick<ActivityDeps, "restores">,
  remembered: readonly string[],
  unlogged: boolean,
): Promise<RekeyError | null> {
  try {
    await restores.compare(remembered);
    return await restores.objection();
  } catch (error) {
    if (!(error instanceof RekeyError)) throw error;
    if (error.code === "restored") return error;
    if (error.code !== "audit-down") throw error;
    return unlogged ? null : error;
  }
}

/** The tags that the run knows of. */
export function rememberedTags({ tags, places }: Pick<RotationState, "tags" | "places">): string[] {
  return [...Object.values(tags), ...Object.values(places).map(({ tag }) => tag)];
}

/**
 * What people and policies have said comes from the records, and so does when something was done; what was observed
 * meanwhile stays as it was observed.
 */
function withRecordedDecisions(state: RotationState, kept: RotationState): RotationState {
  const { credential, installation, nonce, policy, agreedPolicy, traits, emergency, origin, acceptable } =
    kept;
  const { plan, amendments, decisions, asked, askedAt, irreversible, closed, watching } = kept;
  const versions = Object.values(state.versions).map((version) => [
    version.id,
    asRecorded(version, kept.versions[version.id]),
  ]);
  const places = Object.entries(state.places).map(([name, place]) => [
    name,
    asToldOf(place, kept.places[name]),
  ]);
  return {
    ...state,
    ...{ credential, installation, nonce, policy, traits, emergency, origin, acceptable },
    ...(agreedPolicy === undefined ? {} : { agreedPolicy }),
    ...(watching === undefined ? {} : { watching }),
    ...{ plan, amendments, decisions, asked, askedAt, irreversible, closed },
    seized: state.seized && kept.seized,
    versions: Object.fromEntries(versions),
    places: Object.fromEntries(places),
  };
}

/** Nobody was told of a version before the delivery that is recorded: the quiet of the others begins there. */
function asToldOf(place: PlaceState, kept: PlaceState | undefined): PlaceState {
  return kept === undefined ? place : { ...place, toldAt: later(place.toldAt, kept.toldAt) };
}

/** A version that was proved, refused or found clean is so only where the records say it, too. */
function asRecorded(version: VersionState, kept: VersionState | undefined): VersionState {
  if (kept === undefined) return { ...version, proved: false, refused: false };
  return {
    ...version,
    proved: version.proved && kept.proved,
    refused: version.refused && kept.refused,
    leaked: version.leaked || kept.leaked,
    delivered: version.delivered || kept.delivered,
    // A soak begins no earlier than the disable that is recorded.
    disabledAt: later(version.disabledAt, kept.disabledAt),
    ...refusalsOf(version, kept),
  };
}

/** As often refused, and for as long, as was recorded at most. */
function refusalsOf(
  { refusals, refusedSince }: VersionState,
  kept: VersionState,
): Pick<VersionState, "refusals" | "refusedSince"> {
  if (refusals === undefined) return {};
  const recorded = kept.refusals ?? 0;
  return {
    refusals: Math.min(refusals, recorded),
    refusedSince: later(refusedSince ?? null, kept.refusedSince ?? null),
  };
}

function later(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.max(a, b);
}

/** When the run asked for this activity, whatever the attempt, on Temporal's clock. */
export function askedAt(): number {
  return Context.current().info.scheduledTimestampMs;
}

/** The run of the workflow that this activity was scheduled by. */
export function ownRun(): { readonly workflowId: string; readonly runId: string } {
  const execution = Context.current().info.workflowExecution;
  if (!execution) throw new RekeyError("internal", "The activity was not scheduled by a workflow.");
  return execution;
}
