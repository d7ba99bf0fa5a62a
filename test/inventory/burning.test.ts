/** Decisions: kept once, counted again at use, and burned with the intent that they allow or not at all (H7, H37, H38, H39). */
import { expect, it } from "vitest";
import type { SignOffs } from "../../inventory/burning.js";
import { closeRotation } from "../../inventory/close.js";
import { decisionsOf, documentsOf, recordDecision } from "../../inventory/decisions.js";
import { type IntendRequest, intend, intentOf } from "../../inventory/intents.js";
import { type Opened, openRotation } from "../../inventory/open.js";
import { rotationView } from "../../inventory/views.js";
import { migratedDatabase, session, waiting } from "./database.js";
import {
  applySample,
  decisionOn,
  issueStep,
  newId,
  openedRotation,
  openRequest,
  policy,
  t0,
} from "./world.js";

async function world() {
  const fresh = await migratedDatabase();
  const ids = await applySample(fresh.db);
  const opened = await openedRotation(fresh.db, ids.orders);
  return { ...fresh, ...ids, opened };
}

const askedAt = t0;
const at = t0 + 10_000;

function signOffs(more: Partial<SignOffs> = {}): SignOffs {
  return {
    vetoes: true,
    policy,
    plans: [{ digest: "plan-1", approvers: ["payments"] }],
    askedAt,
    ...more,
  };
}

function request(opened: Opened, more: Partial<IntendRequest> = {}): IntendRequest {
  const { rotation, epoch } = opened;
  return {
    rotation,
    epoch,
    change: 1,
    step: issueStep(opened),
    expects: {},
    at,
    signOffs: signOffs(),
    ...more,
  };
}

const refused = { code: "decision-refused" };

it("H7: an intent needs its sign-offs, and burns those that were counted", async () => {
  const { db, opened } = await world();
  await expect(intend(db, request(opened))).rejects.toMatchObject(refused);
  expect(await intentOf(db, opened.rotation, 1)).toBeNull();
  const [mine, other] = [decisionOn(opened), decisionOn(opened, { digest: "plan-0", person: "bob" })];
  await recordDecision(db, mine);
  await recordDecision(db, other);
  await intend(db, request(opened));
  const documents = await documentsOf(db, opened.rotation);
  expect(documents.find(({ jti }) => jti === mine.jti)).toMatchObject({
    burnedAt: at,
    burnedByRotation: opened.rotation,
    burnedByChange: 1,
  });
  expect(documents.find(({ jti }) => jti === other.jti)).toMatchObject({ burnedAt: null });
  // The rotation's next change rests on the same sign-off; what burned it first stays on record.
  await intend(db, request(opened, { change: 2, step: { do: "disable", version: "v", slot: "a" } }));
  const again = await documentsOf(db, opened.rotation);
  expect(again.find(({ jti }) => jti === mine.jti)).toMatchObject({ burnedByChange: 1 });
});

it("H7: a decision that another rotation burned, or that was made for it, allows nothing here", async () => {
  const { db, orders, opened, sql } = await world();
  const decision = decisionOn(opened);
  await recordDecision(db, decision);
  await intend(db, request(opened));
  const end = { outcome: "refused", reason: "x", active: null, versions: [], at } as const;
  await closeRotation(db, { rotation: opened.rotation, epoch: 1, ...end });
  const next = await openRotation(db, openRequest(orders));
  await expect(intend(db, request(next))).rejects.toMatchObject(refused);
  // The same paper again, for this rotation: its single-use id gives it away.
  await expect(recordDecision(db, { ...decision, rotation: next.rotation })).rejects.toMatchObject(refused);
  // Not even a record that was tampered with frees it.
  await expect(
    sql("update rekey_inventory.decisions set burned_at = null, burned_by_rotation = null"),
  ).rejects.toThrow(/only ever burned/);
  await expect(sql("delete from rekey_inventory.decisions")).rejects.toThrow(/only ever burned/);
});

it("H7: the same document twice is one decision; another one under its id is refused", async () => {
  const { db, opened } = await world();
  const decision = decisionOn(opened);
  const answers = await Promise.all(Array.from({ length: 8 }, () => recordDecision(db, decision)));
  expect(answers.filter(({ repeated }) => !repeated)).toHaveLength(1);
  await expect(recordDecision(db, { ...decision, jws: "header.forged.signature" })).rejects.toMatchObject(
    refused,
  );
  expect(await decisionsOf(db, opened.rotation)).toEqual([
    {
      id: decision.jti,
      person: "ann",
      digest: "plan-1",
      verdict: "approve",
      owners: ["payments"],
      issuedAt: decision.issuedAt,
      expiresAt: decision.expiresAt,
    },
  ]);
});

