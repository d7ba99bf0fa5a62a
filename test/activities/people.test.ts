/** Owners are told of each thing once, however often the step is tried, and of what the post did not take later on. */
import { beforeEach, expect, test, vi } from "vitest";
import { peopleActivity, recordActivity } from "../../activities/people.js";
import { probeActivity } from "../../activities/probe.js";
import { mayAct } from "../../domain/decide.js";
import { declarationDigest } from "../../domain/declaration.js";
import { RekeyError } from "../../domain/errors.js";
import { foldAll } from "../../domain/rotation/fold.js";
import type { RotationState } from "../../domain/rotation/state.js";
import type { Step } from "../../domain/rotation/steps.js";
import { reservationOf } from "../../domain/version.js";
import { recordDecision } from "../../inventory/decisions.js";
import { appendEvent } from "../../inventory/events.js";
import { unsentNotices } from "../../inventory/notices.js";
import { loadRotation } from "../../inventory/rotations.js";
import { type Desk, openDesk } from "./desk.js";

// Whether a step is the right one is another matter, with tests of its own.
vi.mock(import("../../domain/decide.js"), async (original) => ({
  ...(await original()),
  mayAct: vi.fn(() => true),
}));
beforeEach(() => {
  vi.mocked(mayAct).mockReturnValue(true);
});

const hold: Step = { do: "hold", reason: "The right to disable is missing." };

async function does(desk: Desk, state: RotationState, step: Step): Promise<RotationState> {
  desk.clock.now += 1_000;
  const { events } = await desk.run(() => peopleActivity(desk.deps)({ state, step }));
  return foldAll(state, events);
}

async function eventsOf({ fresh, state }: Desk): Promise<string[]> {
  return (await loadRotation(fresh.db, state.id)).events.map(({ type }) => type);
}

const steps: [string, Step, string][] = [
  ["asking", { do: "ask", digests: ["plan"], reminder: false }, "approval-asked"],
  ["reminding", { do: "ask", digests: ["plan"], reminder: true }, "reminder"],
  ["holding", hold, "needs-operator"],
  ["turning", { do: "turn", target: "new", slot: "b", reason: "A consumer does not move." }, "turned"],
  ["closing", { do: "close", outcome: "refused", reason: "Nobody signed." }, "closed"],
];

test.each(steps)("%s is recorded and told once, also when its answer was lost", async (_what, step, kind) => {
  const desk = await openDesk();
  const target = step.do === "turn" ? { ...step, target: desk.state.origin, slot: null } : step;
  const first = await does(desk, desk.state, target);
  // The step is not the next one any more: the records know of it, and only the run does not.
  vi.mocked(mayAct).mockReturnValue(false);
  expect(await does(desk, desk.state, target)).toEqual(first);
  expect(await eventsOf(desk)).toHaveLength(1);
  expect(desk.told).toMatchObject([{ kind, recipients: expect.arrayContaining(["ann@example.com"]) }]);
});

const close: Step = { do: "close", outcome: "refused", reason: "Nobody signed." };

test("H24: a leak that is reported while the rotation is about to close keeps it open", async () => {
  const desk = await openDesk();
  const { state, deps } = desk;
  const cancelled = { type: "cancelled", at: desk.clock.now, by: "ann", reason: "not today" } as const;
  const slow = async (id: string) => {
    // After the records were read: a store that is slow gives everybody time to say something.
    await appendEvent(desk.fresh.db, state.id, state.epoch, cancelled);
    return deps.systems(id);
  };
  const { events } = await desk.run(() => peopleActivity({ ...deps, systems: slow })({ state, step: close }));
  expect(events).toEqual([]);
  expect(await eventsOf(desk)).toEqual(["cancelled"]);
  expect(desk.told).toEqual([]);
  await does(desk, foldAll(state, [cancelled]), close);
  expect(await eventsOf(desk)).toEqual(["cancelled", "closed"]);
});

