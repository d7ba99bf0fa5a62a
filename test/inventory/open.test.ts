/** Opening and taking over: one rotation of a credential at a time, whatever starts at the same moment (H8, H18, I4). */
import { expect, it } from "vitest";
import { RekeyError } from "../../domain/errors.js";
import { foldAll } from "../../domain/rotation/fold.js";
import { closeRotation } from "../../inventory/close.js";
import { appendEvent } from "../../inventory/events.js";
import { intend, intentOf } from "../../inventory/intents.js";
import { openRotation } from "../../inventory/open.js";
import { listRotations, loadRotation, rotationOf } from "../../inventory/rotations.js";
import { migratedDatabase } from "./database.js";
import { applySample, issueStep, newId, openedRotation, openRequest, t0 } from "./world.js";

it("H8: of twenty starts at once one opens, and each of the others takes over with an epoch of its own", async () => {
  const { db, another, sql } = await migratedDatabase();
  const { orders } = await applySample(db);
  const handles = [db, another({ connectionsMax: 4 })];
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, i) => openRotation(handles[i % 2] ?? db, openRequest(orders))),
  );
  expect(answers.filter(({ kind }) => kind === "opened")).toHaveLength(1);
  expect(answers.map(({ epoch }) => epoch).sort((a, b) => a - b)).toEqual(
    Array.from({ length: 20 }, (_, i) => i + 1),
  );
  expect(new Set(answers.map(({ rotation }) => rotation)).size).toBe(1);
  expect(await sql("select epoch::int from rekey_inventory.locks group by 1")).toEqual([{ epoch: 20 }]);
  expect(await sql("select count(*)::int as n from rekey_inventory.rotations")).toEqual([{ n: 1 }]);
});

it("H8: twenty attempts of one run get one rotation and one epoch", async () => {
  const { db } = await migratedDatabase();
  const { orders } = await applySample(db);
  const runId = newId("run");
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => openRotation(db, openRequest(orders, { runId }))),
  );
  expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
  expect(answers[0]).toMatchObject({ kind: "opened", epoch: 1 });
});

it("H18: credentials that share an account cannot both be rotated, and the loser holds nothing", async () => {
  const { db, sql } = await migratedDatabase();
  const { orders, billing } = await applySample(db);
  const shared = ["account:shared"];
  const answers = await Promise.allSettled(
    Array.from({ length: 20 }, (_, i) =>
      openRotation(
        db,
        openRequest(i % 2 === 0 ? orders : billing, { lockKeys: [...shared, `place:${i % 2}`] }),
      ),
    ),
  );
  const won = answers.flatMap((answer) => (answer.status === "fulfilled" ? [answer.value] : []));
  const lost = answers.flatMap((answer) => (answer.status === "rejected" ? [answer.reason] : []));
  const rotation = won[0]?.rotation;
  expect(won.map((answer) => answer.rotation)).toEqual(Array(10).fill(rotation));
  expect(lost).toHaveLength(10);
  for (const error of lost) {
    expect(error).toBeInstanceOf(RekeyError);
    expect(error).toMatchObject({ code: "rotation-open", detail: expect.stringContaining(`${rotation}`) });
    expect(error.detail).not.toMatch(/orders|billing|shared/);
  }
  const held = await sql("select distinct rotation from rekey_inventory.locks where rotation is not null");
  expect(held).toEqual([{ rotation }]);
  expect(await sql("select 1 from rekey_inventory.rotations")).toHaveLength(1);
});

it("H8: epochs of a credential only grow, over all of its rotations and takeovers", async () => {
  const { db } = await migratedDatabase();
  const { orders, billing } = await applySample(db);
  const epochs: number[] = [];
  for (let round = 0; round < 3; round++) {
    await openRotation(db, openRequest(orders));
    const { rotation, epoch } = await openRotation(db, openRequest(orders));
    await close(db, rotation, epoch);
    epochs.push(epoch);
  }
  expect(epochs).toEqual([2, 4, 6]);
  // Another credential that gets the same account goes on from there: the account has seen epoch 6.
  const heir = await openRotation(db, openRequest(billing, { lockKeys: [`account:${orders}`] }));
  expect(heir.epoch).toBe(7);
});

it("H8: the database itself refuses an epoch that goes back, and a second open rotation", async () => {
  const { db, sql } = await migratedDatabase();
  const { orders } = await applySample(db);
  await openRotation(db, openRequest(orders));
  await openRotation(db, openRequest(orders));
  await expect(sql("update rekey_inventory.locks set epoch = 1")).rejects.toThrow(/only grows/);
  await expect(sql("delete from rekey_inventory.locks")).rejects.toThrow(/only grows/);
  const copy = `insert into rekey_inventory.rotations
    (id, credential, workflow_id, run_id, nonce, epoch, mode, initial, requested_by, reason, opened_at)
    select 'rot_2', credential, 'w', 'r', nonce, epoch, mode, initial, requested_by, reason, opened_at
    from rekey_inventory.rotations`;
  await expect(sql(copy)).rejects.toThrow(/one_open_rotation/);
});

