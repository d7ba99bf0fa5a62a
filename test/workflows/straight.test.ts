/** The whole walk, with nothing in its way: what it leaves in the world, in the records and in Temporal's history. */
import { historyToJSON } from "@temporalio/common/lib/proto-utils.js";
import { expect, test } from "vitest";
import { formsOf } from "../support/canaries.js";
import { openHouse } from "./house.js";
import { ended, expectWorking, persisted, recorded, stateOf } from "./watch.js";

const activities = ["open", "issue", "prove", "deliver", "disable", "destroy", "close"];

test("a rotation walks through every gate, in few steps, and leaves one working version and nothing else", async () => {
  const house = await openHouse({
    consumers: ["checkout", "invoices", "reports"],
    policy: { quietPeriodMs: 0, disableSoakMs: 0 },
  });
  const { world } = house;
  const handle = await house.start();
  expect(await ended(handle)).toMatchObject({ outcome: "rotated" });

  expectWorking(house);
  expect(world.enabled()).toEqual(["orders_b"]);
  expect(world.live()).toMatchObject({ username: "orders_b", note: "not ours to touch" });
  expect(world.accepts("orders_a", world.first.password)).toBe(false);
  expect(world.stores.place("orders").copies.has(world.first.version)).toBe(false);
  expect(world.stores.place("orders").history.map((raw) => raw.password)).not.toContain(world.first.password);

  const events = (await handle.fetchHistory()).events ?? [];
  const done = events.flatMap(
    (event) => event.activityTaskScheduledEventAttributes?.activityType?.name ?? [],
  );
  expect(done).toEqual(activities);
  expect(events.length).toBeLessThanOrEqual(60);
});

test("the workflow's state is the fold of what the inventory recorded", async () => {
  const house = await openHouse({ quorum: 0 });
  const handle = await house.start();
  await ended(handle);
  const [inWorkflow, inRecords] = [await stateOf(handle), await recorded(house)];
  expect(inRecords.closed).toBe("rotated");
  expect(persisted(inWorkflow)).toEqual(persisted(inRecords));
});

test("I6: no value is in the history, sealed or open, nor in the records", async () => {
  const house = await openHouse({ sealed: false });
  const handle = await house.start();
  await ended(handle);
  const values = house.world.values();
  expect(values.length).toBeGreaterThanOrEqual(3);
  const history = payloadsAsText(historyToJSON(await handle.fetchHistory()));
  expect(history).toContain("orders_b");
  const tables = await house.fresh.sql<{ name: string }>(
    "select quote_ident(table_name) as name from information_schema.tables where table_schema = 'rekey_inventory'",
  );
  let records = "";
  for (const { name } of tables) {
    const rows = await house.fresh.sql(`select to_jsonb(t)::text as row from rekey_inventory.${name} t`);
    records += rows.map(({ row }) => `${row}\n`).join("");
  }
  expect(records).toContain(house.credential);
  const forms = values.flatMap(formsOf);
  expect(forms.filter((form) => history.includes(form) || records.includes(form))).toEqual([]);
});

test("H40: Temporal is given no name of a system or a person, and sealed payloads only", async () => {
  const house = await openHouse();
  const handle = await house.start({ requestedBy: "eve.of.platform" });
  await ended(handle);
  const history = await handle.fetchHistory();
  const text = payloadsAsText(historyToJSON(history));
  const names = ["orders", "checkout", "reports", "eve.of.platform", "memory/main", "it is time", "payments"];
  expect(names.filter((name) => text.includes(name))).toEqual([]);
  expect(text).toContain("binary/rekey-sealed-1");
  const { searchAttributes } = await handle.describe();
  const own = Object.entries(searchAttributes).filter(([name]) => name.startsWith("Rekey"));
  expect(Object.fromEntries(own)).toEqual({ RekeyPhase: ["closed"], RekeyEmergency: [false] });
});

/** The history with every base64 text beside its meaning, so that nothing hides behind an encoding. */
function payloadsAsText(json: string): string {
  const decoded = [...json.matchAll(/"([A-Za-z0-9+/=]{8,})"/g)].map(([, text = ""]) =>
    Buffer.from(text, "base64").toString("utf8"),
  );
  return [json, ...decoded].join("\n");
}
