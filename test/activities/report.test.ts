/** A report of a leak is one incident however often it arrives, and the next report is another one (H8, H24, H25). */
import { expect, test } from "vitest";
import { openActivity } from "../../activities/open.js";
import { reportActivity } from "../../activities/report.js";
import { reportText } from "../../domain/documents.js";
import { RekeyError } from "../../domain/errors.js";
import { foldAll } from "../../domain/rotation/fold.js";
import type { EmergencyReport } from "../../domain/rotation/work.js";
import { keepFingerprint } from "../../inventory/fingerprints.js";
import { listIncidents } from "../../inventory/incidents.js";
import { loadRotation } from "../../inventory/rotations.js";
import { newId } from "../inventory/world.js";
import type { PersonName } from "../workflows/people.js";
import { type Desk, openDesk } from "./desk.js";

async function report(
  desk: Desk,
  more: Partial<EmergencyReport> = {},
  by: readonly PersonName[] = ["rashid", "runa"],
): Promise<EmergencyReport> {
  const ordered = { reason: "seen in a public repository", leaked: ["old"], ...more };
  const digest = desk.deps.sha256Hex(reportText(ordered));
  const says = { says: "emergency", digest, rotation: "", nonce: "" } as const;
  const documents = await Promise.all(by.map((person) => desk.paper(person, says)));
  return { evidence: null, ...ordered, documents };
}

/** Opens by another run, or by one that tries again. */
function open(desk: Desk, emergency: EmergencyReport, runId: string) {
  const { deps, credential } = desk;
  const request = {
    credential,
    requestedBy: "eve",
    reason: "a leak",
    continuedFrom: null,
    firstRunId: runId,
  };
  return desk.run(() => openActivity(deps)({ ...request, emergency }), runId);
}

async function incidentEvents({ fresh, state }: Desk) {
  return (await loadRotation(fresh.db, state.id)).events.filter(({ type }) => type === "incident");
}

test("H24: a second report on a rotation that is an emergency already counts, and the first one again does not", async () => {
  const desk = await openDesk();
  const first = await report(desk);
  const once = await open(desk, first, newId("run"));
  expect(once.state.emergency).toMatchObject({ containment: "after-adoption" });
  const second = await report(desk, { containment: "revoke-now", reason: "used by somebody" });
  const twice = await open(desk, second, newId("run"));
  expect(twice.state.emergency).toMatchObject({ containment: "revoke-now" });
  const again = await open(desk, first, newId("run"));
  expect(again.state.emergency).toMatchObject({ containment: "revoke-now" });
  expect(await incidentEvents(desk)).toHaveLength(2);
  expect(await listIncidents(desk.fresh.db)).toHaveLength(2);
  expect(desk.told.filter(({ kind }) => kind === "emergency")).toHaveLength(2);
});

test("H24: an attempt that read the records before another one reported the leak knows that it is an emergency, too", async () => {
  const desk = await openDesk();
  const emergency = await report(desk);
  const runId = newId("run");
  const systems = await desk.deps.systems(desk.credential);
  // Owners are told between the reading of the records and the event: there the other attempt overtakes this one.
  let quicker: ReturnType<typeof open> | undefined;
  const notify = async () => {
    quicker ??= open(desk, emergency, runId);
    await quicker;
  };
  const late = { ...systems, notifiers: [{ preflight: async () => [], notify }] } as typeof systems;
  const slower = await open({ ...desk, deps: { ...desk.deps, systems: async () => late } }, emergency, runId);
  const { state } = (await quicker) ?? {};
  expect(state?.emergency).toMatchObject({ containment: "after-adoption" });
  expect(slower.state).toEqual(state);
  expect(await incidentEvents(desk)).toHaveLength(1);
});

test("H8: an opening that is tried again after its documents have expired goes on with the incident that was recorded", async () => {
  const desk = await openDesk();
  const emergency = await report(desk);
  const runId = newId("run");
  const { state } = await open(desk, emergency, runId);
  desk.clock.now += 2 * 3_600_000;
  expect((await open(desk, emergency, runId)).state).toEqual(state);
  await expect(open(desk, { ...emergency, containment: "revoke-now" }, runId)).rejects.toThrow(
    /another report/,
  );
});

