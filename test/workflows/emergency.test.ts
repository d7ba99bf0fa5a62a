/** Leaks: who may report them, what they do to a rotation wherever it stands, and taking over one that does not answer (H5, H24, H25, H37). */
import { expect, test } from "vitest";
import { RekeyError } from "../../domain/errors.js";
import { listIncidents } from "../../inventory/incidents.js";
import { listRotations } from "../../inventory/rotations.js";
import { takeoverWorkflowId } from "../../workflows/messages.js";
import { type House, openHouse } from "./house.js";
import { signed } from "./people.js";
import { both, expedite, report } from "./reports.js";
import {
  decide,
  ended,
  eventually,
  expectWorking,
  stateOf,
  until,
  untilAsked,
  untilDelivered,
  untilHeld,
} from "./watch.js";

/** The leaked value is dead, the new one works, and only one is enabled. */
function expectContained(house: House): void {
  const { world } = house;
  expect(world.accepts("orders_a", world.first.password)).toBe(false);
  expect(world.enabled()).toEqual(["orders_b"]);
  const { username, password } = world.live();
  expect(world.accepts(username, password)).toBe(true);
}

test("two responders start one without the owners; the owners sign afterwards", async () => {
  const house = await openHouse({ quorum: 1 });
  const handle = await house.start({ emergency: await report(house) });
  expect(await ended(handle)).toMatchObject({ outcome: "rotated" });
  expectContained(house);
  expectWorking(house);
  const options = { credential: house.credential, unsigned: true };
  expect(await listIncidents(house.fresh.db, options)).toHaveLength(1);
  const document = await signed("ann", { installation: house.installation, says: "sign-off" });
  const receipt = await house.client.workflow.execute("signOff", {
    workflowId: `sign-off/${house.credential}`,
    taskQueue: house.taskQueue,
    args: [house.credential, document],
  });
  expect(receipt).toMatchObject({ accepted: true });
  expect(await listIncidents(house.fresh.db, options)).toEqual([]);
});

test("H37: one responder is enough with a value that is known to be ours, and too few without", async () => {
  const house = await openHouse();
  const lone = await house.start({ emergency: await report(house, ["rashid"]) });
  await expect(ended(lone)).rejects.toMatchObject({ cause: { cause: { type: "decision-refused" } } });
  const stranger = await house.start({ emergency: await report(house, ["rashid", "eve"]) });
  await expect(ended(stranger)).rejects.toMatchObject({ cause: { cause: { type: "decision-refused" } } });
  const twice = await house.start({ emergency: await report(house, ["rashid", "rashid"]) });
  await expect(ended(twice)).rejects.toMatchObject({ cause: { cause: { type: "decision-refused" } } });
  expect(await listRotations(house.fresh.db, { credential: house.credential })).toEqual([]);
  expect(house.world.enabled()).toEqual(["orders_a"]);

  await ended(await house.start());
  const leaked = house.world.live().password ?? "";
  const evidence = await house.fingerprint(leaked);
  const handle = await house.start({ emergency: await report(house, ["rashid"], { leaked: [], evidence }) });
  expect(await ended(handle)).toMatchObject({ outcome: "rotated" });
  expect(house.world.accepts("orders_b", leaked)).toBe(false);
  expect(house.world.enabled()).toEqual(["orders_a"]);
  expectWorking(house);
});

test("H37: what the responders signed counts for that report and once", async () => {
  const house = await openHouse();
  const given = await report(house);
  const other = { ...given, reason: "something else" };
  await expect(ended(await house.start({ emergency: other }))).rejects.toThrow();
  expect(await ended(await house.start({ emergency: given }))).toMatchObject({ outcome: "rotated" });
  await expect(ended(await house.start({ emergency: given }))).rejects.toThrow();
  expect(house.world.enabled()).toEqual(["orders_b"]);
});

test("H24: reported while owners are asked: it does not wait for them", async () => {
  const house = await openHouse({ quorum: 1 });
  const handle = await house.start();
  await untilAsked(handle);
  expect(await expedite(handle, await report(house, ["rashid"]))).toMatchObject({ accepted: false });
  expect((await stateOf(handle)).emergency).toBeNull();
  expect(await expedite(handle, await report(house))).toMatchObject({ accepted: true });
  expect(await ended(handle)).toMatchObject({ outcome: "rotated" });
  expectContained(house);
});

test("H24: reported while it issues: that step is finished, and it goes on as an emergency", async () => {
  const house = await openHouse();
  const { issuers } = house.world;
  let release = () => {};
  issuers.faults.holdWrite = new Promise<void>((resolve) => {
    release = resolve;
  });
  const handle = await house.start();
  await eventually("a write that is under way", () => issuers.calls.includes("enable orders_b"));
  expect(await expedite(handle, await report(house))).toMatchObject({ accepted: true });
  expect(house.world.enabled()).toEqual(["orders_a"]);
  release();
  expect(await ended(handle)).toMatchObject({ outcome: "rotated" });
  expect(issuers.calls.filter((call) => call === "enable orders_b")).toHaveLength(1);
  expectContained(house);
  expectWorking(house);
});