test("I3 I8: copies of what never came to be are purged once the end is recorded, also by a later attempt", async () => {
  const desk = await openDesk();
  const { deps, fresh } = desk;
  const state: RotationState = { ...desk.state, change: 2 };
  const purged: string[] = [];
  const store = { fails: true };
  const systems = await deps.systems(state.credential);
  const purge = async (copy: string) => {
    expect(await eventsOf(desk)).toEqual(["closed"]);
    if (store.fails) throw new RekeyError("unreachable", "The store does not answer.");
    purged.push(copy);
  };
  const main = { ...systems.stores.main, purge };
  const given = { ...deps, systems: async () => ({ ...systems, stores: { main } }) as never };
  const attempt = () => desk.run(() => peopleActivity(given)({ state, step: close }));
  await expect(attempt()).rejects.toThrow(/does not answer/);
  expect((await loadRotation(fresh.db, state.id)).closedAt).not.toBeNull();
  store.fails = false;
  expect((await attempt()).events).toMatchObject([{ type: "closed" }]);
  expect(new Set(purged)).toEqual(new Set([state.target, reservationOf(state.target)]));
});

test("each hold is told, also when nothing was changed between them", async () => {
  const desk = await openDesk();
  const held = await does(desk, desk.state, hold);
  const at = desk.clock.now;
  const resumed = foldAll(held, [{ type: "resumed", at, exit: "retry", by: "ann" }]);
  await does(desk, { ...resumed, operator: null, resumedAt: at }, hold);
  await does(desk, { ...held, operator: null, turned: { at, reason: "cancelled" } }, hold);
  expect(await eventsOf(desk)).toEqual(["held", "held", "held"]);
  expect(new Set(desk.told.map(({ id }) => id)).size).toBe(3);
});

test("what no notifier took is told with the next notice, and at the end", async () => {
  const desk = await openDesk();
  desk.post.works = false;
  const asked = await does(desk, desk.state, { do: "ask", digests: ["plan"], reminder: false });
  const held = await does(desk, asked, hold);
  expect(await unsentNotices(desk.fresh.db)).toHaveLength(2);
  desk.post.works = true;
  await does(desk, held, { do: "close", outcome: "refused", reason: "Nobody signed." });
  expect(desk.told.map(({ kind }) => kind)).toEqual(["closed", "approval-asked", "needs-operator"]);
  expect(desk.told[1]?.subject).toBe("Told late (approval-asked): orders-db");
  expect(await unsentNotices(desk.fresh.db)).toEqual([]);
});

test("H30 H37: who signed that a version is live with a key that was taken from them does not count any more", async () => {
  const desk = await openDesk();
  const { deps, state } = desk;
  const { db } = desk.fresh;
  const version = state.origin;
  const digest = declarationDigest(state, version);
  for (const person of ["ann", "bob"] as const) {
    const id = `doc_${person}`;
    const at = desk.clock.now;
    const expiresAt = at + 3_600_000;
    const said = { digest, person, owners: ["payments"], issuedAt: at, expiresAt };
    const about = {
      rotation: state.id,
      credential: state.credential,
      says: "approve",
      consumer: null,
    } as const;
    const jws = await desk.paper(person, { digest, id });
    await recordDecision(db, { ...said, ...about, jti: id, jws, receivedAt: at });
    const decision = { id, verdict: "approve", ...said } as const;
    await appendEvent(db, state.id, state.epoch, { type: "decided", at, decision });
  }
  const declare = (given: typeof deps) => {
    desk.clock.now += 1_000;
    const event = { type: "resumed", at: desk.clock.now, exit: "declare", by: "ann", version } as const;
    return desk.run(() => recordActivity(given)({ state, event }));
  };
  const systems = await deps.systems(state.credential);
  const { owners } = systems.estate;
  const estate = { ...systems.estate, owners: { ...owners, ann: { ...owners.ann, keys: [] } as never } };
  const taken = declare({ ...deps, systems: async () => ({ ...systems, estate }) });
  await expect(taken).rejects.toThrow(/1 person has signed/);
  expect((await declare(deps)).events).toHaveLength(1);
});

test("I5: a value of which no copy is left is refused by nobody when it is tried again", async () => {
  const desk = await openDesk();
  const { state } = desk;
  const systems = await desk.deps.systems(state.credential);
  const main = { ...systems.stores.main, staged: async () => null };
  const deps = { ...desk.deps, systems: async () => ({ ...systems, stores: { main } }) as typeof systems };
  const step = { do: "probe", version: state.origin, slot: "a" } as const;
  const { events } = await desk.run(() => probeActivity(deps)({ state, step }));
  expect(events).toEqual([{ type: "refused", at: desk.clock.now, version: state.origin, untried: true }]);
  expect((await desk.recorded()).versions[state.origin]).toMatchObject({ untried: true });
  expect((await desk.recorded()).versions[state.origin]).not.toHaveProperty("refusals");
});