test("H8: what was kept before an attempt broke off is applied by the next one", async () => {
  const desk = await openDesk();
  const emergency = await report(desk);
  const { deps, state } = desk;
  const send = () => desk.run(() => reportActivity(deps)({ state, report: emergency }));
  const { events } = await send();
  desk.clock.now += 2 * 3_600_000;
  expect(await send()).toMatchObject({ accepted: true, events });
  const heard = foldAll(state, events);
  const told = await desk.run(() => reportActivity(deps)({ state: heard, report: emergency }));
  expect(told).toMatchObject({ accepted: true, events: [] });
  expect(await incidentEvents(desk)).toHaveLength(1);
  expect(await listIncidents(desk.fresh.db)).toHaveLength(1);
  expect(desk.told).toHaveLength(1);
});

test("H25: documents of another incident, or none, are verified as ever", async () => {
  const desk = await openDesk();
  const emergency = await report(desk);
  const send = (given: EmergencyReport) =>
    desk.run(() => reportActivity(desk.deps)({ state: desk.state, report: given }));
  await send(emergency);
  desk.clock.now += 2 * 3_600_000;
  const [rashids = ""] = emergency.documents;
  expect(await send({ ...emergency, documents: [rashids] })).toMatchObject({ accepted: false });
  expect(await send({ ...emergency, documents: [] })).toMatchObject({ accepted: false });
  expect(await send({ ...emergency, documents: ["no document"] })).toMatchObject({ accepted: false });
  expect(await listIncidents(desk.fresh.db)).toHaveLength(1);
});

test("H25 H37: one responder is enough only where the evidence is of everything that would be treated as leaked", async () => {
  const desk = await openDesk();
  const { deps, state, credential, fresh } = desk;
  const at = desk.clock.now;
  await keepFingerprint(fresh.db, { version: "ver_dead", credential, hmac: "of last year", at });
  await keepFingerprint(fresh.db, { version: state.origin, credential, hmac: "in use", at });
  const send = async (evidence: string, leaked: EmergencyReport["leaked"]) => {
    const given = await report(desk, { evidence, leaked }, ["rashid"]);
    return desk.run(() => reportActivity(deps)({ state, report: given }));
  };
  for (const leaked of [["old"], ["old", "new"], [state.origin], "unknown"] as const)
    expect(await send("of last year", leaked)).toMatchObject({
      accepted: false,
      sentence: "The report needs 2 responders and has 1.",
    });
  expect(await listIncidents(fresh.db)).toEqual([]);
  // The same by a start that takes the rotation over.
  const started = await report(desk, { evidence: "of last year", leaked: ["old"] }, ["rashid"]);
  await expect(open(desk, started, newId("run"))).rejects.toThrow(/needs 2 responder/);
  for (const leaked of [["old"], "unknown"] as const)
    expect(await send("in use", leaked)).toMatchObject({
      accepted: true,
      sentence: "Emergency: 1 version is treated as leaked.",
    });
  expect(await send("of last year", [])).toMatchObject({
    accepted: true,
    sentence: "Emergency: 0 versions are treated as leaked.",
  });
});

test("I5 H31: two responders do not wait for a store that is away", async () => {
  const desk = await openDesk();
  const systems = await desk.deps.systems(desk.credential);
  const live = async () => {
    throw new RekeyError("unreachable", "The store does not answer.");
  };
  const away = { ...systems, stores: { main: { ...systems.stores.main, live } } } as typeof systems;
  const deps = { ...desk.deps, systems: async () => away };
  const given = await report(desk, { evidence: "of a value that nobody knows", leaked: ["old"] });
  const answer = await desk.run(() => reportActivity(deps)({ state: desk.state, report: given }));
  expect(answer).toMatchObject({ accepted: true });
});
