/** Each record that matters is told once, in its own transaction; a repetition tells nothing again (I8, H40). */
import { expect, it } from "vitest";
import { type AuditBody, bodyOf } from "../../domain/audit.js";
import type { RotationEvent } from "../../domain/rotation/events.js";
import { waitingEntries } from "../../inventory/audit-outbox.js";
import { closeRotation } from "../../inventory/close.js";
import { recordDecision } from "../../inventory/decisions.js";
import { applyEstate } from "../../inventory/estate.js";
import { appendEvent } from "../../inventory/events.js";
import { recordIncident, signOffIncident } from "../../inventory/incidents.js";
import { intend, settle } from "../../inventory/intents.js";
import { openRotation } from "../../inventory/open.js";
import { migratedDatabase } from "./database.js";
import {
  applySample,
  decisionOn,
  issueStep,
  newId,
  openedRotation,
  openRequest,
  policy,
  sampleEstate,
  t0,
} from "./world.js";

it("a rotation is told from its opening to its end, each record once however often it is asked for", async () => {
  const { db } = await migratedDatabase();
  const { orders } = await applySample(db);
  const told = async (): Promise<AuditBody[]> =>
    (await waitingEntries(db, 100)).map(({ body }) => bodyOf(body));
  await applyEstate(db, { estate: sampleEstate(), digest: "d1", by: "ann", now: t0, newId });
  const opened = await openedRotation(db, orders);
  const { rotation, epoch } = opened;
  const decision = decisionOn(opened);
  const plans = [{ digest: "plan-1", approvers: ["payments"] }];
  const change = { rotation, epoch, change: 1 };
  const event = { type: "issued", at: t0, version: opened.initial.target, change: 1, tag: "tag" } as const;
  for (const _time of [1, 2]) {
    await recordDecision(db, decision);
    await intend(db, {
      ...change,
      step: issueStep(opened),
      expects: { b: "tag-1" },
      at: t0 + 3_000,
      signOffs: { policy, plans, vetoes: true, askedAt: t0 },
    });
    await settle(db, { ...change, outcome: "done", event, at: t0 });
  }
  await intend(db, {
    ...change,
    change: 2,
    step: { do: "disable", version: "old", slot: "a" },
    expects: {},
    at: t0,
  });
  const off = { type: "disabled", at: t0, version: "old", change: 2, tag: "tag", untried: true } as const;
  await settle(db, { rotation, epoch, change: 2, outcome: "done", event: off, at: t0 });
  await intend(db, {
    ...change,
    change: 3,
    step: { do: "destroy", version: "x", slot: "a" },
    expects: {},
    at: t0,
  });
  const taken = await openRotation(db, openRequest(orders, { requestedBy: "bob" }));
  const end = {
    outcome: "rotated",
    reason: "Done.",
    active: opened.initial.target,
    versions: [],
    at: t0,
  } as const;
  for (const _time of [1, 2]) await closeRotation(db, { rotation, epoch: taken.epoch, ...end });

  const bodies = await told();
  expect(bodies.map(({ kind }) => kind)).toEqual([
    ...[
      "estate",
      "opened",
      "decision",
      "intent",
      "burned",
      "outcome",
      "intent",
      "outcome",
      "intent",
      "outcome",
      "adopted",
      "closed",
    ],
  ]);
  expect(bodies[4]).toMatchObject({ decisions: [decision.jti], change: 1, rotation });
  // What "revoked" rests on is part of it (I5).
  expect(bodies[7]).toMatchObject({ change: 2, outcome: "done", event: "disabled", untried: true, rotation });
  expect(bodies[9]).toMatchObject({ change: 3, outcome: "unknown", rotation });
  expect(JSON.stringify(bodies)).not.toMatch(/\bann\b|\bbob\b|It is time|payments|header\./);
});

it("I9: who ordered what, and that it held or turned, is told once, with the persons as commitments", async () => {
  const { db } = await migratedDatabase();
  const { orders } = await applySample(db);
  const { rotation, epoch } = await openedRotation(db, orders);
  const at = t0 + 1_000;
  const events: readonly RotationEvent[] = [
    { type: "held", at, reason: "Bob's right is missing." },
    { type: "resumed", at, exit: "declare", by: "ann", version: "ver_1" },
    { type: "cancelled", at, by: "bob", reason: "Not today." },
    { type: "turned", at, target: "ver_1", slot: null, reason: "Bob's service fails." },
    { type: "refused", at, version: "ver_1" },
  ];
  for (const event of [...events, ...events]) await appendEvent(db, rotation, epoch, event);
  const mine = (await waitingEntries(db, 100)).slice(2);
  expect(mine.map(({ body }) => bodyOf(body))).toMatchObject([
    { kind: "held", epoch, rotation, at, personal: { reason: expect.any(String) } },
    { kind: "resumed", exit: "declare", version: "ver_1", epoch, personal: { by: expect.any(String) } },
    { kind: "cancelled", epoch, personal: { by: expect.any(String), reason: expect.any(String) } },
    { kind: "turned", target: "ver_1", slot: null, personal: { reason: expect.any(String) } },
  ]);
  expect(mine).toHaveLength(4);
  expect(mine[1]?.openings.by?.value).toBe("ann");
  expect(JSON.stringify(mine.map(({ body }) => body))).not.toMatch(/\bann\b|[Bb]ob|Not today/);
});

it("a report and its sign-off are told once", async () => {
  const { db } = await migratedDatabase();
  const { orders } = await applySample(db);
  const incident = {
    id: "inc_1",
    credential: orders,
    rotation: null,
    reason: "Seen in Bob's mail.",
    reportedBy: "ann",
    at: t0,
    matched: ["ver_1"],
    signOffBy: t0 + 1_000,
  };
  const opened = await openedRotation(db, orders);
  const paper = decisionOn(opened, { says: "sign-off" });
  await recordDecision(db, paper);
  for (const _time of [1, 2]) {
    await recordIncident(db, incident);
    await signOffIncident(db, "inc_1", paper.jti, t0 + 5_000);
  }
  const told = await waitingEntries(db, 100);
  const mine = told.filter(({ body }) => ["incident", "signed-off"].includes(bodyOf(body).kind));
  expect(mine.map(({ body }) => bodyOf(body))).toMatchObject([
    { kind: "incident", incident: "inc_1", matched: ["ver_1"] },
    { kind: "signed-off", incident: "inc_1", decision: paper.jti },
  ]);
  expect(mine[0]?.openings).toMatchObject({
    reportedBy: { value: "ann" },
    reason: { value: "Seen in Bob's mail." },
  });
  expect(mine[0]?.body).not.toContain("Bob");
});
