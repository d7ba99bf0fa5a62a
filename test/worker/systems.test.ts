/** Adapters that are kept: made once however many ask at once, and not closed while somebody may be using them. */

import { expect, onTestFinished, test } from "vitest";
import type { Systems } from "../../activities/deps.js";
import type { AdapterDeps } from "../../adapters/ports.js";
import type { Estate } from "../../domain/estate/types.js";
import { applyEstate, entryNamed } from "../../inventory/estate.js";
import { noCodec } from "../../worker/installation.js";
import { systemsKeeper } from "../../worker/systems.js";
import { migratedDatabase } from "../inventory/database.js";
import { newId, t0 } from "../inventory/world.js";
import { testMark } from "../support/mark.js";
import { estate } from "./estate.js";

const minuteMs = 60_000;

async function keeping() {
  const { db, sql } = await migratedDatabase();
  const clock = { now: t0 };
  let applied = 0;
  const apply = async (change: Partial<Estate> = {}) => {
    applied += 1;
    const request = { estate: { ...estate, ...change }, digest: `d${applied}`, by: "ann", now: clock.now };
    await applyEstate(db, { ...request, newId });
  };
  await apply();
  const idOf = async (name: string) => (await entryNamed(db, "credentials", name)).id;
  const deps: AdapterDeps = {
    installation: "test",
    now: () => clock.now,
    random: (bytes) => new Uint8Array(bytes),
    signChallenge: async () => "",
    mark: testMark,
    codec: noCodec,
    resolve: async () => {
      throw new Error("nothing here is resolved");
    },
  };
  const keeper = systemsKeeper(db, deps);
  onTestFinished(() => keeper.close());
  return { keeper, clock, apply, sql, orders: await idOf("orders-db"), billing: await idOf("billing-db") };
}

/** Whether the systems have been closed, asked later. */
function watchClose(systems: Systems): () => boolean {
  let closed = false;
  const close = systems.issuer.close.bind(systems.issuer);
  Object.assign(systems.issuer, {
    close: async () => {
      closed = true;
      await close();
    },
  });
  return () => closed;
}

test("whoever asks at the same time gets the same ones", async () => {
  const { keeper, orders, billing } = await keeping();
  const fiveAtOnce = (id: string) => Promise.all(Array.from({ length: 5 }, () => keeper.open(id)));
  // The first five wait for their connections to the inventory, and are not at once.
  await fiveAtOnce(billing);
  const [one, ...others] = await fiveAtOnce(orders);
  for (const other of others) expect(other).toBe(one);
});

test("an estate that changes makes new ones, and leaves the old ones open for as long as a look may last", async () => {
  const { keeper, clock, apply, orders } = await keeping();
  const before = await keeper.open(orders);
  const isClosed = watchClose(before);
  await apply({ stores: { ...estate.stores, spare: { kind: "file" } } });
  const after = await keeper.open(orders);
  expect(after).not.toBe(before);
  clock.now += 10 * minuteMs;
  expect(await keeper.open(orders)).toBe(after);
  expect(isClosed()).toBe(false);
  clock.now += 2 * minuteMs;
  expect(await keeper.open(orders)).toBe(after);
  expect(isClosed()).toBe(true);
});

test("another credential's are closed once nobody can be using them, and not before", async () => {
  const { keeper, clock, orders, billing } = await keeping();
  const isClosed = watchClose(await keeper.open(orders));
  clock.now += 10 * minuteMs;
  await keeper.open(billing);
  expect(isClosed()).toBe(false);
  clock.now += 2 * minuteMs;
  await keeper.open(billing);
  expect(isClosed()).toBe(true);
});

test("at the end all are closed, those of an earlier estate too", async () => {
  const { keeper, apply, orders, billing } = await keeping();
  const closed = [watchClose(await keeper.open(orders)), watchClose(await keeper.open(billing))];
  await apply({ stores: { ...estate.stores, spare: { kind: "file" } } });
  closed.push(watchClose(await keeper.open(orders)));
  await keeper.close();
  expect(closed.map((isClosed) => isClosed())).toEqual([true, true, true]);
});

test("ones that could not be made are made at the next call", async () => {
  const { keeper, sql } = await keeping();
  await expect(keeper.open("crd_later")).rejects.toMatchObject({ code: "not-found" });
  await sql("update rekey_inventory.entries set id = 'crd_later' where name = 'billing-db'");
  await expect(keeper.open("crd_later")).resolves.toMatchObject({ name: "billing-db" });
});
