/** Intents and their outcomes: written once, by the present epoch only, and never told otherwise (H3, H32, I8). */
import { expect, it } from "vitest";
import type { RotationEvent } from "../../domain/rotation/events.js";
import type { Step } from "../../domain/rotation/steps.js";
import { appendEvent } from "../../inventory/events.js";
import { type IntendRequest, intend, intentOf, settle } from "../../inventory/intents.js";
import { type Opened, openRotation } from "../../inventory/open.js";
import { loadRotation, noteProgress } from "../../inventory/rotations.js";
import { migratedDatabase } from "./database.js";
import { applySample, issueStep, openedRotation, openRequest, t0 } from "./world.js";

async function world() {
  const fresh = await migratedDatabase();
  const ids = await applySample(fresh.db);
  const opened = await openedRotation(fresh.db, ids.orders);
  return { ...fresh, ...ids, opened };
}

function request(opened: Opened, more: Partial<IntendRequest> = {}): IntendRequest {
  const { rotation, epoch } = opened;
  return { rotation, epoch, change: 1, step: issueStep(opened), expects: { b: "tag-1" }, at: t0, ...more };
}

function issued(opened: Opened, change = 1): RotationEvent {
  return { type: "issued", at: t0 + 5, version: opened.initial.target, change, tag: "tag-2" };
}

function done(opened: Opened, more: Partial<Parameters<typeof settle>[1]> = {}) {
  const { rotation, epoch } = opened;
  const event = issued(opened, more.change ?? 1);
  return { rotation, epoch, change: 1, outcome: "done" as const, event, at: t0 + 5, ...more };
}

const otherStep: Step = { do: "destroy", version: "ver_x", slot: "a" };

it("H3: a repeated intent keeps what the first attempt expected to find", async () => {
  const { db, opened } = await world();
  expect(await intend(db, request(opened))).toMatchObject({ repeated: false, expects: { b: "tag-1" } });
  const again = await intend(db, request(opened, { expects: { b: "tag-2" }, at: t0 + 9 }));
  expect(again).toMatchObject({
    repeated: true,
    expects: { b: "tag-1" },
    at: t0,
    outcome: null,
    event: null,
  });
  expect(await intentOf(db, opened.rotation, 1)).toMatchObject({ expects: { b: "tag-1" }, outcome: null });
});

it("H3: the database itself refuses to change or forget an intent, its outcome and an event", async () => {
  const { db, opened, sql } = await world();
  await intend(db, request(opened));
  await expect(sql(`update rekey_inventory.intents set expects = '{"b":"x"}'`)).rejects.toThrow(
    /only ever settled/,
  );
  await settle(db, done(opened));
  await expect(sql("update rekey_inventory.intents set outcome = 'not-done'")).rejects.toThrow(
    /only ever settled/,
  );
  await expect(sql("delete from rekey_inventory.intents")).rejects.toThrow(/only ever settled/);
  await expect(sql("update rekey_inventory.rotation_events set at = now()")).rejects.toThrow(
    /only ever added/,
  );
  await expect(sql("delete from rekey_inventory.rotation_events")).rejects.toThrow(/only ever added/);
  await expect(sql("truncate rekey_inventory.rotation_events")).rejects.toThrow(/only ever added/);
});

it("H3: twenty attempts at once write one intent, and agree on it", async () => {
  const { db, opened, sql } = await world();
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, i) => intend(db, request(opened, { expects: { b: `tag-${i}` } }))),
  );
  expect(answers.filter((answer) => answer?.repeated === false)).toHaveLength(1);
  expect(new Set(answers.map((answer) => JSON.stringify(answer?.expects))).size).toBe(1);
  expect(await sql("select 1 from rekey_inventory.intents")).toHaveLength(1);
});

it("H3: an old epoch writes no intent, no event, no outcome and no end", async () => {
  const { db, orders, opened, sql } = await world();
  await intend(db, request(opened));
  const { rotation } = await openRotation(db, openRequest(orders));
  const before = await rows(sql);
  const refused = { code: "superseded" };
  await expect(intend(db, request(opened))).rejects.toMatchObject(refused);
  await expect(intend(db, request(opened, { change: 2 }))).rejects.toMatchObject(refused);
  await expect(settle(db, done(opened))).rejects.toMatchObject(refused);
  await expect(appendEvent(db, rotation, 1, issued(opened))).rejects.toMatchObject(refused);
  await expect(appendEvent(db, rotation, 3, issued(opened))).rejects.toMatchObject(refused);
  await noteProgress(db, rotation, 1, { gate: "issued", standing: "doing" });
  expect(await rows(sql)).toEqual(before);
  expect(await loadRotation(db, rotation)).toMatchObject({ gate: null, standing: null });
});

it("H3: an attempt that comes after a later change is refused, whatever it wants to do", async () => {
  const { db, opened } = await world();
  await intend(db, request(opened));
  await settle(db, done(opened));
  await intend(db, request(opened, { change: 2, step: otherStep }));
  await expect(intend(db, request(opened))).rejects.toMatchObject({ code: "superseded" });
  await expect(intend(db, request(opened, { change: 2 }))).rejects.toMatchObject({ code: "superseded" });
});

it("H3: an intent that nobody settled is unknown once the next change begins, and stays so", async () => {
  const { db, opened } = await world();
  await intend(db, request(opened));
  await intend(db, request(opened, { change: 3, step: otherStep, at: t0 + 7 }));
  expect(await intentOf(db, opened.rotation, 1)).toMatchObject({ outcome: "unknown", event: null });
  await expect(settle(db, done(opened))).rejects.toMatchObject({ code: "superseded" });
  expect((await loadRotation(db, opened.rotation)).openIntent).toMatchObject({ change: 3 });
});

