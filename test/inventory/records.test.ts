/** The other records: the end of a rotation, versions, fingerprints, incidents, notices, and what is shown of all of them. */
import { expect, it } from "vitest";
import { bodyOf } from "../../domain/audit.js";
import { takeEntries, waitingEntries } from "../../inventory/audit-outbox.js";
import { closeRotation } from "../../inventory/close.js";
import { dueCredentials, listCredentials } from "../../inventory/credentials.js";
import { recordDecision } from "../../inventory/decisions.js";
import { appendEvent } from "../../inventory/events.js";
import { keepFingerprint, versionsMatching } from "../../inventory/fingerprints.js";
import { listIncidents, recordIncident, signOffIncident } from "../../inventory/incidents.js";
import { intend, intentOf } from "../../inventory/intents.js";
import { markNoticeSent, recordNotice, unsentNotices } from "../../inventory/notices.js";
import { type Opened, openRotation } from "../../inventory/open.js";
import { listRotations, loadRotation, noteProgress, rotationSummary } from "../../inventory/rotations.js";
import { activeVersion, recordVersions } from "../../inventory/versions.js";
import { overview, rotationView } from "../../inventory/views.js";
import { migratedDatabase } from "./database.js";
import { applySample, decisionOn, issueStep, openedRotation, openRequest, policy, t0 } from "./world.js";

const dayMs = 24 * 60 * 60 * 1000;
const intervalMs = policy.intervalMs ?? 0;

function end(opened: Opened, at = t0 + 100) {
  const { rotation, epoch, initial } = opened;
  const [origin, target] = [initial.origin, initial.target];
  const versions = [
    { id: target, slot: "b", life: "delivered" as const },
    { id: origin, slot: "a", life: "destroyed" as const },
    { id: `${target}_spare`, slot: "a", life: "planned" as const },
  ];
  const outcome = "rotated" as const;
  return { rotation, epoch, outcome, reason: "every gate was satisfied", active: target, versions, at };
}

async function world() {
  const fresh = await migratedDatabase();
  const ids = await applySample(fresh.db);
  const opened = await openedRotation(fresh.db, ids.orders);
  return { ...fresh, ...ids, opened };
}

it("ends a rotation in one go: its event, its versions, its locks", async () => {
  const { db, sql, orders, opened } = await world();
  const { origin, target } = opened.initial;
  expect(await activeVersion(db, orders)).toMatchObject({ id: origin, slot: "a", rotation: null });
  expect(await closeRotation(db, end(opened))).toEqual({ outcome: "rotated", at: t0 + 100, repeated: false });
  expect(await activeVersion(db, orders)).toMatchObject({ id: target, slot: "b", rotation: opened.rotation });
  const view = await rotationView(db, opened.rotation);
  expect(view).toMatchObject({ outcome: "rotated", closedAt: t0 + 100, name: "orders-db" });
  expect(view.events.at(-1)).toMatchObject({ type: "closed", outcome: "rotated" });
  const lives = Object.fromEntries(
    (await sql<{ id: string; life: string }>("select id, life from rekey_inventory.versions")).map((row) => [
      row.id,
      row.life,
    ]),
  );
  expect(lives).toEqual({ [origin]: "destroyed", [target]: "active", [`${target}_spare`]: "abandoned" });
  expect(await sql("select 1 from rekey_inventory.locks where rotation is not null")).toEqual([]);
});

it("ends a rotation once: a second attempt gets the first end, an old epoch a refusal", async () => {
  const { db, orders, opened } = await world();
  const answers = await Promise.all(
    Array.from({ length: 10 }, (_, i) => closeRotation(db, end(opened, t0 + 100 + i))),
  );
  expect(answers.filter((answer) => answer?.repeated === false)).toHaveLength(1);
  expect(new Set(answers.map((answer) => answer?.at)).size).toBe(1);
  expect((await loadRotation(db, opened.rotation)).events).toHaveLength(1);
  await expect(closeRotation(db, { ...end(opened), epoch: 7 })).rejects.toMatchObject({ code: "superseded" });
  await expect(closeRotation(db, { ...end(opened), rotation: "rot_none" })).rejects.toMatchObject({
    code: "not-found",
  });
  const next = await openRotation(db, openRequest(orders));
  await openRotation(db, openRequest(orders));
  await expect(closeRotation(db, end(next))).rejects.toMatchObject({ code: "superseded" });
});

