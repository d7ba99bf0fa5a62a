/** Waiting for a rotation to get somewhere, and reading what it left behind. */
import { setTimeout as pause } from "node:timers/promises";
import type { WorkflowHandle } from "@temporalio/client";
import { expect } from "vitest";
import type { RotationEvent } from "../../domain/rotation/events.js";
import { foldAll } from "../../domain/rotation/fold.js";
import { holdOf } from "../../domain/rotation/moves.js";
import type { RotationState } from "../../domain/rotation/state.js";
import type { Exit } from "../../domain/rotation/steps.js";
import type { RotationResult } from "../../domain/rotation/work.js";
import { read } from "../../inventory/database.js";
import { type LoadedRotation, listRotations, loadWithin } from "../../inventory/rotations.js";
import {
  cancelUpdate,
  decideUpdate,
  factsQuery,
  type Progress,
  progressQuery,
  type Receipt,
  resumeUpdate,
} from "../../workflows/messages.js";
import type { House } from "./house.js";

const untilMsMax = 120_000;

/** Repeats `look` until it answers with something; fails with the last progress when it does not in time. */
export async function eventually<T>(
  what: string,
  look: () => Promise<T | undefined | false> | T | undefined | false,
): Promise<T> {
  const deadline = Date.now() + untilMsMax;
  for (;;) {
    const seen = await look();
    if (seen !== undefined && seen !== false) return seen;
    if (Date.now() > deadline) throw new Error(`it never came to this: ${what}`);
    await pause(30);
  }
}

/** The rotation's progress once it is such. */
export async function until(
  handle: WorkflowHandle,
  what: string,
  is: (progress: Progress) => boolean,
): Promise<Progress> {
  let last: Progress | undefined;
  try {
    return await eventually(what, async () => {
      last = await handle.query(progressQuery);
      return is(last) && last;
    });
  } catch (error) {
    const timeline = last?.timeline.map((entry) => `${entry.what}: ${entry.sentence}`).join("\n");
    throw new Error(`${String(error)}\n${last?.standing} at ${last?.gate}: ${last?.sentence}\n${timeline}`);
  }
}

/** Waits until it has asked its owners. */
export async function untilAsked(handle: WorkflowHandle): Promise<RotationState> {
  await until(handle, "asked", (progress) => progress.standing === "waiting" && progress.gate === "approved");
  return stateOf(handle);
}

/** Waits until it has told its consumers, and waits for them. */
export function untilDelivered(handle: WorkflowHandle): Promise<Progress> {
  return until(handle, "adoption", (p) => p.gate === "delivered and adopted" && p.standing === "waiting");
}

/** Waits until it needs an operator. */
export function untilHeld(handle: WorkflowHandle): Promise<Progress> {
  return until(handle, "needs-operator", ({ standing }) => standing === "needs-operator");
}

/** The state that the workflow holds. */
export async function stateOf(handle: WorkflowHandle): Promise<RotationState> {
  return (await handle.query(factsQuery)).state;
}

/** The same once there is one: a run that has just followed another is not open yet. */
function openState(handle: WorkflowHandle): Promise<RotationState> {
  return eventually("it is open", () => stateOf(handle).catch(() => undefined));
}

/** The end of the rotation. */
export async function ended(handle: WorkflowHandle): Promise<RotationResult> {
  return (await handle.result()) as RotationResult;
}

/** The state that the inventory's records add up to. */
export async function recorded(house: House): Promise<RotationState> {
  const { initial, events } = await latestRecord(house);
  return foldAll(initial, events);
}

/** The events that the inventory has of the latest rotation; none before there is one. */
export async function recordedEvents(house: House): Promise<readonly RotationEvent[]> {
  const [latest] = await listRotations(house.fresh.db, { credential: house.credential });
  return latest === undefined ? [] : (await latestRecord(house)).events;
}

async function latestRecord(house: House): Promise<LoadedRotation> {
  const [latest] = await listRotations(house.fresh.db, { credential: house.credential });
  if (latest === undefined) throw new Error("no rotation was recorded");
  return read(house.fresh.db, (tx) => loadWithin(tx, latest.id));
}

/**
 * The part of a state that the records can give back. What a look saw is not recorded: whoever adopts a
 * rotation looks anew, so findings and observations are the looks' own.
 */
export function persisted(state: RotationState): Partial<RotationState> {
  const looked = ["surveyedAt", "findings", "blockedSince", "notBefore"];
  const seen = new Set([...looked, "consumers", "uses", "stale"]);
  return Object.fromEntries(Object.entries(state).filter(([name]) => !seen.has(name)));
}

/** The world as it must be whatever happened: everybody works, and what the store gives out logs in. */
export function expectWorking({ world }: House): void {
  expect(world.broken()).toEqual([]);
  const { username, password } = world.live();
  expect(world.accepts(username, password)).toBe(true);
}

/** Sends a signed document as an update. */
export function decide(handle: WorkflowHandle, document: string): Promise<Receipt> {
  return handle.executeUpdate(decideUpdate, { args: [document] });
}

/** Cancels, as a person who may. */
export async function cancel(handle: WorkflowHandle, reason = "not today"): Promise<Receipt> {
  const { id: rotation } = await openState(handle);
  return handle.executeUpdate(cancelUpdate, { args: [{ rotation, by: "ann", reason }] });
}

/** Orders an exit. */
export async function resume(handle: WorkflowHandle, exit: Exit, version?: string): Promise<Receipt> {
  const state = await openState(handle);
  const order = { rotation: state.id, hold: holdOf(state), by: "ann", exit };
  const args = version === undefined ? order : { ...order, version };
  return handle.executeUpdate(resumeUpdate, { args: [args] });
}