it("H7: with its connection cut before the commit, neither the intent nor the burning is kept; after it, both", async () => {
  const { db, opened, sql, url } = await world();
  const decision = decisionOn(opened);
  await recordDecision(db, decision);
  // Somebody holds the decision's row, so that the intent is written and its burning waits.
  const holder = await session(url);
  await holder.query("begin; select 1 from rekey_inventory.decisions for update");
  const running = intend({ ...db, deadlineMs: 5_000 }, request(opened));
  running.catch(() => undefined);
  for (let cut = 0; cut < 2; cut++) {
    await expect.poll(() => waiting(sql), { interval: 10 }).toHaveLength(1);
    const [blocked] = await waiting(sql);
    await sql("select pg_terminate_backend($1)", [blocked?.pid]);
    await expect.poll(async () => (await waiting(sql))[0]?.pid !== blocked?.pid, { interval: 10 }).toBe(true);
  }
  await expect(running).rejects.toMatchObject({ code: "unreachable", retry: "safe" });
  await holder.query("rollback");
  expect(await intentOf(db, opened.rotation, 1)).toBeNull();
  expect((await documentsOf(db, opened.rotation))[0]).toMatchObject({ burnedAt: null });
  await intend(db, request(opened));
  expect(await intentOf(db, opened.rotation, 1)).not.toBeNull();
  expect((await documentsOf(db, opened.rotation))[0]).toMatchObject({ burnedByChange: 1 });
});

it.each([
  ["expired", { expiresAt: at }, {}],
  ["signed at the deadline or later", { issuedAt: askedAt + policy.approval.deadlineMs }, {}],
  ["for another plan", { digest: "plan-2" }, {}],
  ["by somebody whom the plan does not ask", { owners: ["ops"] }, {}],
  ["by somebody who may no longer speak for the owner", {}, { speaksFor: () => [] }],
  ["a rejection", { says: "reject" as const }, {}],
  ["a confirmation and no approval", { says: "confirm" as const }, {}],
])("H37, H38: a decision is counted at use: %s", async (_, decision, more) => {
  const { db, opened } = await world();
  await recordDecision(db, decisionOn(opened, decision));
  await expect(intend(db, request(opened, { signOffs: signOffs(more) }))).rejects.toMatchObject(refused);
  expect((await documentsOf(db, opened.rotation))[0]).toMatchObject({ burnedAt: null });
});

it("H38: past the point of no return a rejection is too late, and what was agreed has to hold all the same", async () => {
  const { db, opened } = await world();
  const late = { signOffs: signOffs({ vetoes: false }) };
  await recordDecision(db, decisionOn(opened, { says: "reject", person: "bob" }));
  await expect(intend(db, request(opened, late))).rejects.toMatchObject(refused);
  await recordDecision(db, decisionOn(opened));
  await expect(intend(db, request(opened))).rejects.toMatchObject(refused);
  await intend(db, request(opened, late));
  const documents = await documentsOf(db, opened.rotation);
  const burned = Object.fromEntries(documents.map(({ says, burnedByChange }) => [says, burnedByChange]));
  expect(burned).toEqual({ reject: null, approve: 1 });
});

it("H37: one person signing twice is one person, and every plan in force needs its own quorum", async () => {
  const { db, opened } = await world();
  const two = { approval: { ...policy.approval, quorum: 2 } };
  await recordDecision(db, decisionOn(opened));
  await recordDecision(db, decisionOn(opened));
  await expect(intend(db, request(opened, { signOffs: signOffs({ policy: two }) }))).rejects.toMatchObject(
    refused,
  );
  await recordDecision(db, decisionOn(opened, { person: "bob" }));
  const plans = [...signOffs().plans, { digest: "amendment-1", approvers: ["payments"] }];
  await expect(
    intend(db, request(opened, { signOffs: signOffs({ policy: two, plans }) })),
  ).rejects.toMatchObject(refused);
  // The first plan had its quorum; it was not burned for nothing.
  expect((await documentsOf(db, opened.rotation)).map(({ burnedAt }) => burnedAt)).toEqual([
    null,
    null,
    null,
  ]);
  await intend(db, request(opened, { signOffs: signOffs({ policy: two }) }));
  const burned = (await documentsOf(db, opened.rotation)).map(({ burnedByChange }) => burnedByChange);
  expect(burned).toEqual([1, 1, 1]);
});

