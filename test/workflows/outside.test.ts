/** What others do to the store while a rotation runs, or did before it: nothing is revoked on what is no longer so (I2, I3, I5, H19, H32). */
import { expect, test } from "vitest";
import { reportText } from "../../domain/documents.js";
import { RekeyError } from "../../domain/errors.js";
import { listRotations } from "../../inventory/rotations.js";
import { expediteUpdate } from "../../workflows/messages.js";
import { digestOf, type House, openHouse } from "./house.js";
import { signed } from "./people.js";
import { cancel, ended, eventually, expectWorking, resume, stateOf, until, untilHeld } from "./watch.js";

const slowly = { quietPeriodMs: 60_000, drainTimeoutMs: 60_000 };

const placeOf = ({ world }: House) => world.stores.place("orders");

/** Waits until the new version is everybody's and the old one is being watched. */
async function untilDrained(house: House) {
  const handle = await house.start();
  await until(handle, "the drain", ({ gate, standing }) => gate === "drained" && standing === "waiting");
  return handle;
}

test("H19: the copy that going back needs disappears: it is named, nothing is revoked, and everybody works", async () => {
  const house = await openHouse({ policy: { ...slowly, stallTimeoutMs: 300 } });
  const handle = await untilDrained(house);
  placeOf(house).copies.delete(house.world.first.version);
  const { sentence, exits } = await untilHeld(handle);
  expect(sentence).toContain("keeps no copy");
  expect(exits).toContain("retry");
  expect((await stateOf(handle)).findings.map(({ code }) => code)).not.toContain("changed-outside");
  expect(house.world.enabled()).toEqual(["orders_a", "orders_b"]);
  expectWorking(house);
});

test("I2: somebody writes the new document again while it goes back: held with both valid, and mended by a look", async () => {
  const house = await openHouse({ policy: { ...slowly, stallTimeoutMs: 300 } });
  const handle = await untilDrained(house);
  const place = placeOf(house);
  const given = { ...house.world.live() };
  await cancel(handle);
  await until(handle, "the way back", ({ gate, direction }) => direction === "back" && gate === "drained");
  expect(house.world.live().password).toBe(house.world.first.password);
  place.raw = given;
  place.revision += 1;
  const { sentence } = await untilHeld(handle);
  expect(sentence).toContain("changed by somebody else");
  expect(house.world.enabled()).toEqual(["orders_a", "orders_b"]);
  await resume(handle, "retry");
  await eventually("the old one again", () => house.world.live().password === house.world.first.password);
  expectWorking(house);
});

test("H32: a store that was restored gives out a dead version: refused, and the lock is free again", async () => {
  const house = await openHouse();
  const dead = { ...house.world.live() };
  expect(await ended(await house.start())).toMatchObject({ outcome: "rotated" });
  const place = placeOf(house);
  const good = { ...house.world.live() };
  place.raw = dead;
  place.revision += 1;
  expect(await ended(await house.start())).toMatchObject({ outcome: "refused" });
  expect(house.world.enabled()).toEqual(["orders_b"]);
  place.raw = good;
  place.revision += 1;
  expect(await ended(await house.start())).toMatchObject({ outcome: "rotated" });
  expectWorking(house);
  expect(await listRotations(house.fresh.db, { credential: house.credential })).toHaveLength(3);
});

test("H19 H32: a store that was restored has no copy of the newer version: going back closes it all the same, and says so", async () => {
  const house = await openHouse();
  const { first, issuers } = house.world;
  issuers.faults.fail.set("disable", new RekeyError("unreachable", "The issuer does not answer."));
  const handle = await house.start();
  await until(handle, "the gate", ({ gate }) => gate === "disabled");
  const { copies } = placeOf(house);
  for (const version of copies.keys()) if (version !== first.version) copies.delete(version);
  await cancel(handle);
  await until(handle, "the way back", ({ direction }) => direction === "back");
  issuers.faults.fail.delete("disable");
  const { timeline } = await until(handle, "its end", ({ standing }) => standing === "done");
  expect(await ended(handle)).toMatchObject({ outcome: "went-back" });
  const sentences = timeline.map(({ sentence }) => sentence);
  expect(sentences).toContainEqual(expect.stringContaining("no copy of it was left to try"));
  expect(house.world.enabled()).toEqual(["orders_a"]);
  expectWorking(house);
});

test("I3: a version that the issuer refuses for good leaves no copy of its value", async () => {
  const house = await openHouse();
  house.world.issuers.faults.fail.set("enable", new RekeyError("not-permitted", "A right is lacking."));
  expect(await ended(await house.start())).toMatchObject({ outcome: "refused" });
  const copies = [...placeOf(house).copies.values()];
  expect(copies.filter(({ password }) => password !== house.world.first.password)).toEqual([]);
  expectWorking(house);
});

test("I5: a leak is closed without a copy of the value, and the record says that nobody could try it", async () => {
  const house = await openHouse({ policy: slowly });
  const handle = await untilDrained(house);
  placeOf(house).copies.delete(house.world.first.version);
  const order = { reason: "seen in a public repository", leaked: ["old"] };
  const digest = digestOf(reportText(order));
  const documents = await Promise.all(
    (["rashid", "runa"] as const).map((person) =>
      signed(person, { installation: house.installation, says: "emergency", digest }),
    ),
  );
  await handle.executeUpdate(expediteUpdate, { args: [{ documents, evidence: null, ...order }] });
  const { timeline } = await until(handle, "its end", ({ standing }) => standing === "done");
  expect(timeline.find(({ what }) => what === "disable")?.sentence).toContain(
    "no copy of it was left to try",
  );
  expect(house.world.accepts("orders_a", house.world.first.password)).toBe(false);
  expectWorking(house);
});
