/** The rules change while a rotation runs, and two versions are not valid together for ever (H17). */
import { expect, test } from "vitest";
import type { Policy } from "../../domain/estate/types.js";
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
  until,
  untilAsked,
  untilDelivered,
  untilHeld,
} from "./watch.js";

/** Nothing here runs out because the machine is slow. */

function tighten(house: House, change: Partial<Policy>): Promise<void> {
  return house.apply((estate) => ({
    ...estate,
    policies: Object.fromEntries(
      Object.entries(estate.policies).map(([name, policy]) => [name, { ...policy, ...change }]),
    ),
  }));
}

test("H17: rules that become stricter while it runs hold at once, ask nobody, and are in the records", async () => {
  const house = await openHouse({ quorum: 1 });
  const reports = house.world.consumers.get("reports");
  reports?.behave("refuses");
  const handle = await house.start();
  await decide(handle, await paper(house, await untilAsked(handle), "ann"));
  await untilDelivered(handle);
  await tighten(house, { disableSoakMs: 3_600_000 });
  // The workflow hears of it when its look ends; the records, which every step goes by, at once.
  await eventually("taken up", async () => (await recorded(house)).policy.disableSoakMs === 3_600_000);
  reports?.behave("moves");
  const waiting = await until(handle, "the soak", (p) => p.gate === "disabled" && p.standing === "waiting");
  const state = await stateOf(handle);
  const { disabledAt = 0 } = Object.values(state.versions).find(({ issuer }) => issuer === "disabled") ?? {};
  expect(waiting.until).toBe((disabledAt ?? 0) + 3_600_000);
  expect(state).toMatchObject({ amendments: [], agreedPolicy: { disableSoakMs: 20 } });
  expect(persisted(await recorded(house))).toEqual(persisted(state));
  expectWorking(house);
});

test("H17: rules that become looser while it runs are not those that were agreed to", async () => {
  const house = await openHouse({ policy: { disableSoakMs: 3_600_000 } });
  const reports = house.world.consumers.get("reports");
  reports?.behave("refuses");
  const handle = await house.start();
  await untilDelivered(handle);
  await tighten(house, { disableSoakMs: 0 });
  reports?.behave("moves");
  await until(handle, "the soak", (p) => p.gate === "disabled" && p.standing === "waiting");
  expect((await stateOf(handle)).policy.disableSoakMs).toBe(3_600_000);
  expect(house.world.stores.place("orders").copies.has(house.world.first.version)).toBe(true);
});

test("H17: rules that become stricter before anything is issued are another plan, and signed anew", async () => {
  const house = await openHouse({ quorum: 1 });
  const handle = await house.start();
  const before = await untilAsked(handle);
  await tighten(house, { observationMaxAgeMs: 9_000 });
  await decide(handle, await paper(house, before, "ann"));
  const after = await eventually("asked anew", async () => {
    const state = await stateOf(handle);
    return (
      state.asked.includes(state.plan?.digest ?? "") && state.plan?.digest !== before.plan?.digest && state
    );
  });
  expect(house.world.enabled()).toEqual(["orders_a"]);
  expect(after.policy.observationMaxAgeMs).toBe(9_000);
  await decide(handle, await paper(house, after, "ann"));
  expect(await ended(handle)).toMatchObject({ outcome: "rotated" });
  expectWorking(house);
});

test("overlapMax: an operator is called with both versions valid, nothing is revoked, and it goes on when told to", async () => {
  const house = await openHouse({ policy: { overlapMaxMs: 1_500 } });
  const reports = house.world.consumers.get("reports");
  reports?.behave("refuses");
  const handle = await house.start();
  const { sentence, exits } = await untilHeld(handle);
  expect(sentence).toContain("longer than the policy allows");
  expect(exits).toEqual(["retry", "back"]);
  expect(house.world.enabled()).toEqual(["orders_a", "orders_b"]);
  expect(house.world.issuers.calls.filter((call) => call.startsWith("disable"))).toEqual([]);
  expectWorking(house);
  reports?.behave("moves");
  await resume(handle, "retry");
  expect(await ended(handle)).toMatchObject({ outcome: "rotated" });
  expectWorking(house);
});

test("H17: what a consumer becomes after the issue is for its own owner to agree to, and for nobody else", async () => {
  const house = await openHouse({ quorum: 1 });
  const reports = house.world.consumers.get("reports");
  reports?.behave("refuses");
  const handle = await house.start();
  await decide(handle, await paper(house, await untilAsked(handle), "ann"));
  await untilDelivered(handle);
  await house.apply((estate) => {
    const consumer = estate.consumers.reports;
    if (!consumer) throw new Error("no such consumer");
    return { ...estate, consumers: { ...estate.consumers, reports: { ...consumer, owner: "cleo" } } };
  });
  reports?.behave("moves");
  await until(handle, "asked again", (p) => p.gate === "approved" && p.standing === "waiting");
  const state = await stateOf(handle);
  const [amendment] = state.amendments;
  expect(amendment?.approvers).toEqual(["cleo"]);
  const digest = amendment?.digest ?? "";
  await decide(handle, await paper(house, state, "ann", { digest }));
  expect(house.world.enabled()).toEqual(["orders_a", "orders_b"]);
  expect((await until(handle, "still asked", () => true)).gate).toBe("approved");
  await decide(handle, await paper(house, state, "cleo", { digest }));
  expect(await ended(handle)).toMatchObject({ outcome: "rotated" });
  expectWorking(house);
});