it("H37: an emergency's papers are burned by the opening that they authorise, once", async () => {
  const { db, orders, billing, sql } = await world();
  const paper = decisionOn(
    { rotation: "", initial: { credential: billing } as Opened["initial"] },
    { rotation: null, says: "emergency", digest: "report-1" },
  );
  await recordDecision(db, paper);
  const opened = await openRotation(db, openRequest(billing, { mode: "emergency", burns: [paper.jti] }));
  expect(await documentsOf(db, opened.rotation)).toMatchObject([
    { jti: paper.jti, burnedByRotation: opened.rotation, burnedByChange: null },
  ]);
  await expect(openRotation(db, openRequest(orders, { burns: [paper.jti] }))).rejects.toMatchObject(refused);
  await expect(openRotation(db, openRequest(orders, { burns: ["dec_none"] }))).rejects.toMatchObject(refused);
  expect(await sql("select max(epoch)::int as epoch from rekey_inventory.locks")).toEqual([{ epoch: 1 }]);
});

it("H39: a consumer is moved by one rotation at a time, and an intent gets all of its consumers or none", async () => {
  const { db, billing, opened } = await world();
  const second = await openedRotation(db, billing);
  const move = (rotation: Opened, consumers: readonly string[]) =>
    intend(db, { ...request(rotation), change: 1, signOffs: undefined, leases: consumers });
  await move(opened, ["con_b", "con_c"]);
  await expect(move(second, ["con_a", "con_b"])).rejects.toMatchObject({
    code: "busy",
    retry: "safe",
    detail: `Consumer con_b is being moved by rotation ${opened.rotation}.`,
  });
  expect((await rotationView(db, second.rotation)).leases).toEqual([]);
  expect(await intentOf(db, second.rotation, 1)).toBeNull();
  // Its own leases are no obstacle, and the end gives them back.
  await intend(db, { ...request(opened), change: 2, signOffs: undefined, leases: ["con_b"] });
  const end = { outcome: "rotated", reason: "x", active: null, versions: [], at } as const;
  await closeRotation(db, { rotation: opened.rotation, epoch: 1, ...end });
  await move(second, ["con_a", "con_b"]);
  expect((await rotationView(db, second.rotation)).leases).toEqual(["con_a", "con_b"]);
});

it("H39: rotations that want the same consumers at the same moment never wait in a ring", async () => {
  const { db, opened, billing, sql, url } = await world();
  const second = await openedRotation(db, billing);
  // A stranger holds the consumer in the middle, so that both come to wait: in a ring, if one came from the end.
  const stranger = await session(url);
  await stranger.query("begin");
  await stranger.query("insert into rekey_inventory.leases values ('con_m', $1, now())", [opened.rotation]);
  const [me] = (await stranger.query<{ pid: number }>("select pg_backend_pid() as pid")).rows;
  const move = (rotation: Opened, leases: readonly string[]) =>
    intend(db, { ...request(rotation), signOffs: undefined, leases });
  const running = Promise.allSettled([
    move(opened, ["con_a", "con_m", "con_z"]),
    move(second, ["con_z", "con_m", "con_a"]),
  ]);
  await expect.poll(() => waiting(sql)).toHaveLength(2);
  const behindMe = "select 1 from pg_stat_activity where $1 = any(pg_blocking_pids(pid))";
  expect(await sql(behindMe, [me?.pid])).toHaveLength(1);
  await stranger.query("rollback");
  const answers = await running;
  expect(answers.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  const lost = answers.find((answer) => answer.status === "rejected");
  expect(lost?.reason).toMatchObject({ code: "busy", detail: expect.stringContaining("con_a") });
});

it("H7: a decision signed for a rotation that was taken over still needs to be one on the present plan", async () => {
  const { db, orders, opened } = await world();
  await recordDecision(db, decisionOn(opened));
  const taken = await openRotation(db, openRequest(orders, { runId: newId("run") }));
  const plans = [{ digest: "plan-of-epoch-2", approvers: ["payments"] }];
  await expect(intend(db, request(taken, { signOffs: signOffs({ plans }) }))).rejects.toMatchObject(refused);
});