it("H24: a takeover gets the history and the change that was under way, and both records say so", async () => {
  const { db } = await migratedDatabase();
  const { orders } = await applySample(db);
  const first = await openedRotation(db, orders);
  const { rotation } = first;
  await appendEvent(db, rotation, 1, { type: "asked", at: t0 + 1, digests: ["p"], reminder: false });
  const step = issueStep(first);
  await intend(db, { rotation, epoch: 1, change: 1, step, expects: { b: "" }, at: t0 + 2 });
  const request = openRequest(orders, {
    workflowId: `rotate/${orders}/e2`,
    mode: "emergency",
    now: t0 + 3,
  });
  const taken = await openRotation(db, request);
  expect(taken).toMatchObject({
    kind: "adopted",
    rotation,
    epoch: 2,
    nonce: request.nonce,
    initial: first.initial,
    openIntent: { change: 1, epoch: 1, step, expects: { b: "" }, outcome: "unknown" },
  });
  expect(taken.events).toEqual([
    { type: "asked", at: t0 + 1, digests: ["p"], reminder: false },
    { type: "adopted", at: t0 + 3, epoch: 2, nonce: request.nonce, openChange: step, lastChange: 1 },
  ]);
  const state = foldAll(taken.initial, taken.events);
  expect(state).toMatchObject({ epoch: 2, nonce: request.nonce, seized: false, change: 1 });
  expect(state.versions[first.initial.target]?.issuer).toBe("unknown");
  expect(await rotationOf(db, orders)).toMatchObject({
    mode: "emergency",
    epoch: 2,
    workflowId: `rotate/${orders}/e2`,
  });
  // The attempt is repeated after its answer was lost.
  expect(await openRotation(db, request)).toEqual(taken);
});

it("H3: a run that was taken over is told so, and does not take the rotation back", async () => {
  const { db } = await migratedDatabase();
  const { orders } = await applySample(db);
  const old = openRequest(orders);
  await openRotation(db, old);
  const { rotation } = await openRotation(db, openRequest(orders));
  await expect(openRotation(db, old)).rejects.toMatchObject({ code: "superseded" });
  expect((await loadRotation(db, rotation)).epoch).toBe(2);
});

it("H3 H7: a run whose rotation has ended opens no new one, and hears of the end; a reset of it, too", async () => {
  const { db } = await migratedDatabase();
  const { orders } = await applySample(db);
  const request = openRequest(orders);
  const { rotation, epoch } = await openRotation(db, request);
  await close(db, rotation, epoch);
  const reset = openRequest(orders, { firstRunId: request.runId });
  for (const run of [request, { ...reset, workflowId: request.workflowId }]) {
    const answer = await openRotation(db, run);
    expect(answer).toMatchObject({ kind: "ended", rotation, epoch });
    expect(foldAll(answer.initial, answer.events).closed).toBe("refused");
  }
  expect(await rotationOf(db, orders)).toBeNull();
  expect(await listRotations(db, { credential: orders })).toHaveLength(1);
});

it("H7: a continued run keeps its epoch; a reset of it does not", async () => {
  const { db } = await migratedDatabase();
  const { orders } = await applySample(db);
  const first = openRequest(orders);
  const { rotation, nonce } = await openRotation(db, first);
  await appendEvent(db, rotation, 1, { type: "held", at: t0, reason: "x" });
  const second = openRequest(orders, { continuedFrom: first.runId });
  const answer = await openRotation(db, second);
  expect(answer).toMatchObject({ kind: "continued", rotation, epoch: 1, nonce, events: [{ type: "held" }] });
  expect(await openRotation(db, second)).toEqual(answer);
  await expect(openRotation(db, first)).rejects.toMatchObject({ code: "superseded" });
  // A reset of the second run has an id of its own and the same predecessor, which no longer holds anything.
  const reset = await openRotation(db, openRequest(orders, { continuedFrom: first.runId }));
  expect(reset).toMatchObject({ kind: "adopted", epoch: 2 });
  expect(reset.nonce).not.toBe(nonce);
  await expect(openRotation(db, second)).rejects.toMatchObject({ code: "superseded" });
});

