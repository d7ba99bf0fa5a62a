/** A rotation that waits for an operator is nobody's trap: it calls again, calls more people, and two persons can lead it out (H30). */
import { expect, test } from "vitest";
import { declarationDigest } from "../../domain/declaration.js";
import { RekeyError } from "../../domain/errors.js";
import { type House, openHouse } from "./house.js";
import { paper } from "./people.js";
import {
  decide,
  ended,
  eventually,
  expectWorking,
  persisted,
  recorded,
  resume,
  stateOf,
  untilHeld,
} from "./watch.js";

interface Call {
  readonly id: string;
  readonly recipients: readonly string[];
}

function calls({ fresh }: House): Promise<Call[]> {
  return fresh.sql<Call>(
    "select id, recipients from rekey_inventory.notices where kind = 'needs-operator' order by at",
  );
}

test("H30: an operator who does not come is called again, and after a while others with them", async () => {
  const house = await openHouse({ approval: { reminderMs: 400, deadlineMs: 1_200 } });
  const refusal = new RekeyError("not-permitted", "The engine's login lacks a right.");
  house.world.issuers.faults.fail.set("disable", refusal);
  const handle = await house.start();
  await untilHeld(handle);
  const called = await eventually("called for long", async () => {
    const all = await calls(house);
    return all.some(({ recipients }) => recipients.includes("rashid@example.com")) && all;
  });
  expect(called.length).toBeGreaterThanOrEqual(2);
  expect(called[0]?.recipients).toEqual(
    expect.arrayContaining(["ann@example.com", "bob@example.com", "dora@example.com"]),
  );
  expect(called[0]?.recipients).not.toContain("rashid@example.com");
  // Each call is one step and one notice; in between nothing is done.
  const events = (await handle.fetchHistory()).events ?? [];
  const holds = events.filter(
    (event) => event.activityTaskScheduledEventAttributes?.activityType?.name === "hold",
  );
  expect(holds.length).toBeLessThanOrEqual((await calls(house)).length + 1);
  expectWorking(house);
  house.world.issuers.faults.fail.delete("disable");
  await resume(handle, "retry");
  expect(["rotated", "went-back"]).toContain((await ended(handle)).outcome);
});

test("H30: two persons declare which version is live, and it goes there through every gate", async () => {
  const house = await openHouse({
    consumers: ["partner", "reports"],
    edges: { partner: { pinned: true, reversible: false } },
    policy: { adoptionTimeoutMs: 6_000, disableSoakMs: 1_000 },
  });
  const { world } = house;
  const partner = world.consumers.get("partner");
  partner?.behave("refuses", "two");
  const handle = await house.start();
  expect((await untilHeld(handle)).exits).toEqual(["retry", "declare"]);
  const held = await stateOf(handle);
  const old = held.origin;
  const order = () => resume(handle, "declare", old);
  const digest = declarationDigest(held, old);
  expect(await order()).toMatchObject({ accepted: false });
  expect(await decide(handle, await paper(house, held, "ann", { digest }))).toMatchObject({ accepted: true });
  // Her own word twice, and that of who asked for the rotation, are nobody else's.
  await decide(handle, await paper(house, held, "ann", { digest }));
  expect(await decide(handle, await paper(house, held, "eve", { digest }))).toMatchObject({
    accepted: false,
  });
  expect(await order()).toMatchObject({
    accepted: false,
    sentence: expect.stringContaining("1 more person"),
  });
  expect(await decide(handle, await paper(house, held, "bob", { digest }))).toMatchObject({ accepted: true });
  // It was mended by hand: that consumer takes what the store gives out again.
  partner?.behave("moves", "two");
  expect(await order()).toMatchObject({ accepted: true });
  const finding = await eventually("a finding", async () =>
    (await stateOf(handle)).findings.find(({ code }) => code === "declared-live"),
  );
  expect(finding).toMatchObject({ subject: held.target, sentence: expect.stringContaining("ann and bob") });
  expect(await ended(handle)).toMatchObject({ outcome: "went-back" });
  const state = await stateOf(handle);
  expect(state.declared).toMatchObject({ version: old, by: ["ann", "bob"] });
  expect(persisted(state)).toEqual(persisted(await recorded(house)));
  expect(world.enabled()).toEqual(["orders_a"]);
  expectWorking(house);
});