test("H24: reported when it has ended: it is a new rotation's", async () => {
  const house = await openHouse();
  const first = await house.start();
  await ended(first);
  const emergency = await report(house);
  await expect(expedite(first, emergency)).rejects.toThrow();
  const before = house.world.live().password ?? "";
  expect(await ended(await house.start({ emergency }))).toMatchObject({ outcome: "rotated" });
  expect(await listRotations(house.fresh.db, { credential: house.credential })).toHaveLength(2);
  expect(house.world.accepts("orders_b", before)).toBe(false);
  expect(house.world.enabled()).toEqual(["orders_a"]);
  expectWorking(house);
});

test("H24: reported while it delivers: past the deadline the leaked one is revoked, whoever still holds it", async () => {
  const house = await openHouse({ policy: { containmentDeadlineMs: 1_500 } });
  house.world.consumers.get("reports")?.behave("refuses");
  const handle = await house.start();
  await untilDelivered(handle);
  await expedite(handle, await report(house));
  expect(house.world.accepts("orders_a", house.world.first.password)).toBe(true);
  await eventually("revoked", () => !house.world.accepts("orders_a", house.world.first.password));
  house.world.consumers.get("reports")?.behave("moves");
  expect(await ended(handle)).toMatchObject({ outcome: "rotated" });
  expectContained(house);
  expectWorking(house);
});

test("revoke-now does not wait for consumers, and the rotation still ends with all of them working", async () => {
  const house = await openHouse();
  house.world.consumers.get("reports")?.behave("refuses");
  const handle = await house.start({ emergency: await report(house, both, { containment: "revoke-now" }) });
  await eventually("revoked", () => !house.world.accepts("orders_a", house.world.first.password));
  house.world.consumers.get("reports")?.behave("moves");
  expect(await ended(handle)).toMatchObject({ outcome: "rotated" });
  expectContained(house);
  expectWorking(house);
});

test.each([
  ["draining", { quietPeriodMs: 60_000, drainTimeoutMs: 60_000 }, "drained"],
  ["soaking", { disableSoakMs: 60_000 }, "disabled"],
] as const)("H24: reported while it is %s: that is cut short", async (what, policy, gate) => {
  const house = await openHouse({ policy });
  const handle = await house.start();
  await until(handle, what, (progress) => progress.gate === gate && progress.standing === "waiting");
  const begun = Date.now();
  await expedite(handle, await report(house));
  expect(await ended(handle)).toMatchObject({ outcome: "rotated" });
  expect(Date.now() - begun).toBeLessThan(30_000);
  expectContained(house);
  expectWorking(house);
});

test("H5: reported while it goes back to the leaked version: it turns round", async () => {
  const house = await openHouse({
    policy: { quietPeriodMs: 60_000, drainTimeoutMs: 60_000, adoptionTimeoutMs: 1_000 },
  });
  const consumer = house.world.consumers.get("reports");
  consumer?.behave("refuses");
  const handle = await house.start();
  await until(handle, "going back", (p) => p.direction === "back" && p.gate === "drained");
  consumer?.behave("moves");
  await expedite(handle, await report(house));
  expect(await ended(handle)).toMatchObject({ outcome: "rotated" });
  expectContained(house);
  expectWorking(house);
});

test("H24: reported while it waits for an operator: it goes on without one", async () => {
  const house = await openHouse();
  const { faults } = house.world.issuers;
  faults.fail.set("disable", new RekeyError("not-permitted", "The engine's login lacks a right."));
  const handle = await house.start();
  await untilHeld(handle);
  faults.fail.delete("disable");
  expect(await expedite(handle, await report(house))).toMatchObject({ accepted: true });
  expect(await ended(handle)).toMatchObject({ outcome: "rotated" });
  expectContained(house);
  expectWorking(house);
});

test("H3 H24: a rotation that does not answer is taken over; its late writes change nothing, and it ends", async () => {
  const house = await openHouse();
  const { issuers } = house.world;
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const old = await house.start();
  await eventually("proved", () => issuers.calls.includes("prove orders_b"));
  issuers.faults.holdWrite = held;
  await eventually("a write that hangs", () => issuers.calls.includes("disable orders_a"));
  const { epoch } = await stateOf(old);
  const emergency = await report(house);
  const handle = await house.start({ emergency }, takeoverWorkflowId(house.credential, epoch + 1));
  expect(await ended(handle)).toMatchObject({ outcome: "rotated" });
  expectContained(house);
  const settled = JSON.stringify([...issuers.server().logins]);
  release();
  expect(await ended(old)).toMatchObject({ outcome: "taken-over" });
  expect(JSON.stringify([...issuers.server().logins])).toBe(settled);
  expect(await listRotations(house.fresh.db, { credential: house.credential })).toHaveLength(1);
  await expect(decide(old, "too late")).rejects.toThrow();
});