it("I3: an end that cannot be kept whole is not kept at all", async () => {
  const { db, orders, opened } = await world();
  await intend(db, {
    rotation: opened.rotation,
    epoch: 1,
    change: 1,
    step: issueStep(opened),
    expects: {},
    at: t0,
    leases: ["con_a"],
  });
  const broken = end(opened);
  // The version that is active now is left out, so there would be two.
  const versions = broken.versions.filter(({ id }) => id !== opened.initial.origin);
  await expect(closeRotation(db, { ...broken, versions })).rejects.toMatchObject({ code: "internal" });
  const view = await rotationView(db, opened.rotation);
  expect(view).toMatchObject({ closedAt: null, events: [], leases: ["con_a"] });
  expect(await activeVersion(db, orders)).toMatchObject({ id: opened.initial.origin });
  await closeRotation(db, broken);
  expect(await intentOf(db, opened.rotation, 1)).toMatchObject({ outcome: "unknown" });
});

it("H3: nothing is added to a rotation that has ended", async () => {
  const { db, opened } = await world();
  await closeRotation(db, end(opened));
  const { rotation, epoch } = opened;
  const event = { type: "held", at: t0, reason: "x" } as const;
  const gone = { code: "already-closed" };
  await expect(appendEvent(db, rotation, epoch, event)).rejects.toMatchObject(gone);
  const intent = { rotation, epoch, change: 1, step: issueStep(opened), expects: {}, at: t0 };
  await expect(intend(db, intent)).rejects.toMatchObject(gone);
  const record = { credential: "x", by: { rotation, epoch }, standings: [], at: t0 };
  await expect(recordVersions(db, record)).rejects.toMatchObject(gone);
});

it("a version's id is never reused, and its end is final", async () => {
  const { db, orders, billing } = await world();
  const one = { id: "ver_1", slot: "b", life: "issued" as const };
  const record = (
    credential: string,
    standing: { id: string; slot: string; life: "issued" | "disabled" | "destroyed" },
  ) => recordVersions(db, { credential, by: null, standings: [standing], at: t0 });
  await record(orders, one);
  await record(orders, { ...one, life: "disabled" });
  await expect(record(billing, one)).rejects.toMatchObject({ code: "internal" });
  await expect(record(orders, { ...one, slot: "a" })).rejects.toMatchObject({ code: "internal" });
  await record(orders, { ...one, life: "destroyed" });
  await record(orders, { ...one, life: "destroyed" });
  await expect(record(orders, one)).rejects.toMatchObject({ code: "internal" });
});

it("H32: a value is recognised by its keyed hash, also when its version is long dead", async () => {
  const { db, orders, billing, sql } = await world();
  const keep = (version: string, credential: string, hmac: string, at: number) =>
    keepFingerprint(db, { version, credential, hmac, at });
  await keep("ver_2", billing, "h1", t0 + 2);
  await keep("ver_1", orders, "h1", t0 + 1);
  await keep("ver_1", orders, "h1", t0 + 9);
  await keep("ver_1", orders, "h2", t0 + 1);
  expect(await versionsMatching(db, "h1")).toEqual([
    { version: "ver_1", credential: orders },
    { version: "ver_2", credential: billing },
  ]);
  expect(await versionsMatching(db, "h3")).toEqual([]);
  await expect(sql("delete from rekey_inventory.fingerprints")).rejects.toThrow(/only ever added/);
});