it("settles once: whoever comes later gets the first outcome and its event", async () => {
  const { db, opened } = await world();
  await intend(db, request(opened));
  expect(await settle(db, done(opened))).toEqual({ outcome: "done", event: issued(opened), repeated: false });
  const failed: RotationEvent = {
    type: "failed",
    at: t0 + 6,
    step: issueStep(opened),
    change: 1,
    code: "unreachable",
    sentence: "x",
    outcome: "unknown",
    again: true,
  };
  const late = await settle(db, done(opened, { outcome: "unknown", event: failed }));
  expect(late).toEqual({ outcome: "done", event: issued(opened), repeated: true });
  expect(await intend(db, request(opened))).toMatchObject({
    repeated: true,
    outcome: "done",
    event: issued(opened),
  });
  const { events, openIntent } = await loadRotation(db, opened.rotation);
  expect(events).toEqual([issued(opened)]);
  expect(openIntent).toBeNull();
});

it("settles once, also when twenty attempts settle at the same moment", async () => {
  const { db, opened } = await world();
  await intend(db, request(opened));
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, i) =>
      settle(db, done(opened, { event: { ...issued(opened), at: t0 + i } })),
    ),
  );
  expect(answers.filter((answer) => answer?.repeated === false)).toHaveLength(1);
  expect(new Set(answers.map(({ event }) => event.at)).size).toBe(1);
  expect((await loadRotation(db, opened.rotation)).events).toHaveLength(1);
});

it("H32: an outcome without its intent is an error and not a first time", async () => {
  const { db, opened } = await world();
  await expect(settle(db, done(opened))).rejects.toMatchObject({
    code: "internal",
    detail: expect.stringContaining("restored"),
  });
  expect((await loadRotation(db, opened.rotation)).events).toEqual([]);
});

it("I8: an intent is durable before `intend` answers, as another connection sees it", async () => {
  const { db, opened, another } = await world();
  await intend(db, request(opened));
  expect(await intentOf(another(), opened.rotation, 1)).not.toBeNull();
});

it("appends events in order, once each, by content or by key", async () => {
  const { db, opened } = await world();
  const { rotation } = opened;
  const held = (at: number): RotationEvent => ({ type: "held", at, reason: "x" });
  expect(await appendEvent(db, rotation, 1, held(t0))).toEqual({ seq: 1, repeated: false });
  expect(await appendEvent(db, rotation, 1, held(t0))).toEqual({ seq: 1, repeated: true });
  expect(await appendEvent(db, rotation, 1, held(t0 + 1))).toEqual({ seq: 2, repeated: false });
  expect(await appendEvent(db, rotation, 1, held(t0 + 2), "k")).toEqual({ seq: 3, repeated: false });
  expect(await appendEvent(db, rotation, 1, held(t0 + 3), "k")).toEqual({ seq: 3, repeated: true });
  const { events } = await loadRotation(db, rotation);
  expect(events).toEqual([held(t0), held(t0 + 1), held(t0 + 2)]);
});

it("numbers events without gaps when many are appended at once", async () => {
  const { db, opened } = await world();
  const { rotation } = opened;
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, i) =>
      appendEvent(db, rotation, 1, { type: "held", at: t0 + i, reason: "x" }),
    ),
  );
  expect(answers.map(({ seq }) => seq).sort((a, b) => a - b)).toEqual(
    Array.from({ length: 20 }, (_, i) => i + 1),
  );
});

it("refuses a rotation that never was", async () => {
  const { db, opened } = await world();
  const unknown = { ...opened, rotation: "rot_none" };
  await expect(intend(db, request(unknown))).rejects.toMatchObject({ code: "not-found" });
  await expect(loadRotation(db, "rot_none")).rejects.toMatchObject({ code: "not-found" });
});

type Sql = Awaited<ReturnType<typeof world>>["sql"];

async function rows(sql: Sql): Promise<unknown[]> {
  const events = await sql("select * from rekey_inventory.rotation_events order by seq");
  const intents = await sql("select * from rekey_inventory.intents order by change");
  return [...events, ...intents];
}

it("H24: what was chosen before somebody reported a leak is not intended, and nothing is written", async () => {
  const { db, opened, sql } = await world();
  const { rotation, epoch } = opened;
  const about = { at: t0, by: "rashid", reason: "not today" };
  await appendEvent(db, rotation, epoch, { type: "asked", at: t0, digests: [], reminder: false });
  const read = (await loadRotation(db, rotation)).events.length;
  await appendEvent(db, rotation, epoch, { type: "held", at: t0, reason: "what a step says stops no step" });
  expect(await intend(db, request(opened, { read }))).toMatchObject({ repeated: false });
  await appendEvent(db, rotation, epoch, { type: "cancelled", ...about });
  expect(await intend(db, request(opened, { read, change: 2 }))).toBeNull();
  expect(await sql("select change::int from rekey_inventory.intents")).toEqual([{ change: 1 }]);
  // The attempt that had written it before is answered as before.
  expect(await intend(db, request(opened, { read }))).toMatchObject({ repeated: true });
  const again = (await loadRotation(db, rotation)).events.length;
  expect(await intend(db, request(opened, { read: again, change: 2 }))).toMatchObject({ repeated: false });
});
