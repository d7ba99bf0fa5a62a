/** A kind whose nodes hear late, and whose credentials have children: what "revoked" takes then (H27). */
import { expect, test } from "vitest";
import { openHouse } from "./house.js";
import { both, report } from "./reports.js";
import { ended, eventually, expectWorking, stateOf } from "./watch.js";

/** Nothing here runs out because the machine is slow. */
const traits = {
  propagationMs: 600,
  derives: [{ what: "temporary credentials", maxLifeMs: 1_500, endedByDisable: false }],
};

/** Refusals of the old login that were asked for after it was switched off. */
function tried(calls: readonly string[]): number {
  return calls.slice(calls.indexOf("disable orders_a")).filter((call) => call === "proveRefused orders_a")
    .length;
}

test("H27: it is refused three times over the propagation time, its children are waited out, and the end says so", async () => {
  const house = await openHouse({ policy: { disableSoakMs: 0 }, traits });
  const handle = await house.start();
  const { outcome } = await ended(handle);
  expect(outcome).toBe("rotated");
  expect(tried(house.world.issuers.calls)).toBeGreaterThanOrEqual(3);
  const { versions, origin } = await stateOf(handle);
  expect(versions[origin]?.refusals).toBeGreaterThanOrEqual(3);
  const [closed] = await house.fresh.sql<{ reason: string }>(
    "select event->>'reason' as reason from rekey_inventory.rotation_events where event->>'type' = 'closed'",
  );
  expect(closed?.reason).toMatch(/refused 3 times in a row over 600ms/);
  expect(closed?.reason).toMatch(/temporary credentials .* were waited out/);
  expectWorking(house);
});

test("H27: while one node lets it in it is not revoked, and what counts are refusals after that", async () => {
  const house = await openHouse({ policy: { disableSoakMs: 0 }, traits });
  const { issuers } = house.world;
  const handle = await house.start({ emergency: await report(house, both, { containment: "revoke-now" }) });
  await eventually("the first refusal", () => tried(issuers.calls) === 1);
  issuers.faults.stillAccepts.add("orders_a");
  await eventually("let in again", async () => {
    const { versions, origin } = await stateOf(handle);
    return versions[origin]?.refusals === 0;
  });
  expect(issuers.calls).not.toContain("destroy orders_a");
  issuers.faults.stillAccepts.delete("orders_a");
  expect(await ended(handle)).toMatchObject({ outcome: "rotated" });
  expect(tried(issuers.calls)).toBeGreaterThanOrEqual(5);
  expectWorking(house);
});