it("keeps a report once, and its sign-off by an owner's own signature", async () => {
  const { db, orders, billing, opened } = await world();
  const incident = {
    id: "inc_1",
    credential: orders,
    rotation: opened.rotation,
    reason: "Found in a ticket.",
    reportedBy: "ann",
    at: t0,
    matched: ["ver_1"],
    signOffBy: t0 + dayMs,
  };
  await recordIncident(db, incident);
  await recordIncident(db, { ...incident, reason: "other" });
  expect(await listIncidents(db, { unsigned: true })).toEqual([
    { ...incident, signedOffAt: null, signedOffWith: null },
  ]);
  const approval = decisionOn(opened);
  const elsewhere = decisionOn(opened, { says: "sign-off", credential: billing });
  const signOff = decisionOn(opened, { says: "sign-off" });
  for (const decision of [approval, elsewhere, signOff]) await recordDecision(db, decision);
  for (const { jti } of [approval, elsewhere, { jti: "dec_none" }]) {
    await expect(signOffIncident(db, "inc_1", jti, t0 + 1)).rejects.toMatchObject({
      code: "decision-refused",
    });
  }
  await expect(signOffIncident(db, "inc_2", signOff.jti, t0)).rejects.toMatchObject({ code: "not-found" });
  await signOffIncident(db, "inc_1", signOff.jti, t0 + 1);
  await signOffIncident(db, "inc_1", signOff.jti, t0 + 2);
  expect(await listIncidents(db, { unsigned: true })).toEqual([]);
  expect(await listIncidents(db, { credential: orders })).toMatchObject([{ signedOffAt: t0 + 1 }]);
  expect(await listIncidents(db, { credential: billing })).toEqual([]);
});

it("keeps a notice once, and when it was sent", async () => {
  const { db, opened } = await world();
  const notice = {
    id: "n1",
    rotation: opened.rotation,
    kind: "reminder",
    recipients: ["ann@example.com"],
    at: t0,
  };
  expect(await recordNotice(db, notice)).toEqual({ ...notice, sentAt: null });
  expect(await recordNotice(db, { ...notice, at: t0 + 5 })).toEqual({ ...notice, sentAt: null });
  expect(await unsentNotices(db)).toHaveLength(1);
  await markNoticeSent(db, "n1", t0 + 6);
  await markNoticeSent(db, "n1", t0 + 7);
  expect(await recordNotice(db, notice)).toEqual({ ...notice, sentAt: t0 + 6 });
  expect(await unsentNotices(db)).toEqual([]);
});

it("a credential is due an interval after its last rotation, and never while one is open", async () => {
  const { db, orders, billing, opened } = await world();
  const due = async (now: number) => (await dueCredentials(db, now)).map(({ id }) => id);
  expect(await due(t0 + intervalMs - 1)).toEqual([]);
  // Never rotated: its age counts from when it was first heard of. The other one is being rotated.
  expect(await dueCredentials(db, t0 + intervalMs)).toEqual([
    { id: billing, name: "billing-db", policy: "standard", dueAt: t0 + intervalMs },
  ]);
  await closeRotation(db, end(opened, t0 + dayMs));
  expect(await due(t0 + intervalMs + dayMs - 1)).toEqual([billing]);
  expect(await due(t0 + intervalMs + dayMs)).toEqual([billing, orders]);
});

it("a credential whose rotation was refused is not tried again at once", async () => {
  const { db, billing } = await world();
  const now = t0 + intervalMs;
  const { rotation, epoch } = await openRotation(db, openRequest(billing, { now }));
  const refused = { outcome: "refused", reason: "x", active: null, versions: [], at: now } as const;
  await closeRotation(db, { rotation, epoch, ...refused });
  expect(await dueCredentials(db, now)).toEqual([]);
  expect(await dueCredentials(db, now + dayMs)).toMatchObject([{ id: billing }]);
  expect(await dueCredentials(db, now, { retryAfterMs: 0 })).toMatchObject([{ id: billing }]);
});