it("H24: what was taken over while one run followed another is not taken back by the one that follows", async () => {
  const { db } = await migratedDatabase();
  const { orders } = await applySample(db);
  const first = openRequest(orders);
  const { rotation } = await openRotation(db, first);
  await openRotation(db, openRequest(orders, { workflowId: `rotate/${orders}/e2` }));
  const follows = openRequest(orders, { continuedFrom: first.runId, firstRunId: first.runId });
  await expect(openRotation(db, follows)).rejects.toMatchObject({ code: "superseded" });
  expect(await rotationOf(db, orders)).toMatchObject({ epoch: 2, workflowId: `rotate/${orders}/e2` });
  await close(db, rotation, 2);
  expect(await openRotation(db, follows)).toMatchObject({ kind: "ended", rotation });
});

it("opens anew while the one before is being closed, and never meets half an end", async () => {
  const { db } = await migratedDatabase();
  const { orders } = await applySample(db);
  for (let round = 0; round < 10; round++) {
    const { rotation, epoch } = await openRotation(db, openRequest(orders));
    const [closed, next] = await Promise.allSettled([
      close(db, rotation, epoch),
      openRotation(db, openRequest(orders)),
    ]);
    if (next.status === "rejected") throw next.reason;
    if (next.value.rotation === rotation) {
      expect(closed).toMatchObject({ status: "rejected", reason: { code: "superseded" } });
      expect(next.value).toMatchObject({ kind: "adopted", epoch: epoch + 1 });
    } else {
      expect(closed.status).toBe("fulfilled");
      expect(next.value).toMatchObject({ kind: "opened", epoch: epoch + 1 });
    }
    await close(db, next.value.rotation, next.value.epoch);
  }
});

it("gives the first state the living versions, and keeps the order of what is in it", async () => {
  const { db } = await migratedDatabase();
  const { orders } = await applySample(db);
  const opened = await openedRotation(db, orders);
  const loaded = await loadRotation(db, opened.rotation);
  expect(loaded.initial).toEqual(opened.initial);
  expect(Object.keys(loaded.initial.versions)).toEqual([opened.initial.target, opened.initial.origin]);
  expect(opened.initial.origin).toMatch(/^ver_[0-9a-f]+$/);
});

it("refuses a credential that the estate does not have, and a first state that is another rotation's", async () => {
  const { db, sql } = await migratedDatabase();
  const { orders } = await applySample(db);
  await expect(openRotation(db, openRequest("crd_unknown"))).rejects.toMatchObject({ code: "not-found" });
  const request = openRequest(orders);
  const initial: typeof request.initial = (opening) => request.initial({ ...opening, rotation: "rot_other" });
  await expect(openRotation(db, { ...request, initial })).rejects.toMatchObject({ code: "internal" });
  expect(await sql("select 1 from rekey_inventory.locks")).toEqual([]);
});

it("opens nothing when the state cannot be made", async () => {
  const { db, sql } = await migratedDatabase();
  const { orders } = await applySample(db);
  const initial = () => {
    throw new RekeyError("refused-by-policy", "no");
  };
  await expect(openRotation(db, openRequest(orders, { initial }))).rejects.toMatchObject({
    code: "refused-by-policy",
  });
  expect(await sql("select 1 from rekey_inventory.rotations")).toEqual([]);
  expect(await intentOf(db, "rot_none", 1)).toBeNull();
});

async function close(db: Parameters<typeof closeRotation>[0], rotation: string, epoch: number) {
  const end = { outcome: "refused", reason: "test", active: null, versions: [], at: t0 } as const;
  return closeRotation(db, { rotation, epoch, ...end });
}

it("H8: what a run asked for before a later run of its workflow did is neither opened nor taken over", async () => {
  const { db, sql } = await migratedDatabase();
  const { orders } = await applySample(db);
  const workflowId = "rotate/orders";
  const open = (runId: string, askedAt: number) =>
    openRotation(db, openRequest(orders, { workflowId, runId, askedAt }));
  const { rotation, epoch } = await open("run_first", t0);
  expect(await open("run_same-moment", t0)).toMatchObject({ kind: "adopted" });
  const held = await open("run_last", t0 + 2_000);
  expect(held).toMatchObject({ kind: "adopted", rotation, epoch: epoch + 2 });

  const late = { code: "superseded", message: expect.stringContaining("run_last") };
  await expect(open("run_terminated", t0 + 1_000)).rejects.toMatchObject(late);
  // Asked again by the run that has it, it is answered as before.
  expect(await open("run_last", t0 + 2_000)).toMatchObject({ epoch: held.epoch });
  await closeRotation(db, {
    ...{ rotation, epoch: held.epoch, outcome: "refused", reason: "", active: null, versions: [], at: t0 },
  });
  await expect(open("run_terminated", t0 + 1_000)).rejects.toMatchObject(late);
  expect(await sql("select count(*)::int as n from rekey_inventory.rotations")).toEqual([{ n: 1 }]);
  // Another workflow's runs are not compared, whatever the clocks say.
  expect(await openRotation(db, openRequest(orders, { askedAt: t0 }))).toMatchObject({ kind: "opened" });
});
