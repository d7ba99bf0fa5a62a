/** What an emergency did without the owners is signed for afterwards: what was known then, and no more (H37). */
import { expect, test } from "vitest";
import { signIncidents, takeSignOff } from "../../activities/sign-off.js";
import { incidentWith, recordIncident } from "../../inventory/incidents.js";
import { type Desk, openDesk } from "./desk.js";

async function incident({ fresh, credential, state, clock }: Desk, id: string): Promise<void> {
  await recordIncident(fresh.db, {
    id,
    credential,
    rotation: state.id,
    reason: "in a public log",
    reportedBy: "rashid, runa",
    at: clock.now,
    matched: [],
    signOffBy: clock.now + 60_000,
  });
}

async function signedWith({ fresh }: Desk, id: string): Promise<string | null | undefined> {
  return (await incidentWith(fresh.db, id))?.signedOffWith;
}

test("H37: a sign-off is for the reports that were known when it was signed, and its replay settles no other", async () => {
  const desk = await openDesk();
  const { deps, credential, clock } = desk;
  await incident(desk, "inc_1");
  clock.now += 1_000;
  const document = await desk.paper("ann", { says: "sign-off", id: "doc_1" });
  const early = await desk.paper("bob", { says: "sign-off", id: "doc_0", issuedAt: clock.now - 2_000 });
  expect(await takeSignOff(deps, credential, early)).toMatchObject({
    accepted: false,
    sentence: expect.stringMatching(/sign again/),
  });
  const first = await takeSignOff(deps, credential, document);
  expect(first).toEqual({ accepted: true, sentence: "ann has signed 1 report off." });
  clock.now += 1_000;
  await incident(desk, "inc_2");
  expect(await takeSignOff(deps, credential, document)).toEqual(first);
  expect(await signIncidents(deps, credential, "doc_1", clock.now)).toBe(1);
  expect([await signedWith(desk, "inc_1"), await signedWith(desk, "inc_2")]).toEqual(["doc_1", null]);
});

test("H37 H38: a sign-off that is dated ahead settles nothing that comes after its arrival", async () => {
  const desk = await openDesk();
  const { deps, credential, clock } = desk;
  await incident(desk, "inc_1");
  const far = await desk.paper("ann", { says: "sign-off", issuedAt: clock.now + 3_000_000 });
  expect(await takeSignOff(deps, credential, far)).toMatchObject({ accepted: false });
  const ahead = await desk.paper("ann", { says: "sign-off", id: "doc_1", issuedAt: clock.now + 20_000 });
  expect(await takeSignOff(deps, credential, ahead)).toMatchObject({ accepted: true });
  clock.now += 10_000;
  await incident(desk, "inc_2");
  expect(await takeSignOff(deps, credential, ahead)).toMatchObject({ accepted: true });
  expect(await signedWith(desk, "inc_2")).toBeNull();
});