it("shows credentials, a rotation and the whole as they are", async () => {
  const { db, orders, billing, opened } = await world();
  const { rotation } = opened;
  await noteProgress(db, rotation, 1, { gate: "approved", standing: "waiting" });
  expect(await listCredentials(db)).toMatchObject([
    {
      id: billing,
      name: "billing-db",
      active: null,
      rotation: null,
      lastRotatedAt: null,
      dueAt: t0 + intervalMs,
    },
    {
      id: orders,
      name: "orders-db",
      class: "service-account",
      owner: "payments",
      policy: "standard",
      issuer: "main-db",
      store: "secrets",
      consumers: ["checkout", "reports"],
      active: { id: opened.initial.origin },
      rotation: { id: rotation, gate: "approved", standing: "waiting", closedAt: null },
    },
  ]);
  const step = issueStep(opened);
  await intend(db, { rotation, epoch: 1, change: 1, step, expects: {}, at: t0 + 5, leases: ["con_a"] });
  const decision = decisionOn(opened);
  await recordDecision(db, decision);
  expect(await rotationView(db, rotation)).toMatchObject({
    id: rotation,
    epochs: [{ epoch: 1, takenAt: t0 }],
    changes: [{ change: 1, epoch: 1, step, at: t0 + 5, outcome: null, outcomeAt: null }],
    openIntent: { change: 1 },
    decisions: [{ id: decision.jti, verdict: "approve" }],
    leases: ["con_a"],
    versions: [{ id: opened.initial.origin }],
    notices: [],
    incidents: [],
  });
  expect(await overview(db, t0 + intervalMs)).toMatchObject({
    entries: { credentials: 2, consumers: 2, owners: 3, policies: 1, issuers: 1, stores: 1 },
    open: [{ id: rotation }],
    due: [{ id: billing }],
    unsignedIncidents: 0,
    unsentNotices: 0,
  });
  const waiting = await waitingEntries(db, 1_000);
  const { at } = bodyOf(waiting[0]?.body ?? "");
  const { untoldAudit } = await overview(db, t0 + intervalMs);
  expect(untoldAudit).toEqual({ entries: waiting.length, since: at });
  await takeEntries(
    db,
    waiting.map(({ id }) => id),
  );
  expect((await overview(db, t0)).untoldAudit).toEqual({ entries: 0, since: null });
});

it("lists rotations, newest first, and the latest of each credential", async () => {
  const { db, orders, opened } = await world();
  await closeRotation(db, end(opened));
  const next = await openRotation(db, openRequest(orders, { now: t0 + 1_000 }));
  const ids = async (options: Parameters<typeof listRotations>[1]) =>
    (await listRotations(db, options)).map(({ id }) => id);
  expect(await ids({ credential: orders })).toEqual([next.rotation, opened.rotation]);
  expect(await ids({ open: true })).toEqual([next.rotation]);
  expect(await ids({ limit: 1 })).toEqual([next.rotation]);
  expect(await rotationSummary(db, opened.rotation)).toMatchObject({ outcome: "rotated", name: "orders-db" });
  await expect(rotationSummary(db, "rot_none")).rejects.toMatchObject({ code: "not-found" });
  const [, shown] = await listCredentials(db);
  expect(shown).toMatchObject({ rotation: { id: next.rotation }, lastRotatedAt: t0 + 100 });
});

it("H24: nothing ends behind a word that whoever ends it had not read", async () => {
  const { db, opened } = await world();
  const { rotation, epoch } = opened;
  await appendEvent(db, rotation, epoch, { type: "cancelled", at: t0, by: "ann", reason: "not today" });
  expect(await closeRotation(db, { ...end(opened), read: 0 })).toBeNull();
  expect((await loadRotation(db, rotation)).closedAt).toBeNull();
  expect(await closeRotation(db, { ...end(opened), read: 1 })).toMatchObject({ repeated: false });
  expect(await closeRotation(db, { ...end(opened), read: 0 })).toMatchObject({ repeated: true });
});
