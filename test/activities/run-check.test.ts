/** What a workflow claims of its rotation counts only as far as the records bear it out (H7). */
import { expect, test } from "vitest";
import { foldLook } from "../../activities/plans.js";
import { heldBy } from "../../activities/run-check.js";
import type { RotationEvent } from "../../domain/rotation/events.js";
import type { PlaceState, RotationState, VersionState } from "../../domain/rotation/state.js";
import { sinceOf } from "../../inventory/sightings.js";
import { planFor } from "../domain/begin.js";
import { t0 } from "../inventory/world.js";
import { openDesk } from "./desk.js";

const hourMs = 3_600_000;
const emptyPlace: PlaceState = {
  tag: "",
  liveVersion: null,
  told: null,
  toldTo: [],
  toldAt: null,
  unknown: false,
};

/** A look that found so many sessions by version, and the one instance of the consumer `one` working on `version`. */
function lookAt(
  state: RotationState,
  at: number,
  sessions: Readonly<Record<string, number>>,
  version: string,
): Extract<RotationEvent, { type: "surveyed" }> {
  const observations = { one: [{ instance: "one/1", version, working: true }] };
  const seen = { slots: [], places: [], findings: [], notBefore: null, watermarkSeen: true };
  const plan = state.plan ?? planFor({ main: ["one"] }, "plan");
  return { type: "surveyed", at, facts: { ...seen, sessions, observations, plan } };
}

test("H7: a state of somebody's own making is not believed: what was proved, refused, clean or seized is in the records", async () => {
  const desk = await openDesk();
  const { state } = desk;
  const { origin, target } = state;
  const claimed = (id: string, more: Partial<VersionState>) =>
    ({ ...state.versions[id], ...more }) as VersionState;
  const forged = {
    ...state,
    emergency: { ...state.policy, reason: "x" } as unknown as typeof state.emergency,
    versions: {
      [origin]: claimed(origin, { issuer: "disabled", refused: true, disabledAt: 1, delivered: false }),
      [target]: claimed(target, { life: "proven", issuer: "enabled", proved: true }),
      stranger: claimed(target, { id: "stranger", proved: true, refused: true }),
    },
  };
  const held = (await desk.run(() => heldBy(desk.deps, forged))).state;
  expect(held.emergency).toBeNull();
  expect(held.versions[origin]).toMatchObject({ refused: false, delivered: true });
  expect(held.versions[target]).toMatchObject({ proved: false });
  expect(held.versions.stranger).toBeUndefined();
});

test("H7: how long nobody was seen, and how long a consumer works, is counted from what was looked at and kept", async () => {
  const desk = await openDesk();
  const { state, deps } = desk;
  const { origin, target } = state;
  const forged: RotationState = {
    ...state,
    uses: { [origin]: { quietSince: 1, watermarkAt: t0, sessions: 0 } },
    consumers: { one: { at: t0, instances: [], stable: 9, since: 1, lostAt: null } },
    places: { main: { ...emptyPlace, toldAt: 1 } },
  };
  const believed = async () => {
    const { uses, consumers } = (await desk.run(() => heldBy(deps, forged))).state;
    return [uses[origin]?.quietSince, consumers.one?.since];
  };
  /** What a look shows to a run that claims nothing of its own. */
  const looked = async (afterMs: number, sessions: number, version: string) => {
    const { state: held } = await desk.run(() => heldBy(deps, forged));
    const look = lookAt(state, t0 + afterMs, { [origin]: sessions }, version);
    return (await foldLook(deps, held, look)).seen.facts.since;
  };
  expect(await believed()).toEqual([null, null]);
  const since = { unused: { [origin]: t0 }, working: { one: t0 } };
  expect(await looked(0, 0, target)).toEqual(since);
  expect(await looked(hourMs, 0, target)).toEqual(since);
  expect(await believed()).toEqual([t0, t0]);
  expect(await looked(2 * hourMs, 1, origin)).toEqual({ unused: {}, working: {} });
  expect(await believed()).toEqual([null, null]);
  const anew = t0 + 3 * hourMs;
  expect(await looked(3 * hourMs, 0, target)).toEqual({ unused: { [origin]: anew }, working: { one: anew } });
  expect(await believed()).toEqual([anew, anew]);
  // What somebody saw before a takeover counts for nothing, nor does work on another version.
  const { db } = deps;
  expect(await sinceOf(db, state.id, state.epoch + 1, target)).toEqual({ unused: {}, working: {} });
  const back = await sinceOf(db, state.id, state.epoch, origin);
  expect(back).toEqual({ unused: { [origin]: anew }, working: {} });
  expect(
    await desk.fresh.sql("select longest_ms from rekey_inventory.sightings where what = 'unused'"),
  ).toEqual([{ longest_ms: String(2 * hourMs) }]);
});

test("H7: a late look of an epoch before keeps nothing", async () => {
  const desk = await openDesk();
  const look = lookAt(desk.state, t0, { [desk.state.origin]: 0 }, desk.state.target);
  const old = { ...desk.state, epoch: desk.state.epoch - 1 };
  await expect(foldLook(desk.deps, old, look)).rejects.toMatchObject({ code: "superseded" });
  const { id, epoch, target } = desk.state;
  expect(await sinceOf(desk.deps.db, id, epoch, target)).toEqual({ unused: {}, working: {} });
});
