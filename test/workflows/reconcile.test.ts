/** What is nobody's is named, and taken away by the same gates, fences and intents as anything else; nothing foreign is touched. */
import { expect, test } from "vitest";
import { formatTag, parseTag } from "../../domain/fence.js";
import { orphansOf, type StockTaking } from "../../domain/reconcile.js";
import { read } from "../../inventory/database.js";
import { listRotations } from "../../inventory/rotations.js";
import { versionsOf } from "../../inventory/versions.js";
import { rotationView } from "../../inventory/views.js";
import { type House, type HouseOptions, openHouse } from "./house.js";
import { ended, expectWorking, untilAsked } from "./watch.js";

async function look(house: House): Promise<StockTaking> {
  const { client, taskQueue, credential } = house;
  const workflowId = `reconcile/${credential}/${Math.random()}`;
  const takings: StockTaking[] = await client.workflow.execute("reconcile", {
    workflowId,
    taskQueue,
    args: [credential],
  });
  expect(takings).toHaveLength(1);
  return takings[0] as StockTaking;
}

/** A house that was rotated once: `orders_b` is live, `orders_a` is free. */
async function rotatedHouse(policy: NonNullable<HouseOptions["policy"]> = {}): Promise<House> {
  const house = await openHouse({ policy });
  expect(await ended(await house.start())).toMatchObject({ outcome: "rotated" });
  return house;
}

/** Plays a restored server: what a known rotation, or another installation, once made in `orders_a` is let in again. */
async function plant(house: House, version: string, installation = house.installation): Promise<string> {
  const rotation = (await listRotations(house.fresh.db, { credential: house.credential })).at(-1);
  const made = { rotation: rotation?.id ?? "rot_none", epoch: 0, change: 0, state: "enabled" } as const;
  const tag = formatTag({ installation, version, ...made });
  house.world.issuers.server().logins.set("orders_a", { value: "of-old", enabled: true, tag });
  return tag;
}

const login = ({ world }: House) => world.issuers.server().logins.get("orders_a");

test("H32: a version that nobody knows is named, switched off behind the gates, forgotten, and in the records", async () => {
  const house = await rotatedHouse();
  expect((await look(house)).drifts).toEqual([]);
  await plant(house, "ver_lost");
  house.world.stores.place("orders").copies.set("ver_lost", { username: "orders_a", password: "of-old" });
  const { drifts } = await look(house);
  expect(drifts.map(({ code, where }) => [code, where])).toEqual([["unknown-version", "orders_a"]]);
  expect(login(house)?.enabled).toBe(true);
  const live = house.world.live();
  const handle = await house.start({ remove: orphansOf(drifts), reason: "to remove what is nobody's" });
  expect(await ended(handle)).toMatchObject({ outcome: "went-back" });
  expect(login(house)).toMatchObject({ enabled: false, value: null });
  expect(parseTag(login(house)?.tag)).toMatchObject({ version: "ver_lost", state: "destroyed" });
  expect([...house.world.stores.place("orders").copies.keys()]).not.toContain("ver_lost");
  expect(house.world.live()).toEqual(live);
  expectWorking(house);
  const [rotation] = await listRotations(house.fresh.db, { credential: house.credential });
  const { changes } = await rotationView(house.fresh.db, rotation?.id ?? "");
  expect(changes.map(({ step, outcome }) => [step.do, outcome])).toEqual([
    ["disable", "done"],
    ["destroy", "done"],
  ]);
  const all = await versionsOf(house.fresh.db, house.credential);
  expect(all.filter(({ life }) => life === "active")).toHaveLength(1);
  expect(all.find(({ id }) => id === "ver_lost")).toMatchObject({ life: "destroyed", slot: "orders_a" });
  expect((await look(house)).drifts).toEqual([]);
  // And the slot is free again.
  expect(await ended(await house.start())).toMatchObject({ outcome: "rotated" });
  expectWorking(house);
});

test("H20 H32: a destroyed version that is let in again is taken away without a copy, and so are copies of the dead", async () => {
  const house = await rotatedHouse();
  const dead = house.world.first.version;
  await plant(house, dead);
  const [first] = (await look(house)).drifts;
  expect(first).toMatchObject({ code: "dead-version-accepted", orphan: { version: dead, found: "slot" } });
  await ended(await house.start({ remove: orphansOf((await look(house)).drifts) }));
  expect(login(house)).toMatchObject({ enabled: false, value: null });
  house.world.stores.place("orders").copies.set(dead, { username: "orders_a", password: "of-old" });
  const before = JSON.stringify([...house.world.issuers.server().logins]);
  const { drifts } = await look(house);
  expect(drifts).toMatchObject([{ code: "dead-copy", orphan: { version: dead, found: "copy" } }]);
  expect(await ended(await house.start({ remove: orphansOf(drifts) }))).toMatchObject({
    outcome: "went-back",
  });
  expect([...house.world.stores.place("orders").copies.keys()]).not.toContain(dead);
  // Of a copy nothing is at the issuer.
  expect(JSON.stringify([...house.world.issuers.server().logins])).toBe(before);
  expectWorking(house);
});

test("H8: what carries the tag of another installation is named and not touched, not even when its removal is asked for", async () => {
  const house = await rotatedHouse();
  const tag = await plant(house, "ver_theirs", "somebody-else");
  expect((await look(house)).drifts).toMatchObject([{ code: "foreign-tag", orphan: null }]);
  const remove = [{ version: "ver_theirs", slot: "orders_a", found: "slot" }] as const;
  const handle = await house.start({ remove });
  await expect(handle.result()).rejects.toMatchObject({ cause: { cause: { type: "not-found" } } });
  expect(login(house)).toEqual({ value: "of-old", enabled: true, tag });
  expect(await listRotations(house.fresh.db, { credential: house.credential })).toHaveLength(1);
});

test("H8: beside an open rotation nothing is removed, and it is not taken over for that", async () => {
  const house = await rotatedHouse();
  await house.apply(({ policies: { quick, ...others }, ...estate }) => {
    if (quick === undefined) throw new Error("the house has a policy");
    const approval = { ...quick.approval, quorum: 1 };
    return { ...estate, policies: { ...others, quick: { ...quick, approval } } };
  });
  const rotation = await house.start();
  const state = await untilAsked(rotation);
  await plant(house, "ver_lost");
  expect((await look(house)).drifts).toMatchObject([{ code: "unknown-version", orphan: null }]);
  const remove = [{ version: "ver_lost", slot: "orders_a", found: "slot" }] as const;
  const handle = await house.start({ remove }, `another/${house.credential}`);
  await expect(handle.result()).rejects.toMatchObject({ cause: { cause: { type: "rotation-open" } } });
  expect((await untilAsked(rotation)).epoch).toBe(state.epoch);
});

test("I2: it is not switched off while somebody works on it", async () => {
  const house = await rotatedHouse({ drainTimeoutMs: 2_000 });
  await plant(house, "ver_lost");
  house.world.issuers.server().connect("orders_a", "of-old", "app");
  const { drifts } = await look(house);
  const handle = await house.start({ remove: orphansOf(drifts) });
  expect(await ended(handle)).toMatchObject({ outcome: "refused" });
  expect(login(house)?.enabled).toBe(true);
  const intents = await read(house.fresh.db, async (tx) =>
    tx.execute(
      "select count(*)::int as n from rekey_inventory.intents i join rekey_inventory.rotations r on r.id = i.rotation where r.outcome = 'refused'",
    ),
  );
  expect(intents.rows).toEqual([{ n: 0 }]);
});
